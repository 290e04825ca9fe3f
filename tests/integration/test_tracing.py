"""One request through all services: its id in their logs, and one trace of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from drawn import draw
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from sightline_local.readiness import ingest_state
from waiting import wait_for


class Collector(ThreadingHTTPServer):
    """Takes traces by OTLP over HTTP.

    Attributes:
        services: The services that have spans in a trace, by the trace's id.
        spans: The names of its spans, by the trace's id.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.services: defaultdict[str, set[str]] = defaultdict(set)
        self.spans: defaultdict[str, set[str]] = defaultdict(set)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [one.value.string_value for one in resource.resource.attributes if one.key == "service.name"]
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.services[span.trace_id.hex()].add(service)
                    self.spans[span.trace_id.hex()].add(span.name)

    def traces_of(self, call: str, *services: str) -> list[str]:
        """Return the traces of a call of the gateway that have spans of all of some services."""
        named = [trace for trace, names in list(self.spans.items()) if call in names]
        return [trace for trace in named if self.services[trace] >= set(services)]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        if self.headers.get("Content-Encoding") != "gzip":
            self.server.take(body)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def running(start, tmp_path_factory, collector):
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    bucket.mkdir()
    (bucket / "first.png").write_bytes(draw(1, format="PNG"))
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    system = start(bucket, writable=True, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_BSP_SCHEDULE_DELAY="200")
    wait_for(lambda: (s := ingest_state(system.stack)) and s.finished and s.indexed == 1, "the picture is indexed")
    return system


def lines_of(running, service, request_id):
    """Return what a service logged for a request."""
    text = (running.stack.logs / f"{service}.log").read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("request_id") == request_id]


def test_a_search_is_one_request_in_gateway_and_encoder(running, collector):
    answer = running.http.get("/api/v1/search?q=a+steam+engine", headers={"X-Request-ID": "search-1"})
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"] == "search-1"

    def calls() -> list[tuple[str | None, str | None]]:
        lines = lines_of(running, "encoder", "search-1")
        return [(line.get("method"), line.get("code")) for line in lines if line["event"] == "call"]

    wait_for(lambda: ("EncodeText", "OK") in calls())
    wait_for(lambda: lines_of(running, "search-gateway", "search-1"))
    wait_for(lambda: collector.traces_of("GET /api/v1/search", "search-gateway", "encoder"))


def test_an_id_that_the_gateway_made_goes_on_too(running):
    made = running.http.get("/api/v1/search?q=a+query+of+its+own").headers["X-Request-ID"]
    wait_for(lambda: lines_of(running, "encoder", made) and lines_of(running, "search-gateway", made))


def test_an_upload_is_one_request_down_to_the_worker(running, collector):
    files = {"files": ("second.png", draw(2, format="PNG"), "image/png")}
    answer = running.http.post("/api/v1/images", files=files, headers={"X-Request-ID": "upload-1"})
    assert answer.status_code == 201
    wait_for(lambda: "indexed" in {line["event"] for line in lines_of(running, "ingest-worker", "upload-1")})
    wait_for(lambda: "EncodeImage" in {line.get("method") for line in lines_of(running, "encoder", "upload-1")})
    wait_for(
        lambda: collector.traces_of("POST /api/v1/images", "search-gateway", "watcher", "ingest-worker", "encoder")
    )
