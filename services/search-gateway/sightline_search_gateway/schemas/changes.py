"""Pictures to add."""

from __future__ import annotations

from marshmallow import fields

from sightline_search_gateway.schemas.fields import PictureFile, StrictSchema, text


class Upload(StrictSchema):
    """Pictures to add."""

    files = fields.List(
        PictureFile(),  # type: ignore[no-untyped-call]
        required=True,
        metadata={"description": "Picture files."},
    )
    folder = text("Where in the bucket, such as `holidays/2024`; made if it is not there.")
    copies = fields.Boolean(
        load_default=False,
        metadata={"description": "Whether to add also files whose bytes are in the bucket already."},
    )
