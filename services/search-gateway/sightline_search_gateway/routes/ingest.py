"""How far the collection is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from apiflask import APIBlueprint
from flask import Response
from sightline_catalogue import Filter

from sightline_search_gateway import schemas
from sightline_search_gateway.clients.watcher import QueueUnavailable
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import NOT_MODIFIED, problem_answers
from sightline_search_gateway.http.problems import Problem, retry_after
from sightline_search_gateway.http.responses import conditional, json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.routes.images import page_of
from sightline_search_gateway.security import check_same_origin

blueprint = APIBlueprint("ingest", __name__, tag="Ingest", url_prefix=f"{PREFIX}/ingest")
log = structlog.get_logger()


@blueprint.get("")
@blueprint.output(schemas.Ingest, description="Counts, and what the watcher does.")
@blueprint.doc(operation_id="getIngest", responses=NOT_MODIFIED | problem_answers(503))
def get_ingest() -> Response:
    """Get how many pictures are pending, indexed and failed.

    To be asked once a second while something is under way. With an answer's ETag as If-None-Match, what has not changed
    since is not sent again.
    """
    return conditional(json_response(current().ingest.current()))


@blueprint.get("/failures")
@blueprint.input(schemas.Page, location="query", arg_name="query")
@blueprint.output(schemas.Failures, description="A page of failures.")
@blueprint.doc(operation_id="getFailures", responses=problem_answers(422, 503))
def get_failures(query: dict[str, Any]) -> Response:
    """List the pictures that could not be indexed, and why."""
    images, cursor = page_of(Filter(states=("failed",)), query)
    failures = [
        {
            "id": image.id,
            "key": image.key,
            "reason": image.reason,
            "attempts": image.attempts,
            "next_try_at": image.next_try_at,
        }
        for image in images
    ]
    return json_response({"failures": failures, "cursor": cursor})


@blueprint.post("/rescan")
@blueprint.input(schemas.Rescan, location="json", arg_name="wanted")
@blueprint.output(schemas.Queued, 202, description="The watcher will look.")
@blueprint.doc(operation_id="rescan", responses=problem_answers(403, 422, 503))
def rescan(wanted: dict[str, Any]) -> Response:
    """Ask for failed pictures to be tried again now, or for the bucket to be listed now instead of within a minute."""
    check_same_origin()
    if "ids" in wanted:
        return json_response({"queued": True, "retried": _retry([str(one) for one in wanted["ids"]])}, 202)
    try:
        current().clients.watcher.request_scan()
    except QueueUnavailable as error:
        raise Problem("queue-unavailable", "Redis does not answer; try again soon.", headers=retry_after(5)) from error
    return json_response({"queued": True, "retried": 0}, 202)


def _retry(ids: list[str]) -> int:
    """Have failed pictures tried again; return how many."""
    collection = current().catalogue.current()
    failed = [image for image in collection.get(ids) if image is not None and image.state == "failed"]
    if failed:
        collection.set_state([image.id for image in failed], "pending", next_try_at=datetime.now(UTC))
        try:
            current().clients.watcher.request_scan([image.key for image in failed])
        except QueueUnavailable:
            # What is pending and due the watcher queues at its next look anyway.
            log.warning("no hint to the watcher: redis does not answer")
    return len(failed)
