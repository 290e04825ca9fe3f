"""What is served, and whether it is well."""

from __future__ import annotations

from apiflask import Schema
from marshmallow import fields, validate

from sightline_search_gateway.schemas.fields import nested, out


class Model(Schema):
    """A model that an encoder serves, or that the collection was made with."""

    id = out(fields.String)
    fingerprint = out(fields.String)
    dimensions = out(fields.Integer)
    context_length = out(fields.Integer, "Tokens of a text.", null=True)
    runtime = out(fields.String, null=True)
    device = out(fields.String, null=True)
    serving = out(fields.Boolean, "Whether an encoder serves it at the moment.")


class CollectionRef(Schema):
    """The collection that searches go to."""

    name = out(fields.String)
    model_id = out(fields.String)
    fingerprint = out(fields.String)


class Models(Schema):
    """Models and the collection."""

    models = nested(Model, many=True)
    collection = nested(CollectionRef, "Null while nothing has been indexed.", null=True)


class Counts(Schema):
    """Pictures by state."""

    pending = out(fields.Integer)
    indexed = out(fields.Integer)
    failed = out(fields.Integer)
    total = out(fields.Integer)


class LabelCount(Schema):
    """How many indexed pictures a label has."""

    label = out(fields.String)
    count = out(fields.Integer)


class Stats(Schema):
    """What the collection holds."""

    images = nested(Counts)
    labels = nested(LabelCount, "The most frequent first.", many=True)


class Alive(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=validate.Equal("ok"))


class Ready(Schema):
    """Everything that a search needs is there."""

    ready = out(fields.Boolean)
    collection = out(fields.String)
