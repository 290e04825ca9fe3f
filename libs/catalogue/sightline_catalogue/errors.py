"""The errors of the catalogue."""

from __future__ import annotations


class CatalogueError(Exception):
    """A call failed; the message is fit to show to a person."""


class CatalogueUnavailable(CatalogueError):
    """Qdrant does not answer, or not in time; a later try may succeed."""


class CatalogueDiskFull(CatalogueUnavailable):
    """A write for which Qdrant's disk has no room; reads are answered, and a later try may succeed."""


class CatalogueReadOnly(CatalogueError):
    """A write that Qdrant refuses, since the key in QDRANT_API_KEY may only read."""


class NoCollection(CatalogueError):
    """There is no such collection, or the alias points to none: nothing has been indexed yet."""


class WrongFingerprint(CatalogueError):
    """A collection's vectors come from another model than the expected one; the two must not mix."""


class UnknownImage(CatalogueError):
    """There is no image of that id."""


class NotIndexed(UnknownImage):
    """There is such an image, but it is pending or failed, and nothing can be compared with it."""


class OldServer(CatalogueError):
    """The Qdrant server is older than what Sightline needs."""


class WrongCursor(CatalogueError, ValueError):
    """A cursor that is not from an earlier page."""


class TooDeep(CatalogueError, ValueError):
    """A page that ends deeper than a search goes."""


class NotDerived(CatalogueError):
    """A filter by what is still being derived of images that an older version indexed; a later try may succeed."""


class NotFound(CatalogueError):
    """Qdrant's NOT_FOUND: a collection or a point. Within this package only."""


class NotYet(CatalogueUnavailable):
    """What a node answers that has not learnt of a change yet, or is making its copy. Within this package only."""
