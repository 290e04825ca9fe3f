"""Pictures: their data, and their bytes in three sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response, request
from PIL.Image import Image as PillowImage
from sightline_bucket import BucketUnavailable
from sightline_catalogue import Collection, Filter, Image
from sightline_catalogue import image_id as image_id_of
from sightline_pictures import PictureError, open_picture, preview, thumbnail
from sightline_pictures.thumbnails import PREVIEW_SIDE, THUMBNAIL_SIDE
from werkzeug.http import dump_options_header

from sightline_search_gateway import schemas
from sightline_search_gateway.container import current
from sightline_search_gateway.http.media_types import MIME_TYPES, UNKNOWN, media_type
from sightline_search_gateway.http.openapi import Answer, picture_answer, problem_answers
from sightline_search_gateway.http.problems import Problem, retry_after
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_image, version_of
from sightline_search_gateway.routes.search import filter_of

blueprint = APIBlueprint("images", __name__, tag="Images", url_prefix=f"{PREFIX}/images")
# Of a schema that is part of another one, as Image is of Images, APIFlask would make a second copy.
IMAGE: Answer = {
    "description": "The picture's data.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Image"}}},
}
WEBP = picture_answer("The picture as WebP.", "image/webp")
DECODE_WAIT_SECONDS = 20
FOR_EVER = "private, max-age=31536000, immutable"
ASK_AGAIN = "private, no-cache"
# Pictures are people's: no page of another site may show them, and nothing in them may run.
PICTURE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
log = structlog.get_logger()


@blueprint.get("")
@blueprint.input(schemas.Browse, location="query", arg_name="query")
@blueprint.output(schemas.Images, description="A page of pictures.")
@blueprint.doc(operation_id="browseImages", responses=problem_answers(422, 503))
def browse(query: dict[str, Any]) -> Response:
    """Browse the collection, the last modified first."""
    images, cursor = page_of(filter_of(query), query)
    return json_response({"images": [serialize_image(image) for image in images], "cursor": cursor})


@blueprint.get("/<uuid:image_id>")
@blueprint.doc(operation_id="getImage", responses={200: IMAGE, **problem_answers(404, 503)})
def get_image(image_id: str) -> Response:
    """Get what is known of a picture."""
    return json_response(serialize_image(find_image(image_id)))


@blueprint.get("/<uuid:image_id>/file")
@blueprint.input(schemas.Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImageFile",
    responses={**picture_answer("The file.", *MIME_TYPES), **problem_answers(404, 422, 503)},
)
def get_file(image_id: str, version: dict[str, str]) -> Response:
    """Get the file itself, as it lies in the bucket."""
    image = find_image(image_id)
    check_key(image)
    found = current().clients.bucket.stat(image.key)
    # The catalogue may be behind the bucket: only what it describes is its version.
    is_current = found.etag == image.etag
    tag = hashlib.sha256(found.etag.encode()).hexdigest()[:32]
    if not _has(tag):
        data = read_file(image)
        kind = media_type(data)
    else:
        data, kind = b"", UNKNOWN
    name = "".join(char for char in image.key.rpartition("/")[2] if char.isprintable())
    response = _picture(data, kind, tag, image if is_current else None, version)
    disposition = "attachment" if kind == UNKNOWN else "inline"
    response.headers["Content-Disposition"] = dump_options_header(disposition, {"filename": name})
    return response


@blueprint.get("/<uuid:image_id>/preview")
@blueprint.input(schemas.Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImagePreview",
    responses={
        **picture_answer("The picture, longest side at most 1600.", "image/webp"),
        **problem_answers(404, 422, 429, 503),
    },
)
def get_preview(image_id: str, version: dict[str, str]) -> Response:
    """Get a picture at a size for a screen, in a format that every browser shows."""
    image = find_image(image_id)
    cache = current().previews
    if image.sha256 is not None and _has(f"p{image.sha256}"):
        return _picture(b"", "image/webp", f"p{image.sha256}", image, version)
    known = cache.get(image.sha256) if image.sha256 else None
    if known is not None:
        return _picture(known, "image/webp", f"p{image.sha256}", image, version)
    sha256, data = _make(image, preview, PREVIEW_SIDE)
    cache.put(sha256, data)
    return _picture(data, "image/webp", f"p{sha256}", image if sha256 == image.sha256 else None, version)


@blueprint.get("/<uuid:image_id>/thumbnail")
@blueprint.input(schemas.Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImageThumbnail",
    responses=WEBP | problem_answers(404, 422, 429, 503),
)
def get_thumbnail(image_id: str, version: dict[str, str]) -> Response:
    """Get a picture at a size for a list."""
    image = find_image(image_id)
    if image.sha256 is not None:
        if _has(f"t{image.sha256}"):
            return _picture(b"", "image/webp", f"t{image.sha256}", image, version)
        if (stored := _stored(image.sha256)) is not None:
            current().telemetry.thumbnail("store")
            return _picture(stored, "image/webp", f"t{image.sha256}", image, version)
    sha256, data = _make(image, thumbnail, THUMBNAIL_SIDE)
    current().telemetry.thumbnail("made")
    _store(sha256, data)
    return _picture(data, "image/webp", f"t{sha256}", image if sha256 == image.sha256 else None, version)


def page_of(wanted: Filter, query: dict[str, Any]) -> tuple[list[Image], str | None]:
    """Return a page of the collection and the cursor of the next; where there is none, an empty one."""
    collection = current().catalogue.current_if_any()
    if collection is None:
        return [], None
    page = collection.browse(wanted, query["limit"], query.get("cursor"))
    return page.images, page.cursor


def find_image(image_id: str) -> Image:
    """Return a picture of the collection.

    Raises:
        Problem: There is none of that id.
    """
    return find_in_collection(image_id)[1]


def find_in_collection(image_id: str) -> tuple[Collection, Image]:
    """Return the collection and a picture of it.

    Raises:
        Problem: There is none of that id.
    """
    collection = current().catalogue.current()
    image = collection.get([str(image_id)])[0]
    if image is None:
        raise Problem("image-not-found", f"There is no picture {image_id}; it may have been removed.")
    return collection, image


def check_key(image: Image) -> None:
    """Return if a picture's key is its file's name.

    Of a name that cannot be a key the catalogue has what can be shown of it, which may be another file's key.

    Raises:
        Problem: It is not.
    """
    if image_id_of(current().settings.bucket.id, image.key.encode("utf-8", "surrogateescape")) != image.id:
        raise Problem("not-shown", f"The file cannot be reached by its name: {image.reason or 'rename it'}.")


def read_file(image: Image) -> bytes:
    """Return a picture's file.

    Raises:
        BucketError: It is not there, or cannot be read.
        Problem: It is over the limit.
    """
    check_key(image)
    limit = current().settings.pictures.max_bytes
    data, _ = current().clients.bucket.read(image.key, limit)
    if len(data) > limit:
        raise Problem("not-shown", f"The file is larger than {limit:,} bytes (IMAGE_MAX_BYTES).")
    return data


def _make(image: Image, render: Callable[[PillowImage], bytes], side: int) -> tuple[str, bytes]:
    """Return the SHA-256 of a picture's file as it is now, and the rendered picture."""
    limits = current().settings.pictures
    try:
        # Read within the turn too: files that wait for one would fill the memory.
        with _decoder():
            data = read_file(image)
            opened = open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=side)
            return hashlib.sha256(data).hexdigest(), render(opened.image)
    except PictureError as error:
        raise Problem("not-shown", f"This file cannot be shown: {error.reason}.") from error


