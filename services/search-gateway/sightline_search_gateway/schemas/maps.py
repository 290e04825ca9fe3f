"""Maps: what they are asked to show, and how they stand."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, fields, validate

from sightline_search_gateway.schemas.changes import Refused
from sightline_search_gateway.schemas.fields import many, moment, nested, out
from sightline_search_gateway.schemas.search import ModelRef

MOST_POINTS = 200_000
"""Of any setting; MAPS_MAX_POINTS says how many it is here."""
MAP_STATES = ("queued", "running", "done", "failed", "cancelled")
STEPS = ("vectors", "affinities", "optimizing", "separating")
MOST_SAFE_INTEGER = 2**53 - 1
"""JavaScript's numbers are exact so far."""
LOWEST_PERPLEXITY, HIGHEST_PERPLEXITY = 5, 100


class Layout(Schema):
    """How many pictures, and how they are laid out."""

    class Meta:
        """A field of another name is an error, not ignored."""

        unknown = RAISE

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


def column(item: fields.Field[Any], description: str) -> fields.List[Any]:
    """Return a field for a property of each point, or null."""
    return fields.List(item, required=True, allow_none=True, metadata={"description": description})


class WantedMap(Layout):
    """A map of pictures of the collection; all of it where nothing else is said."""

    labels = many("The names of the folders that the pictures lie in; any of them.")
    folders = many("Folders' paths; what lies below counts too; any of them.")
    after = moment("Taken (or, where that is not known, modified) at this moment or later.", null=True)
    before = moment("Taken (or, where that is not known, modified) before this moment.", null=True)
    ids = fields.List(
        fields.UUID(),
        validate=validate.Length(max=MOST_POINTS),
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
        File(),  # type: ignore[no-untyped-call]
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


class AskedMap(Schema):
    """What was asked, with the perplexity as used."""

    labels = fields.List(fields.String(), required=True)
    folders = fields.List(fields.String(), required=True)
    after = out(fields.DateTime, null=True)
    before = out(fields.DateTime, null=True)
    ids = out(fields.Integer, "How many pictures were named one by one; 0 where a filter was given.")
    upload = out(fields.Boolean, "Whether the pictures were uploaded for this map.")
    per_label = out(fields.Integer)
    sample = out(fields.Integer)
    perplexity = out(fields.Float)


class MapProgress(Schema):
    """How far a map is."""

    step = fields.String(required=True, validate=validate.OneOf(STEPS))
    iteration = out(fields.Integer)
    iterations = out(fields.Integer)
    kl_divergence = out(fields.Float, "What t-SNE makes smaller; null before the first figure.", null=True)


class MapPoints(Schema):
    """The points, a column a property; all of one length. A column is null where it has not changed `since`."""

    ids = column(fields.String(), "Images' ids; of uploads, names.")
    x = column(fields.Float(), "From -1 to 1.")
    y = column(fields.Float(), "From -1 to 1, upwards.")
    label = column(fields.Integer(), "Index of `labels`; -1 for none.")
    cluster = column(fields.Integer(), "Id of a cluster; -1 while there are none.")
    new = column(fields.Boolean(), "Placed into the map after it was made.")


class MapCluster(Schema):
    """A group of pictures that are alike."""

    id = out(fields.Integer)
    name = out(fields.String)
    size = out(fields.Integer)


class LabelSeparation(Schema):
    """How well one label's pictures keep to themselves."""

    label = out(fields.String)
    count = out(fields.Integer)
    knn_agreement = out(fields.Float)


class Confusion(Schema):
    """How far one label's pictures lie among another's."""

    a = out(fields.String)
    b = out(fields.String)
    share = out(fields.Float, "Of the nearest neighbours of a's pictures, those that are b's.")


class Separation(Schema):
    """How well the labels separate in the space of the vectors."""

    knn_agreement = out(fields.Float, "The share of the 10 nearest neighbours that have the same label, on average.")
    silhouette = out(fields.Float, "From -1 to 1: above 0, labels are apart.")
    per_label = nested(LabelSeparation, many=True)
    confused = nested(Confusion, "The pairs most confused, the worst first.", many=True)


class MapState(Schema):
    """A map."""

    id = out(fields.String)
    version = out(fields.Integer, "Grows with every change.")
    state = fields.String(required=True, validate=validate.OneOf(MAP_STATES))
    reason = out(fields.String, "Why it failed, fit to show to a person.", null=True)
    request = nested(AskedMap)
    model = nested(ModelRef)
    created_at = out(fields.DateTime)
    finished_at = out(fields.DateTime, null=True)
    count = out(fields.Integer, "Points.")
    total = out(fields.Integer, "Pictures that matched before the sample was taken.")
    progress = nested(MapProgress, null=True)
    labels = fields.List(fields.String(), required=True)
    points = nested(
        MapPoints, "Null where they were not asked for, have not changed `since`, or there are none yet.", null=True
    )
    thumbnails = out(fields.String, "The address of a point's thumbnail, with {id} or {index} in it.")
    clusters = nested(MapCluster, many=True)
    separation = nested(Separation, "Null with fewer than 2 labels of 2 pictures.", null=True)
    stale = out(fields.Boolean, "Pictures came or went since: ask for it again, and old points will stay in place.")
    refused = nested(Refused, "Of an upload: files that could not be used.", many=True)


class Maps(Schema):
    """The maps there are, the newest first."""

    maps = nested(MapState, many=True)
