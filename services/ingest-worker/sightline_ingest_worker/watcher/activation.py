"""Activation: the alias that searches use moves to a model's collection once that is complete."""

from __future__ import annotations

import structlog
from sightline_catalogue import Catalogue, Collection, NoCollection

log = structlog.get_logger()


def active_collection(catalogue: Catalogue) -> Collection | None:
    """Return the collection that is searched; None before the first is activated.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    try:
        return catalogue.current()
    except NoCollection:
        return None


def activate(catalogue: Catalogue, collection: Collection) -> None:
    """Let searches use a collection from now on.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    catalogue.activate(collection)
    log.info("collection activated", collection=collection.name)
