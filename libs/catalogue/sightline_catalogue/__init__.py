"""What one image is in the vector database; the only code of Sightline that talks to Qdrant."""

from sightline_catalogue.catalogue import ALIAS, Catalogue, collection_name
from sightline_catalogue.collection import Collection
from sightline_catalogue.errors import (
    CatalogueError,
    CatalogueUnavailable,
    NoCollection,
    UnknownImage,
    WrongCursor,
    WrongFingerprint,
)
from sightline_catalogue.image import Counts, Filter, Image, Known, ModelRef, Nearest, Page, State, image_id
from sightline_catalogue.settings import CatalogueSettings

__all__ = [
    "ALIAS",
    "Catalogue",
    "CatalogueError",
    "CatalogueSettings",
    "CatalogueUnavailable",
    "Collection",
    "Counts",
    "Filter",
    "Image",
    "Known",
    "ModelRef",
    "Nearest",
    "NoCollection",
    "Page",
    "State",
    "UnknownImage",
    "WrongCursor",
    "WrongFingerprint",
    "collection_name",
    "image_id",
]
