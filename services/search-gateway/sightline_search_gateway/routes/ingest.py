"""How far the collection is."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from sightline_catalogue import Filter, NoCollection

from sightline_search_gateway import schemas
from sightline_search_gateway.answers import json_response
from sightline_search_gateway.board import QueueUnavailable
from sightline_search_gateway.documentation import problem_answers
from sightline_search_gateway.guard import check_same_origin
from sightline_search_gateway.parts import parts
from sightline_search_gateway.problems import Problem, retry_after
from sightline_search_gateway.routes.images import page_of
from sightline_search_gateway.shapes import PREFIX

blueprint = APIBlueprint("ingest", __name__, tag="Ingest", url_prefix=f"{PREFIX}/ingest")


def counts() -> dict[str, int]:
    """Return how many pictures are in each state."""
    try:
        found = parts().catalogue.current().counts()
    except NoCollection:
        return {"pending": 0, "indexed": 0, "failed": 0}
    return {"pending": found.pending, "indexed": found.indexed, "failed": found.failed}


@blueprint.get("")
@blueprint.output(schemas.Ingest, description="Counts, and what the watcher does.")
@blueprint.doc(operation_id="getIngest", responses=problem_answers(503))
def get_ingest() -> Response:
    """Get how many pictures are pending, indexed and failed."""
    watcher = parts().services.board.state()
    return json_response(
        {
            **counts(),
            "ignored": watcher.ignored,
            "queued": watcher.queued,
            "scanning": watcher.scanning,
            "last_scan_at": watcher.last_scan_at,
            "writable": parts().settings.bucket.writable,
        }
    )


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
@blueprint.output(schemas.Queued, 202, description="The watcher will list the bucket.")
@blueprint.doc(operation_id="rescan", responses=problem_answers(403, 503))
def rescan() -> Response:
    """Ask for the bucket to be listed now instead of within a minute."""
    check_same_origin()
    try:
        parts().services.board.hint()
    except QueueUnavailable as error:
        raise Problem("queue-unavailable", "Redis does not answer; try again soon.", headers=retry_after(5)) from error
    return json_response({"queued": True}, 202)
