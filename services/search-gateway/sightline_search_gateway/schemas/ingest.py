"""How far the collection is, and what failed."""

from __future__ import annotations

from apiflask import Schema
from marshmallow import fields, validate

from sightline_search_gateway.schemas.fields import MAX_LIMIT, nested, out, text

MAX_IDS = 1000


class Page(Schema):
    """A page of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = text("The `cursor` of the page before.")


class Ingest(Schema):
    """How far the collection is."""

    pending = out(fields.Integer)
    indexed = out(fields.Integer)
    failed = out(fields.Integer)
    ignored = out(fields.Integer, "Files that by their name are no pictures; null while that is not known.", null=True)
    queued = out(fields.Integer, "Tasks that wait for a worker; null while that is not known.", null=True)
    scanning = out(fields.Boolean, "Whether the bucket is being listed at the moment.")
    last_scan_at = out(fields.DateTime, null=True)
    writable = out(fields.Boolean, "Whether pictures can be added and removed here.")


class Failure(Schema):
    """A picture that could not be indexed."""

    id = out(fields.UUID)
    key = out(fields.String)
    reason = out(fields.String, null=True)
    attempts = out(fields.Integer)
    next_try_at = out(fields.DateTime, "Null where only a change of the file can help.", null=True)


class Failures(Schema):
    """A page of failures."""

    failures = nested(Failure, many=True)
    cursor = out(fields.String, null=True)


class Rescan(Schema):
    """What to look at now; nothing means the whole bucket."""

    ids = fields.List(
        fields.UUID(),
        validate=validate.Length(min=1, max=MAX_IDS),
        metadata={"description": "Pictures that failed, to be tried again at once; others are left alone."},
    )


class Queued(Schema):
    """A rescan was asked for."""

    queued = out(fields.Boolean)
    retried = out(fields.Integer, "How many failed pictures are pending again.")
