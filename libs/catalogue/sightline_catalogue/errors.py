"""What can go wrong between a service and the catalogue."""

from __future__ import annotations


class CatalogueError(Exception):
    """The catalogue could not do what it was asked; the message is fit to show to a person."""


class CatalogueUnavailable(CatalogueError):
    """Qdrant does not answer, or not in time. Trying again later makes sense."""


class NoCollection(CatalogueError):
    """There is no such collection, or the alias points to none: nothing has been indexed yet."""


class WrongFingerprint(CatalogueError):
    """A collection's vectors come from another model than was asked for; the two must not mix."""


class UnknownImage(CatalogueError):
    """There is no image of that id."""


class NotIndexed(UnknownImage):
    """There is such an image, but it is pending or failed, and nothing can be compared with it."""


class WrongCursor(CatalogueError, ValueError):
    """A cursor that no page gave."""


class NotFound(CatalogueError):
    """Qdrant's NOT_FOUND: a collection or a point. Within this package only."""
