"""Queries, and what they find."""

from __future__ import annotations

from typing import Annotated, TypedDict

from marshmallow import fields, validate

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.schemas.fields import (
    MAX_LIMIT,
    MAX_OFFSET,
    MAX_TEXT,
    text,
)
from sightline_search_gateway.schemas.filters import Filters
from sightline_search_gateway.schemas.images import Image
from sightline_search_gateway.search.relevance import Judgement, Relevance
from sightline_search_gateway.search.result_graph import Cluster, Edge


class Window(Filters):
    """Which of the results."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many results at most."},
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MAX_OFFSET),
        metadata={
            "description": "How many of the best to leave out. Pages are cuts of one list, by similarity, then id, "
            "but for a text's first hundred where the model knows a better order. "
            "With `limit`, no more than QDRANT_MAX_DEPTH, which is 1000 unless it is set (`too-deep`)."
        },
    )
    sort = fields.String(
        load_default="best",
        validate=validate.OneOf(["best", "date"]),
        metadata={
            "description": "`best`: the best first. `date`: of the first 500 the likely ones alone, the newest first, "
            "by when they were taken, or else modified; `limit` and `offset` then count among these. Not for a query "
            "of several kinds, and `not-ready` until the collection is calibrated, seconds after the first start."
        },
    )
    diversity = fields.Float(
        load_default=0.0,
        allow_nan=False,
        validate=validate.Range(0, 1),
        metadata={
            "description": "How much the first 100 results look different from those before them: 0 leaves the best "
            "first, 1 counts nothing but the difference; 0.3 shows more kinds and loses little of what is right."
        },
    )
    distinct = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether pictures of equal bytes are shown once, with the number of their `copies`."},
    )
    clusters = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the first 50 results come with a graph, and the likely ones in clusters."},
    )


class TextQuery(Window):
    """A query by text."""

    q = text("What to look for.", blank=False, required=True, validate=validate.Length(min=1, max=MAX_TEXT))


class ModelRef(TypedDict):
    """The model whose vectors were searched."""

    id: str
    fingerprint: str


class Hit(Image):
    """An image that was found."""

    similarity: Annotated[float, "Cosine, from -1 to 1."]
    probability: Annotated[
        float | None,
        "How likely it is what was asked for, from 0 to 1. Among the first results it never rises down the list, and "
        "no later one is likelier than these. It means the same for every query, which a similarity does not. Null "
        "where that is not known: of a query of several kinds, and until the collection is calibrated.",
    ]
    relevance: Annotated[Judgement | None, "`likely` where the probability is at least one half, else `weak`."]
    cluster: Annotated[
        int | None, "Its cluster's id; null where it is weak, beyond the first 50, and without clusters."
    ]


class Query(TypedDict):
    """What was asked."""

    text: str | None
    image_id: Annotated[Uuid | None, "Of `/similar`, or of a query by one picture of the collection."]
    limit: int
    offset: int


class Timings(TypedDict):
    """How long each step took, in milliseconds."""

    encode_ms: float
    search_ms: Annotated[float, "The call of the vector database alone."]
    cluster_ms: Annotated[float, "Clusters, their names, and the graph."]
    total_ms: Annotated[float, "From the request's arrival to the answer's shape; not its way."]


class SearchResults(TypedDict):
    """What was found, the most similar first, or in the better order that the model knows for texts."""

    query: Query
    model: Annotated[ModelRef | None, "Null while nothing has been indexed."]
    results: list[Hit]
    clusters: Annotated[list[Cluster], "The one with the best result first; empty with `clusters=false`."]
    edges: Annotated[list[Edge], "From the query to each of the first 50 pictures, and among these."]
    relevance: Annotated[Relevance | None, "Null where the query has no text, and it cannot be told."]
    timings: Timings
