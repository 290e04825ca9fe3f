"""What those who run Sightline ask."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response
from sightline.encoder.client import EncoderError
from sightline_catalogue import CatalogueError, NoCollection

from sightline_search_gateway import schemas
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers, text_answer
from sightline_search_gateway.http.problems import Problem, retry_after
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.ingest.status import count_states

blueprint = APIBlueprint("system", __name__, tag="Operations")
PROBE_SECONDS = 1.0


@blueprint.get(f"{PREFIX}/models")
@blueprint.output(schemas.Models, description="Models and the collection.")
@blueprint.doc(operation_id="getModels", responses=problem_answers(503))
def get_models() -> Response:
    """List the models that encoders serve, and the one that the collection was made with."""
    collection = current().catalogue.current_if_any()
    models: list[dict[str, Any]] = []
    try:
        served = current().clients.encoder.models(timeout_seconds=PROBE_SECONDS)
    except EncoderError:
        served = []
    for model in served:
        models.append(
            {
                "id": model.id,
                "fingerprint": model.fingerprint,
                "dimensions": model.dimensions,
                "context_length": model.context_length,
                "runtime": model.runtime,
                "device": model.device,
                "serving": True,
            }
        )
    if collection is None:
        return json_response({"models": models, "collection": None})
    wanted = collection.model
    if all(model["fingerprint"] != wanted.fingerprint for model in models):
        absent = {"context_length": None, "runtime": None, "device": None, "serving": False}
        models.append({"id": wanted.id, "fingerprint": wanted.fingerprint, "dimensions": wanted.dimensions, **absent})
    shown = {"name": collection.name, "model_id": wanted.id, "fingerprint": wanted.fingerprint}
    return json_response({"models": models, "collection": shown})


@blueprint.get(f"{PREFIX}/stats")
@blueprint.output(schemas.Stats, description="Counts.")
@blueprint.doc(operation_id="getStats", responses=problem_answers(503))
def get_stats() -> Response:
    """Count what the collection holds."""
    collection = current().catalogue.current_if_any()
    found = asdict(count_states(current().catalogue))
    labels = collection.labels() if collection is not None else {}
    ordered = sorted(labels.items(), key=lambda item: (-item[1], item[0]))
    return json_response(
        {
            "images": {**found, "total": sum(found.values())},
            "labels": [{"label": label, "count": count} for label, count in ordered],
        }
    )


@blueprint.get("/healthz")
@blueprint.output(schemas.Alive, description="The process answers.")
@blueprint.doc(operation_id="getHealth")
def get_health() -> Response:
    """Say that the process answers."""
    return json_response({"status": "ok"})


@blueprint.get("/readyz")
@blueprint.output(schemas.Ready, description="Searches will be answered.")
@blueprint.doc(operation_id="getReadiness", responses=problem_answers(503))
def get_readiness() -> Response:
    """Say whether searches will be answered: the catalogue, and an encoder for its collection."""
    try:
        collection = current().clients.catalogue_probe.current()
    except NoCollection as error:
        raise _not_ready("nothing has been indexed yet: there is no collection") from error
    except CatalogueError as error:
        raise _not_ready(f"the catalogue does not answer: {error}") from error
    try:
        served = current().clients.encoder.models(timeout_seconds=PROBE_SECONDS)
    except EncoderError as error:
        raise _not_ready(f"the encoder does not answer: {error.message}") from error
    if all(model.fingerprint != collection.model.fingerprint for model in served):
        raise _not_ready(f"no encoder serves {collection.model.id} ({collection.model.fingerprint[:12]})")
    return json_response({"ready": True, "collection": collection.name})


@blueprint.get("/metrics")
@blueprint.doc(
    operation_id="getMetrics",
    responses=text_answer("Prometheus' text format."),
)
def get_metrics() -> Response:
    """Get the gateway's metrics."""
    return current().telemetry.exposition()


def _not_ready(reason: str) -> Problem:
    return Problem("not-ready", reason, headers=retry_after(2), ready=False)
