"""Pictures: their data, and their bytes in three sizes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from apiflask import APIBlueprint
from flask import Response
from sightline_catalogue import Image

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.media_types import MIME_TYPES
from sightline_search_gateway.http.openapi import picture_answer, problem_answers, ranged
from sightline_search_gateway.http.responses import file_response, has_etag, json_response, picture_response
from sightline_search_gateway.http.serializers import PREFIX, is_version, serialize_details, serialize_page
from sightline_search_gateway.images.service import RenderedPicture
from sightline_search_gateway.schemas.images import Browse, ImageDetails, Images, Version
from sightline_search_gateway.search.filter_parameters import filter_of

blueprint = APIBlueprint("images", __name__, tag="Images", url_prefix=f"{PREFIX}/images")
FILE = ranged(picture_answer("The file.", *MIME_TYPES))
WEBP = picture_answer("The picture as WebP.", "image/webp")


@blueprint.get("")
@blueprint.input(Browse, location="query", arg_name="query")
@blueprint.output(schema_of(Images), description="A page of pictures.")
@blueprint.doc(operation_id="browseImages", responses=problem_answers(404, 422, 503))
def browse(query: dict[str, Any]) -> Response:
    """Browse the collection, the newest first: by the clock where it was taken, else by when it was modified, in UTC.

    A file whose time is in the future comes last.
    """
    copies_of = query.get("copies_of")
    page = current().images.browse(
        filter_of(query),
        query["limit"],
        query.get("cursor"),
        distinct=query["distinct"],
        copies_of=str(copies_of) if copies_of is not None else None,
    )
    return json_response(serialize_page(page))


@blueprint.get("/<uuid:image_id>")
@blueprint.output(schema_of(ImageDetails), description="The picture's data.")
@blueprint.doc(operation_id="getImage", responses=problem_answers(404, 503))
def get_image(image_id: str) -> Response:
    """Get what is known of a picture."""
    collection, image = current().images.locate(str(image_id))
    return json_response(serialize_details(image, *collection.count_copies([image])))


@blueprint.get("/<uuid:image_id>/file")
@blueprint.input(Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImageFile",
    responses=FILE | problem_answers(404, 412, 416, 422, 503),
)
def get_file(image_id: str, version: dict[str, str]) -> Response:
    """Get the file itself, as it lies in the bucket, or a range of it."""
    image = current().images.find(str(image_id))
    with ExitStack() as opening:
        opened = opening.enter_context(current().images.open(image))
        tag = hashlib.sha256(opened.object.etag.encode()).hexdigest()[:32]
        # The catalogue may be behind the bucket: its version is only of the file that it describes.
        keep = opened.object.etag == image.etag and is_version(image, version)
        response = file_response(opened, image.key.rpartition("/")[2], tag, keep=keep)
        response.call_on_close(opening.pop_all().close)
    return response


@blueprint.get("/<uuid:image_id>/preview")
@blueprint.input(Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImagePreview",
    responses={
        **picture_answer("The picture, longest side at most 1600.", "image/webp"),
        **problem_answers(404, 422, 429, 503),
    },
)
def get_preview(image_id: str, version: dict[str, str]) -> Response:
    """Get a picture at a size for a screen, in a format that every browser shows."""
    return _webp_response(image_id, version, "p", current().images.preview)


@blueprint.get("/<uuid:image_id>/thumbnail")
@blueprint.input(Version, location="query", arg_name="version")
@blueprint.doc(
    operation_id="getImageThumbnail",
    responses=WEBP | problem_answers(404, 422, 429, 503),
)
def get_thumbnail(image_id: str, version: dict[str, str]) -> Response:
    """Get a picture at a size for a list."""
    return _webp_response(image_id, version, "t", _thumbnail)


def _thumbnail(image: Image) -> RenderedPicture:
    rendered = current().images.thumbnail(image)
    current().telemetry.thumbnail("store" if rendered.was_stored else "made")
    return rendered


def _webp_response(
    image_id: str, version: dict[str, str], size: str, render: Callable[[Image], RenderedPicture]
) -> Response:
    """Return an image at a size whose ETags begin with `size`; it is not rendered where the client has it."""
    image = current().images.find(str(image_id))
    keep = is_version(image, version)
    if image.sha256 is not None and has_etag(f"{size}{image.sha256}"):
        return picture_response(b"", "image/webp", f"{size}{image.sha256}", keep=keep)
    rendered = render(image)
    keep = keep and rendered.sha256 == image.sha256
    return picture_response(rendered.webp, "image/webp", f"{size}{rendered.sha256}", keep=keep)
