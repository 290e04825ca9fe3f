"""Queries, and what they find."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, fields, validate

from sightline_search_gateway.schemas.fields import MAX_FILTERS, MAX_LIMIT, MAX_OFFSET, MAX_TEXT, nested, out, text
from sightline_search_gateway.schemas.images import Filters, Image


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
        metadata={"description": "How many of the best to leave out."},
    )
    clusters = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether the first 50 results are put into clusters, with a graph of them."},
    )


class TextQuery(Window):
    """A query by text."""

    q = text("What to look for.", required=True, validate=validate.Length(min=1, max=MAX_TEXT))


def _weight(what: str) -> fields.Float:
    return fields.Float(
        load_default=1.0,
        allow_nan=False,
        validate=validate.Range(-10, 10),
        metadata={"description": f"How much {what} counts; below zero means away from it."},
    )


class ComposedQuery(Window):
    """A query by a picture, a text, pictures of the collection, or several of them."""

    class Meta:
        """A part of another name is an error, not ignored."""

        unknown = RAISE

    file = File(metadata={"description": "A picture."})  # type: ignore[no-untyped-call]
    q = text("What to look for.", validate=validate.Length(min=1, max=MAX_TEXT))
    id = fields.List(
        fields.UUID(),
        validate=validate.Length(max=MAX_FILTERS),
        metadata={"description": "A picture of the collection; repeat it for several. They are not among the results."},
    )
    file_weight = _weight("the picture")
    q_weight = _weight("the text")
    id_weight = _weight("each picture of the collection")


class ModelRef(Schema):
    """The model whose vectors were searched."""

    id = out(fields.String)
    fingerprint = out(fields.String)


class Hit(Image):
    """A picture that was found."""

    similarity = out(fields.Float, "Cosine, from -1 to 1.")
    cluster = out(fields.Integer, "Its cluster's id; null beyond the first 50, and without clusters.", null=True)


class Cluster(Schema):
    """Results that are like each other."""

    id = out(fields.Integer, "Its place in the list.")
    name = out(fields.String, "What its pictures share, in one to three words; null where unknown.", null=True)
    size = out(fields.Integer, "How many results it has.")
    best_id = out(fields.UUID, "The picture that is most like all of them together.")
    similarity = out(fields.Float, "The mean cosine of its pictures to the query.")


class Edge(Schema):
    """A line of the graph: two that are similar, each pair at most once."""

    source = out(fields.String, "`query`, or the id of the better ranked picture.")
    target = out(fields.UUID)
    similarity = out(fields.Float, "Cosine, from -1 to 1.")


class Relevance(Schema):
    """Whether what was found is what was asked for, or only the nearest that there is."""

    found = out(fields.Boolean, "False where no result is nearer to the query than unrelated pictures are.")
    threshold = out(fields.Float, "The cosine from which a result counts; null while that is not known.", null=True)
    relevant = out(fields.Integer, "How many of the results reach it.")
    message = out(fields.String, "What to tell a person where nothing was found.", null=True)


class Query(Schema):
    """What was asked."""

    text = out(fields.String, null=True)
    image_id = out(fields.UUID, "Of `/similar`, or of a query by one picture of the collection.", null=True)
    limit = out(fields.Integer)
    offset = out(fields.Integer)


class Timings(Schema):
    """How long each step took, in milliseconds."""

    encode_ms = out(fields.Float)
    search_ms = out(fields.Float, "The call of the vector database alone.")
    cluster_ms = out(fields.Float, "Clusters, their names, and the graph.")
    total_ms = out(fields.Float, "From the request's arrival to the answer's shape; not its way.")


class SearchResults(Schema):
    """What was found, the most similar first."""

    query = nested(Query)
    model = nested(ModelRef, "Null while nothing has been indexed.", null=True)
    results = nested(Hit, many=True)
    clusters = nested(Cluster, "The one with the best result first; empty with `clusters=false`.", many=True)
    edges = nested(Edge, "From the query to each picture of a cluster, and among these.", many=True)
    relevance = nested(Relevance, "Null where the query has no text.", null=True)
    timings = nested(Timings)
