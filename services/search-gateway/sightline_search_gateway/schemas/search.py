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
        metadata={
            "description": "Whether copies of a picture, equal or nearly equal, are shown once, with the number of "
            "their `copies`."
        },
    )
    clusters = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the first 50 results come with a graph, and the likely ones in clusters."},
    )


def text_syntax(default: str) -> fields.String:
    """Return the field that says how a text is understood."""
    description = "`language`: words, words to leave out and filters. `plain`: all of `q` is words, whatever is in it."
    return fields.String(
        load_default=default,
        validate=validate.OneOf(["language", "plain"]),
        metadata={"description": description},
    )


class TextQuery(Window):
    """A query by text."""

    q = text(
        "Words to look for, words to leave out, and filters, as above.",
        blank=False,
        required=True,
        validate=validate.Length(min=1, max=MAX_TEXT),
    )
    syntax = text_syntax("language")


class ModelRef(TypedDict):
    """The model whose vectors were searched."""

    id: str
    fingerprint: str


class Hit(Image):
    """An image that was found."""

    similarity: Annotated[
        float | None, "Cosine, from -1 to 1; null where `q` has filters alone, and nothing was compared."
    ]
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


class QueryFilter(TypedDict):
    """A filter that a text had in it."""

    field: Annotated[str, "Such as `folder`."]
    value: Annotated[str, "As it was written, without quotes."]
    excluded: Annotated[bool, "Whether what it finds is left out."]


class Query(TypedDict):
    """What was asked, as it was understood."""

    text: Annotated[str | None, "The words that were looked for."]
    image_id: Annotated[Uuid | None, "Of `/similar`, or of a query by one picture of the collection."]
    limit: int
    offset: int
    excluded: Annotated[list[str], "The words, or phrases, that were left out."]
    filters: Annotated[list[QueryFilter], "Those of the text; the call's other parameters are not among them."]


class NamedImages(TypedDict):
    """What has the words of a text in its name, folders, title or keywords."""

    total: Annotated[int, "How many there are, copies among them."]
    results: Annotated[list[Image], "At most 12: those whose file's name has the words first, then the newest first."]


class Timings(TypedDict):
    """How long each step took, in milliseconds."""

    encode_ms: float
    search_ms: Annotated[float, "The call of the vector database alone."]
    named_ms: Annotated[float, "What the text finds by name, likewise."]
    cluster_ms: Annotated[float, "Clusters, their names, and the graph."]
    total_ms: Annotated[float, "From the request's arrival to the answer's shape; not its way."]


class SearchResults(TypedDict):
    """What was found, the most similar first, or in the better order that the model knows for texts.

    Where `q` has filters alone, the newest first.
    """

    query: Query
    model: Annotated[ModelRef | None, "Null while nothing has been indexed."]
    results: list[Hit]
    named: Annotated[NamedImages | None, "Null but on the first page of a search by text alone."]
    clusters: Annotated[list[Cluster], "The one with the best result first; empty with `clusters=false`."]
    edges: Annotated[list[Edge], "From the query to each of the first 50 pictures, and among these."]
    relevance: Annotated[Relevance | None, "Null where the query has no text, and it cannot be told."]
    timings: Timings
