"""Pictures to add, and what became of them."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, fields

from sightline_search_gateway.schemas.fields import nested, out, text


class Upload(Schema):
    """Pictures to add."""

    class Meta:
        """A part of another name is an error, not ignored."""

        unknown = RAISE

    files = fields.List(
        File(),  # type: ignore[no-untyped-call]
        required=True,
        metadata={"description": "Picture files."},
    )
    folder = text("Where in the bucket, such as `holidays/2024`; made if it is not there.")


class Accepted(Schema):
    """A picture that was added."""

    name = out(fields.String, "As it was sent.")
    key = out(fields.String)
    id = out(fields.UUID)


class Refused(Schema):
    """A file that was not added."""

    name = out(fields.String, "As it was sent.")
    reason = out(fields.String)


class Uploaded(Schema):
    """What became of the files."""

    accepted = nested(Accepted, many=True)
    refused = nested(Refused, many=True)
