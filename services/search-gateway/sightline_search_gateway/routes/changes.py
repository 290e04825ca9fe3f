"""Adding pictures to the bucket and removing them."""

from __future__ import annotations

from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response
from sightline_bucket import Bucket, KeyRefused, ObjectExists, ObjectMissing
from sightline_catalogue import image_id as id_of
from sightline_pictures import PictureError, open_picture
from werkzeug.datastructures import FileStorage

from sightline_search_gateway import schemas
from sightline_search_gateway.clients.watcher import QueueUnavailable
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.problems import Problem
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.ingest.upload_names import numbered, safe_folder, safe_name
from sightline_search_gateway.routes.images import check_key, find_in_collection
from sightline_search_gateway.security import check_change

blueprint = APIBlueprint("changes", __name__, tag="Images", url_prefix=f"{PREFIX}/images")
# Before the body is read: a refused upload is refused at its first byte.
blueprint.before_request(check_change)
KEYS: list[str | dict[str, list[Any]]] = [{}, {"ApiKey": []}, {"Bearer": []}]
CHECK_SIDE = 64
MOST_NUMBERS = 1000
SHOWN = 5
log = structlog.get_logger()


@blueprint.post("")
@blueprint.input(schemas.Upload, location="form_and_files", arg_name="upload")
@blueprint.output(schemas.Uploaded, 201, description="At least one picture was added.")
@blueprint.doc(operation_id="uploadImages", security=KEYS, responses=problem_answers(401, 403, 408, 413, 415, 422, 503))
def upload_images(upload: dict[str, Any]) -> Response:
    """Add pictures to the bucket.

    Each is checked to be a picture first. One whose name is taken gets a number. They are found by searches once they
    are indexed, seconds later. Only where BUCKET_WRITABLE is true.
    """
    files: list[FileStorage] = upload["files"]
    most = current().settings.gateway.upload_max_files
    if len(files) > most:
        raise Problem("too-large", f"{len(files)} files; at most {most} at once (GATEWAY_UPLOAD_MAX_FILES).")
    folder = safe_folder(upload.get("folder", ""))
    accepted, refused = [], []
    for file in files:
        sent = (file.filename or "picture")[:255]
        try:
            key = _add(file, sent, folder)
        except PictureError as error:
            refused.append({"name": sent, "reason": error.reason})
        except KeyRefused as error:
            refused.append({"name": sent, "reason": str(error)})
        else:
            accepted.append({"name": sent, "key": key, "id": id_of(current().settings.bucket.id, key.encode())})
    telemetry = current().telemetry
    telemetry.upload("accepted", len(accepted))
    telemetry.upload("refused", len(refused))
    if not accepted:
        reasons = "; ".join(f"{one['name']}: {one['reason']}" for one in refused[:SHOWN])
        raise Problem("not-a-picture", reasons or "No file was sent.", refused=refused)
    _hint([str(one["key"]) for one in accepted])
    return json_response({"accepted": accepted, "refused": refused}, 201)


@blueprint.delete("/<uuid:image_id>")
@blueprint.output({}, 204, description="It is gone from the bucket and from searches.")
@blueprint.doc(operation_id="deleteImage", security=KEYS, responses=problem_answers(401, 403, 404, 503))
def delete_image(image_id: str) -> Response:
    """Remove a picture from the bucket.

    The file is deleted; nothing keeps a copy. Only where BUCKET_WRITABLE is true.
    """
    collection, image = find_in_collection(image_id)
    check_key(image)
    try:
        current().clients.bucket.delete(image.key)
    except ObjectMissing:
        log.info("already gone from the bucket", key=image.key)
    except KeyRefused as error:
        raise Problem("invalid-request", f"This file cannot be removed here: {error}.") from error
    collection.delete([image.id])
    # A copy of the same bytes shares the thumbnail.
    if image.sha256:
        current().clients.thumbnails.release([image.sha256], collection.by_sha256)
    _hint([image.key])
    return Response(status=204)


def _add(file: FileStorage, sent: str, folder: str) -> str:
    """Check a file and write it; return its key.

    Raises:
        PictureError: It is no picture within limits.
    """
    limits = current().settings.pictures
    with current().decode_slots:
        data = file.stream.read(limits.max_bytes + 1)
        picture = open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=CHECK_SIDE)
    name = safe_name(sent, picture.format)
    return _write(current().clients.bucket, f"{folder}/{name}" if folder else name, data)


def _write(bucket: Bucket, key: str, data: bytes) -> str:
    for number in range(MOST_NUMBERS):
        candidate = numbered(key, number)
        try:
            bucket.write(candidate, data)
        except ObjectExists:
            continue
        return candidate
    raise PictureError(f"{MOST_NUMBERS} files of this name are there already")


def _hint(keys: list[str]) -> None:
    try:
        current().clients.watcher.request_scan(keys)
    except QueueUnavailable:
        # The watcher sees the change by itself, at its next scan at the latest.
        log.warning("no hint to the watcher: redis does not answer")
