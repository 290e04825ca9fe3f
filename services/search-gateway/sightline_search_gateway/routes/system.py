"""Models, counts, health and metrics."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import Answers, problem_answers
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.operations import Alive, Models, Ready, Stats

blueprint = APIBlueprint("system", __name__, tag="Operations")
METRICS: Answers = {
    200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
}


@blueprint.get(f"{PREFIX}/models")
@blueprint.output(schema_of(Models), description="Models and the collection.")
@blueprint.doc(operation_id="getModels", responses=problem_answers(503))
def get_models() -> Response:
    """List the models that encoders serve, and the one that the collection was made with."""
    return json_response(current().operations.models())


@blueprint.get(f"{PREFIX}/stats")
@blueprint.output(schema_of(Stats), description="Counts.")
@blueprint.doc(operation_id="getStats", responses=problem_answers(503))
def get_stats() -> Response:
    """Count what the collection holds."""
    return json_response(current().operations.stats())


@blueprint.get("/healthz")
@blueprint.output(schema_of(Alive), description="The process answers.")
@blueprint.doc(operation_id="getHealth")
def get_health() -> Response:
    """Say that the process answers."""
    return json_response(Alive())


@blueprint.get("/readyz")
@blueprint.output(schema_of(Ready), description="Searches will be answered.")
@blueprint.doc(operation_id="getReadiness", responses=problem_answers(503))
def get_readiness() -> Response:
    """Say whether searches will be answered: the catalogue, and an encoder for its collection."""
    return json_response(current().operations.readiness())


@blueprint.get("/metrics")
@blueprint.doc(
    operation_id="getMetrics",
    responses=METRICS,
)
def get_metrics() -> Response:
    """Get the gateway's metrics."""
    container = current()
    container.telemetry.restarts(container.operations.restarts())
    container.telemetry.full_disks(container.operations.full_disks.by_name())
    return container.telemetry.exposition()
