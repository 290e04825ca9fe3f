"""Bodies: how large each call's may be, and of which media type; checked before a body is parsed."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from sightline_search_gateway.maps.settings import MEBIBYTE
from sightline_search_gateway.schemas.ingest import MAX_IDS
from sightline_search_gateway.settings import Settings

BYTES_AN_ID = 64
"""Of an id in a JSON list, rounded up."""
BYTES_A_KEY = 1024
"""Of a key of the bucket in a JSON list, likewise."""
KIBIBYTE = 1024
FEW_BYTES = 16 * KIBIBYTE
"""Of a call's body that holds neither files nor ids: a key of the greatest length, each letter escaped, fits."""
FORM = "multipart/form-data"
JSON = "application/json"
JSON_OR_FORM = {"search.search"}
"""The calls that take JSON where no file is sent."""


def check_body(settings: Settings) -> None:
    """Limit the body's size by the call; refuse a call without the body that it needs, or with one of another type.

    Raises:
        BadRequest: The body is missing.
        RequestEntityTooLarge: It is larger.
        UnsupportedMediaType: It is of another media type.
    """
    files = {
        "search.search": settings.pictures.max_bytes,
        "changes.upload_images": settings.gateway.upload_max_bytes,
        "maps.upload_map": settings.gateway.upload_max_bytes,
    }
    # The rest of a form and its boundaries, or the labels and folders of a map, come on top.
    limits = {endpoint: limit + MEBIBYTE for endpoint, limit in files.items()}
    limits["maps.make_map"] = settings.maps.max_points * BYTES_AN_ID + MEBIBYTE
    limits["ingest.rescan"] = MAX_IDS * BYTES_A_KEY + MEBIBYTE
    endpoint = request.endpoint or ""
    is_json = request.mimetype == JSON
    if endpoint in JSON_OR_FORM and is_json:
        limits[endpoint] = MEBIBYTE
    request.max_content_length = limits.get(endpoint, FEW_BYTES)
    if request.url_rule is None:
        return
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    needed = FORM if endpoint in files and not (endpoint in JSON_OR_FORM and is_json) else JSON
    if request.content_type is None and not request.content_length:
        raise BadRequest(f"The body is missing: send {needed}.")
    if request.mimetype != needed:
        raise UnsupportedMediaType(f"Send {needed}.")
    if not request.content_length:
        raise BadRequest(f"The body is empty: send {needed}.")
