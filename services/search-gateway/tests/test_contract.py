"""The application against its own OpenAPI document, by generated requests."""

from __future__ import annotations

import json
import logging

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from sightline_catalogue import CatalogueSettings
from sightline_search_gateway.maps.request import FEWEST
from sightline_search_gateway.schemas.fields import MAX_LIMIT
from sightline_search_gateway.write_openapi import DOCUMENT
from waiting import wait_for

EXAMPLES = 15
CALLS = [
    pytest.param(path, method, mode, id=f"{method} {path} {mode.value}")
    for path, operations in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].items()
    for method, operation in operations.items()
    for mode in GenerationMode
    # What takes nothing can be given nothing wrong.
    if mode is GenerationMode.POSITIVE or operation["parameters"] or "requestBody" in operation
]
# Whether bytes are a picture, pictures are enough for a map, a query has a part at all, a file is as long as a range,
# a cursor was given before, or a rescan is of one thing: no schema says that.
BEYOND_THE_SCHEMA = {
    ("/api/v1/images", "post"),
    ("/api/v1/search", "post"),
    ("/api/v1/images", "get"),
    ("/api/v1/images/{image_id}/file", "get"),
    ("/api/v1/duplicates", "get"),
    ("/api/v1/ingest/failures", "get"),
    ("/api/v1/ingest/rescan", "post"),
    ("/api/v1/maps", "post"),
    ("/api/v1/maps/uploads", "post"),
}
# In a form all is text: what is generated as null arrives as the word, a folder's name like any other.
TEXT_ALONE = {("/api/v1/images", "post"), ("/api/v1/search", "post")}


@pytest.fixture
def world(make_world, picture, caplog, queue):
    caplog.set_level(logging.WARNING)
    made = make_world(writable=True, queue=queue)
    for color in ("red", "green"):
        made.add(f"colors/{color}.jpg", picture(color))
    made.add("bad.jpg", b"text", state="failed", reason="not an image")
    for number in range(FEWEST):
        made.add(f"numbers/{number}.jpg", b"%d" % number)
    made.maps.jobs.join("worker")
    # Before it is calibrated, it cannot be sorted by date.
    wait_for(lambda: made.client.get("/api/v1/search?q=a+cat&sort=date").status_code == 200)
    yield made
    made.maps.close()


@pytest.mark.parametrize(("path", "method", "mode"), CALLS)
def test_requests_of_all_sorts_get_documented_answers(world, path, method, mode):
    operation = schemathesis.openapi.from_wsgi("/openapi.json", world.app)[path][method]
    left_out = [positive_data_acceptance] if (path, method) in BEYOND_THE_SCHEMA else []
    left_out += [negative_data_rejection] if (path, method) in TEXT_ALONE else []
    ids = [*world.collection.images, None]
    map_id = world.client.post("/api/v1/maps", json={}).json["id"]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def check(case):
        # Else no generated id would ever be one of a picture.
        known = ids[hash(str(case.query)) % len(ids)]
        if mode is GenerationMode.POSITIVE and known and case.path_parameters:
            name, value = ("map_id", map_id) if "map_id" in case.path_parameters else ("image_id", known)
            case.path_parameters[name] = value
        # How deep a search goes is a setting, which the schema does not say.
        if mode is GenerationMode.POSITIVE and "offset" in case.query:
            case.query["offset"] %= CatalogueSettings().max_depth - MAX_LIMIT + 1
        # Nor what is wrong with a text of the search box.
        if mode is GenerationMode.POSITIVE and "q" in case.query:
            case.query["syntax"] = "plain"
        case.call_and_validate(excluded_checks=left_out)

    check()
