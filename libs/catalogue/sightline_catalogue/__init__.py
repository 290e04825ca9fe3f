"""The catalogue: images and their vectors in Qdrant. No other code talks to Qdrant."""
# ruff: noqa: E402

from sightline_service.deferred_init import defer_init

# Its gRPC part is all that is used; the REST part, which its __init__ loads, takes a second and 60 MB in every process.
defer_init("qdrant_client")

from sightline_catalogue.catalogue import Catalogue
from sightline_catalogue.cluster import ClusterState
from sightline_catalogue.collection import Collection
from sightline_catalogue.copy_groups import BURST, GROUP_KINDS, Group, GroupKind, GroupPage
from sightline_catalogue.derived import SHAPES, Shape
from sightline_catalogue.errors import (
    CatalogueDiskFull,
    CatalogueError,
    CatalogueReadOnly,
    CatalogueUnavailable,
    NoCollection,
    NotDerived,
    NotIndexed,
    OldServer,
    TooDeep,
    UnknownImage,
    WrongCursor,
    WrongFingerprint,
)
from sightline_catalogue.facets import FACETS, Facet
from sightline_catalogue.filters import Between, Filter
from sightline_catalogue.identity import canonical, canonical_folder, image_id
from sightline_catalogue.image import (
    EQUAL,
    FAILED,
    INDEXED,
    NEAR,
    PENDING,
    REMOVED,
    STATES,
    CopyKind,
    Counts,
    Image,
    Labelled,
    Nearest,
    Page,
    ScanState,
    State,
)
from sightline_catalogue.missing import MissingImages
from sightline_catalogue.payload import order_of
from sightline_catalogue.places import Box, Circle
from sightline_catalogue.query_builder import Reordering, SearchParams
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.server_version import exit_if_too_old
from sightline_catalogue.settings import CatalogueSettings

__all__ = [
    "BURST",
    "EQUAL",
    "FACETS",
    "FAILED",
    "GROUP_KINDS",
    "INDEXED",
    "NEAR",
    "PENDING",
    "REMOVED",
    "SHAPES",
    "STATES",
    "Between",
    "Box",
    "Catalogue",
    "CatalogueDiskFull",
    "CatalogueError",
    "CatalogueReadOnly",
    "CatalogueSettings",
    "CatalogueUnavailable",
    "Circle",
    "ClusterState",
    "Collection",
    "CopyKind",
    "Counts",
    "Facet",
    "Filter",
    "Group",
    "GroupKind",
    "GroupPage",
    "Image",
    "Labelled",
    "MissingImages",
    "ModelRef",
    "Nearest",
    "NoCollection",
    "NotDerived",
    "NotIndexed",
    "OldServer",
    "Page",
    "Reordering",
    "ScanState",
    "SearchParams",
    "Shape",
    "State",
    "TooDeep",
    "UnknownImage",
    "WrongCursor",
    "WrongFingerprint",
    "canonical",
    "canonical_folder",
    "exit_if_too_old",
    "image_id",
    "order_of",
]
