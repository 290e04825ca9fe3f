"""Queries, and what they find."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, fields, validate

from sightline_search_gateway.schemas.images import Filters, Image
from sightline_search_gateway.schemas.kinds import MAX_FILTERS, MAX_LIMIT, MAX_OFFSET, MAX_TEXT, nested, out, text


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
    cluster_ms = out(fields.Float)
    total_ms = out(fields.Float, "From the request's arrival to the answer's shape; not its way.")


class SearchResults(Schema):
    """What was found, the most similar first."""

    query = nested(Query)
    model = nested(ModelRef, "Null while nothing has been indexed.", null=True)
    results = nested(Hit, many=True)
    timings = nested(Timings)
