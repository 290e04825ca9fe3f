"""What goes in and comes out, for validation and for the OpenAPI document; a module for each of the routes'."""

from sightline_search_gateway.schemas.changes import Upload, Uploaded
from sightline_search_gateway.schemas.images import Browse, Images, Version
from sightline_search_gateway.schemas.ingest import Failures, Ingest, Page, Queued, Rescan
from sightline_search_gateway.schemas.maps import MapQuery, Maps, MapState, UploadedMap, WantedMap
from sightline_search_gateway.schemas.problems import Problem
from sightline_search_gateway.schemas.search import ComposedQuery, SearchResults, TextQuery, Window
from sightline_search_gateway.schemas.system import Alive, Models, Ready, Stats

__all__ = [
    "Alive",
    "Browse",
    "ComposedQuery",
    "Failures",
    "Images",
    "Ingest",
    "MapQuery",
    "MapState",
    "Maps",
    "Models",
    "Page",
    "Problem",
    "Queued",
    "Ready",
    "Rescan",
    "SearchResults",
    "Stats",
    "TextQuery",
    "Upload",
    "Uploaded",
    "UploadedMap",
    "Version",
    "WantedMap",
    "Window",
]
