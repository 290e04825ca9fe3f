"""What goes in and comes out, for validation and for the OpenAPI document; a module for each of the routes'."""

from sightline_search_gateway.schemas.changes import Upload
from sightline_search_gateway.schemas.images import Browse, Images, Version
from sightline_search_gateway.schemas.ingest import Failures, FailuresQuery, Queued, Rescan
from sightline_search_gateway.schemas.maps import MapQuery, Maps, MapState, UploadedMap, WantedMap
from sightline_search_gateway.schemas.search import ComposedQuery, SearchResults, TextQuery, Window

__all__ = [
    "Browse",
    "ComposedQuery",
    "Failures",
    "FailuresQuery",
    "Images",
    "MapQuery",
    "MapState",
    "Maps",
    "Queued",
    "Rescan",
    "SearchResults",
    "TextQuery",
    "Upload",
    "UploadedMap",
    "Version",
    "WantedMap",
    "Window",
]