def _stored(sha256: str) -> bytes | None:
    try:
        return current().clients.thumbnails.get(sha256)
    except BucketUnavailable as error:
        log.warning("the store of thumbnails does not answer", error=str(error))
        return None


def _store(sha256: str, webp: bytes) -> None:
    try:
        current().clients.thumbnails.put(sha256, webp)
    except BucketUnavailable as error:
        log.warning("a thumbnail could not be kept", error=str(error))


@contextmanager
def _decoder() -> Iterator[None]:
    """Wait for a turn to decode.

    Raises:
        Problem: 429 where it does not come.
    """
    decoders = current().decode_slots
    if not decoders.acquire(timeout=DECODE_WAIT_SECONDS):
        raise Problem("overloaded", "Many pictures are being prepared; try again soon.", headers=retry_after(5))
    try:
        yield
    finally:
        decoders.release()


def _has(tag: str) -> bool:
    return request.if_none_match.contains(tag)


def _picture(data: bytes, kind: str, tag: str, image: Image | None, version: dict[str, str]) -> Response:
    """Return a picture, or 304 where the client has it.

    Args:
        data: Not looked at where the client has it.
        kind: Its media type.
        tag: Its ETag, another for other bytes.
        image: The picture whose very version this is; None where the bucket is ahead of the catalogue.
        version: Of the address: the answer may be kept for ever where it names this version.
    """
    response = Response(status=304) if _has(tag) else Response(data, content_type=kind)
    response.set_etag(tag)
    named = version.get("v")
    response.headers["Cache-Control"] = (
        FOR_EVER if named is not None and image is not None and named == version_of(image) else ASK_AGAIN
    )
    response.headers.extend(PICTURE_HEADERS)
    return response
