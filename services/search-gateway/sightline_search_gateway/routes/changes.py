"""Adding pictures to the bucket and removing them."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.client_connection import client_is_gone
from sightline_search_gateway.http.openapi import Answers, problem_answers
from sightline_search_gateway.http.problems import read_only_problem
from sightline_search_gateway.http.requests import sent_files
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.images.changes import Uploaded, nothing_accepted
from sightline_search_gateway.schemas.changes import Upload

blueprint = APIBlueprint("changes", __name__, tag="Images", url_prefix=f"{PREFIX}/images")

ALL_PRESENT: Answers = {
    200: {
        "description": "No picture was added: those of the files that are pictures are there already.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Uploaded"}}},
    }
}


@blueprint.before_request
def check_writable() -> None:
    """Refuse what a read-only bucket cannot take, before a form is parsed, whose files would be written to disk."""
    if not current().settings.bucket.writable:
        raise read_only_problem()


@blueprint.post("")
@blueprint.input(Upload, location="form_and_files", arg_name="upload")
@blueprint.output(schema_of(Uploaded), 201, description="At least one picture was added.")
@blueprint.doc(operation_id="uploadImages", responses=ALL_PRESENT | problem_answers(400, 403, 408, 413, 415, 422, 503))
def upload_images(upload: dict[str, Any]) -> Response:
    """Add pictures to the bucket.

    Each is checked to be a picture first. One whose bytes an indexed picture has is not added again, but listed with
    that picture's key. One whose name is taken gets a number. They are found by searches once they are indexed, seconds
    later. Only where BUCKET_WRITABLE is true.
    """
    outcome = current().changes.upload(
        sent_files(upload["files"], current().settings.gateway.upload_max_files),
        upload.get("folder", ""),
        current().upload_decoding(client_is_gone(request.environ)),
        copies=upload["copies"],
    )
    current().telemetry.upload("accepted", len(outcome.accepted))
    current().telemetry.upload("refused", len(outcome.refused))
    if not outcome.accepted and not outcome.present:
        raise nothing_accepted(outcome.refused)
    return json_response(outcome, 201 if outcome.accepted else 200)


@blueprint.delete("/<uuid:image_id>")
@blueprint.output({}, 204, description="It is gone from the bucket and from searches.")
@blueprint.doc(operation_id="deleteImage", responses=problem_answers(403, 404, 503))
def delete_image(image_id: str) -> Response:
    """Remove a picture from the bucket.

    The file is deleted; nothing keeps a copy. Only where BUCKET_WRITABLE is true.
    """
    current().changes.delete(str(image_id))
    return Response(status=204)
