"""Errors."""

from __future__ import annotations

from apiflask import Schema
from marshmallow import fields

from sightline_search_gateway.schemas.changes import Refused
from sightline_search_gateway.schemas.fields import out


class FieldError(Schema):
    """What is wrong with one part of a request."""

    location = fields.String(required=True, data_key="in", metadata={"description": "query, body or path"})
    name = out(fields.String)
    detail = out(fields.String)


class Problem(Schema):
    """An error, as RFC 9457 describes it."""

    type = out(fields.String, "`urn:sightline:problem:KIND`, or `about:blank` where the status says it all.")
    title = out(fields.String)
    status = out(fields.Integer)
    detail = out(fields.String, "What was wrong and what to do, fit to show to a person.")
    instance = fields.String(metadata={"description": "The path that was asked for."})
    request_id = fields.String(metadata={"description": "As in the X-Request-ID header and the log."})
    errors = fields.List(fields.Nested(FieldError), metadata={"description": "Where a request is not valid."})
    refused = fields.List(fields.Nested(Refused), metadata={"description": "Where no file of an upload was added."})
    ready = fields.Boolean(metadata={"description": "False, from /readyz."})
