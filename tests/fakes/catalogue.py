"""A catalogue in memory."""

from __future__ import annotations

from collections.abc import Callable

from sightline_catalogue import NoCollection

from fakes.collection import FakeCollection


class FakeCatalogue:
    """A catalogue with one collection, none, or out of reach.

    Attributes:
        collection: The one that searches use.
        error: What `current` raises.
        before: Called by `current`.
    """

    def __init__(self, collection: FakeCollection | None = None) -> None:
        self.collection = collection
        self.error: Exception | None = None
        self.before: Callable[[], None] = lambda: None

    def current(self) -> FakeCollection:
        self.before()
        if self.error is not None:
            raise self.error
        if self.collection is None:
            raise NoCollection("there is no collection to search yet: nothing has been indexed")
        return self.collection

    def activate(self, collection: FakeCollection) -> None:
        self.collection = collection
