"""How far the collection is."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from sightline_catalogue import FAILED, Filter

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import NOT_MODIFIED, problem_answers
from sightline_search_gateway.http.responses import conditional, json_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_failures
from sightline_search_gateway.ingest.left_out import LeftOut
from sightline_search_gateway.ingest.status import Ingest
from sightline_search_gateway.schemas.ingest import Confirmed, ConfirmLoss, Failures, FailuresQuery, Queued, Rescan

blueprint = APIBlueprint("ingest", __name__, tag="Ingest", url_prefix=f"{PREFIX}/ingest")


@blueprint.get("")
@blueprint.output(schema_of(Ingest), description="Counts, and what the watcher does.")
@blueprint.doc(operation_id="getIngest", responses=NOT_MODIFIED | problem_answers(503))
def get_ingest() -> Response:
    """Get how many pictures are pending, indexed and failed.

    To be asked once a second while something is under way. With an answer's ETag as If-None-Match, what has not changed
    since is not sent again.
    """
    return conditional(json_response(current().ingest.current()))


@blueprint.get("/failures")
@blueprint.input(FailuresQuery, location="query", arg_name="query")
@blueprint.output(schema_of(Failures), description="A page of failures.")
@blueprint.doc(operation_id="getFailures", responses=problem_answers(422, 503))
def get_failures(query: dict[str, Any]) -> Response:
    """List the pictures that could not be indexed, and why."""
    page = current().images.browse(Filter(states=(FAILED,)), query["limit"], query.get("cursor"))
    return json_response(serialize_failures(page))


@blueprint.get("/left-out")
@blueprint.output(schema_of(LeftOut), description="What is left out, by kind.")
@blueprint.doc(operation_id="getLeftOut", responses=problem_answers())
def get_left_out() -> Response:
    """List what the bucket holds that is not indexed: by kind, with the reason, how many there are, and examples.

    What should be indexed and cannot be is among the failures instead.
    """
    return json_response(current().ingest.left_out())


@blueprint.post("/rescan")
@blueprint.input(Rescan, location="json", arg_name="body")
@blueprint.output(schema_of(Queued), 202, description="The watcher will look.")
@blueprint.doc(operation_id="rescan", responses=problem_answers(400, 403, 415, 422, 503))
def rescan(body: dict[str, Any]) -> Response:
    """Ask for failed pictures to be tried again now, or for keys, a folder or the bucket to be looked at now.

    The bucket is listed every minute anyway, so that nothing is missed without this call. With `verify`, files are read
    and compared whose size and times are the same.
    """
    retried = 0
    if "ids" in body:
        retried = current().retries.retry([str(one) for one in body["ids"]])
    else:
        current().retries.rescan(body.get("keys"), body.get("folder"), verify=body["verify"])
    return json_response(Queued(queued=True, retried=retried), 202)


@blueprint.post("/confirm-loss")
@blueprint.input(ConfirmLoss, location="json", arg_name="body")
@blueprint.output(schema_of(Confirmed), 202, description="The watcher will take them out of search.")
@blueprint.doc(operation_id="confirmLoss", responses=problem_answers(400, 403, 415, 422, 503))
def confirm_loss(body: dict[str, Any]) -> Response:
    """Confirm that the pictures that are missing and held are really gone.

    They leave the search. For some days (WATCHER_KEEP_DAYS) they cost nothing where their files come back.
    """
    return json_response(Confirmed(queued=True, held=current().ingest.confirm_loss(body.get("until"))), 202)
