"""Finds the current collection. While the catalogue does not answer, one request at a time tries it."""

from __future__ import annotations

from threading import Lock

from sightline_catalogue import Catalogue, CatalogueUnavailable, Collection, NoCollection


class CatalogueCircuitBreaker:
    """Resolves the alias, once a request. Safe to use from several threads.

    While the last call of the catalogue has failed, one request at a time tries again and the others are refused at
    once: were all to wait, no thread would be left for what needs no catalogue.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._trying = Lock()
        self._failure: str | None = None

    def current(self) -> Collection:
        """Return the collection that searches go to.

        Raises:
            NoCollection: There is none yet.
            CatalogueUnavailable: The catalogue does not answer, or did not when it was last tried.
        """
        failure = self._failure
        if failure is None:
            return self._try()
        if not self._trying.acquire(blocking=False):
            raise CatalogueUnavailable(failure)
        try:
            return self._try()
        finally:
            self._trying.release()

    def current_if_any(self) -> Collection | None:
        """Return the collection that searches go to; None where nothing has been indexed yet.

        Raises:
            CatalogueUnavailable: As `current`.
        """
        try:
            return self.current()
        except NoCollection:
            return None

    def _try(self) -> Collection:
        failure = None
        try:
            return self._catalogue.current()
        except CatalogueUnavailable as error:
            failure = str(error)
            raise
        finally:
            self._failure = failure
