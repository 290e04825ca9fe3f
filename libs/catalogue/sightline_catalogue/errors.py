"""What can go wrong with the catalogue; every message is fit to show to a person."""

from __future__ import annotations


class CatalogueError(Exception):
    """The base of all."""


class CatalogueUnavailable(CatalogueError):
    """The vector database does not answer, or not in time; trying again later may help."""


class NoCollection(CatalogueError):
    """There is no collection yet, or none of that name."""


class WrongFingerprint(CatalogueError):
    """A collection holds another model's vectors than those that it was asked for."""


class UnknownImage(CatalogueError):
    """No image of that id has a vector here."""


class WrongCursor(CatalogueError):
    """A cursor that `browse` did not give."""
