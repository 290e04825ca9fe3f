"""Pictures to add."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, fields

from sightline_search_gateway.schemas.fields import text


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
