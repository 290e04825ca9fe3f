"""Requests for maps, and their state."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypedDict

from apiflask import Schema
from marshmallow import fields, validate

from sightline_search_gateway.errors import Refused
from sightline_search_gateway.maps.results import AskedMap, JobState, MapCluster, MapPoints, MapProgress, Separation
from sightline_search_gateway.schemas.fields import BoundedList, PictureFile, StrictSchema, many, wall_moment
from sightline_search_gateway.schemas.filters import GivenFilters
from sightline_search_gateway.schemas.search import ModelRef

MOST_POINTS = 200_000
"""Of any setting; MAPS_MAX_POINTS says how many it is here."""
MOST_SAFE_INTEGER = 2**53 - 1
"""JavaScript's numbers are exact so far."""
LOWEST_PERPLEXITY, HIGHEST_PERPLEXITY = 5, 100


class Layout(StrictSchema):
    """How many pictures, and how they are laid out."""

    sample = fields.Integer(
        load_default=2000,
        validate=validate.Range(10, MOST_POINTS),
        metadata={"description": "At most so many pictures; a sample, the same every time, where more match."},
    )
    perplexity = fields.Float(
        load_default=30.0,
        allow_nan=False,
        validate=validate.Range(LOWEST_PERPLEXITY, HIGHEST_PERPLEXITY),
        metadata={"description": "How many neighbours count, roughly. Lowered where there are few pictures."},
    )


class WantedMap(Layout):
    """A map of pictures of the collection; all of it where nothing else is said."""

    labels = many("The names of the folders that the pictures lie in; any of them.")
    folders = many("Folders' paths; what lies below counts too; any of them.")
    after = wall_moment("at this moment or later", null=True)
    before = wall_moment("before this moment", null=True)
    filters = GivenFilters("Any filters by the names that they have elsewhere; all must hold, and those above too.")
    ids = BoundedList(
        fields.UUID(),
        most=MOST_POINTS,
        metadata={"description": "Exactly these pictures, instead of a filter."},
    )
    per_label = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MOST_POINTS),
        metadata={"description": "At most so many of each label; 0 for no such bound."},
    )


class UploadedMap(Layout):
    """A map of pictures that are not, and will not be, in the collection."""

    files = fields.List(
        PictureFile(),  # type: ignore[no-untyped-call]
        required=True,
        metadata={"description": "Picture files; a name `cats/1.jpg` gives the label `cats`."},
    )


class MapQuery(Schema):
    """How much of a map."""

    points = fields.Boolean(load_default=True, metadata={"description": "With its points."})
    since = fields.Integer(
        validate=validate.Range(0, MOST_SAFE_INTEGER),
        metadata={"description": "The `version` of the map that is known: columns of points as they were are null."},
    )


class MapState(TypedDict):
    """A map."""

    id: str
    version: Annotated[int, "Grows with every change."]
    state: JobState
    reason: Annotated[str | None, "Why it failed, fit to show to a person."]
    request: AskedMap
    model: ModelRef
    created_at: datetime
    finished_at: datetime | None
    count: Annotated[int, "Points."]
    total: Annotated[int, "Pictures that matched before the sample was taken."]
    progress: MapProgress | None
    labels: tuple[str, ...]
    points: Annotated[
        MapPoints | None,
        "Null where they were not asked for, have not changed `since`, or there are none yet.",
    ]
    thumbnails: Annotated[str, "The address of a point's thumbnail, with {id} or {index} in it."]
    clusters: tuple[MapCluster, ...]
    separation: Annotated[Separation | None, "Null with fewer than 2 labels of 2 pictures."]
    stale: Annotated[bool, "Pictures came or went since: ask for it again, and old points will stay in place."]
    refused: Annotated[tuple[Refused, ...], "Of an upload: files that could not be used; empty in a list of maps."]


class Maps(TypedDict):
    """The maps there are, the newest first."""

    maps: list[MapState]
