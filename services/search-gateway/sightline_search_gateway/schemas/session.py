"""Sessions of the page."""

from __future__ import annotations

from typing import Annotated, TypedDict

from marshmallow import fields, validate

from sightline_search_gateway.schemas.fields import StrictSchema

MAX_KEY = 1024


class SignIn(StrictSchema):
    """A key, to be exchanged for the session's cookie."""

    key = fields.String(
        required=True,
        validate=validate.Length(min=1, max=MAX_KEY),
        metadata={"description": "One of GATEWAY_API_KEYS or GATEWAY_READ_KEYS.", "format": "password"},
    )
    remember = fields.Boolean(
        load_default=False,
        metadata={"description": "Stay signed in for `days`, instead of until the browser is closed."},
    )


class Session(TypedDict):
    """What this visitor may do."""

    read: Annotated[bool, "Whether searches, lists, pictures and maps are answered."]
    change: Annotated[
        bool, "Whether uploads, deletes, maps, rescans and retries are; the bucket may be read-only still."
    ]
    keys: Annotated[bool, "Whether there are keys to sign in with."]
    signed_in: Annotated[bool, "Whether by a key that was exchanged for the cookie."]
    user: Annotated[str | None, "The user, as a proxy names it (GATEWAY_TRUSTED_USER_HEADER)."]
    days: Annotated[int, "How long `remember` lasts."]
