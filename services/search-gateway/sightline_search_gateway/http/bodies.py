"""Bodies: how large each call's may be, and of which media type; checked before a body is parsed."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from sightline_search_gateway.maps.settings import MEBIBYTE
from sightline_search_gateway.settings import Settings

BYTES_AN_ID = 64
"""Of an id in a JSON list, rounded up."""
FORM = "multipart/form-data"
JSON = "application/json"


def check_body(settings: Settings) -> None:
    """Limit the body's size by the call; refuse a call without the body that it needs, or with one of another type.

    Raises:
        BadRequest: The body is missing.
        UnsupportedMediaType: It is of another media type.
    """
    files = {
        "search.search": settings.pictures.max_bytes,
        "changes.upload_images": settings.gateway.upload_max_bytes,
        "maps.upload_map": settings.gateway.upload_max_bytes,
    }
    ids = {"maps.make_map": settings.maps.max_points * BYTES_AN_ID}
    endpoint = request.endpoint or ""
    # The rest of a form with its boundaries, or of a JSON object, is added to this.
    request.max_content_length = (files | ids).get(endpoint, 0) + MEBIBYTE
    if request.url_rule is None or request.method not in ("POST", "PUT", "PATCH"):
        return
    needed = FORM if endpoint in files else JSON
    if request.content_type is None and not request.content_length:
        raise BadRequest(f"The body is missing: send {needed}.")
    if request.mimetype != needed:
        raise UnsupportedMediaType(f"Send {needed}.")
    if not request.content_length:
        raise BadRequest(f"The body is empty: send {needed}.")
