"""One log line a request, and metrics that are right with several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping
from secrets import token_hex

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sightline_service.process_metrics import ProcessTreeCollector
from sightline_service.request_ids import bind_request_id, is_request_id

from sightline_search_gateway.ingest.disks import DISKS

# Probes and scrapes would drown the rest.
QUIET = {"/healthz", "/readyz", "/metrics"}
SERVICES = ("encoder", "ingest-worker", "map-worker", "qdrant-edge", "search-gateway", "watcher")
SECONDS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
log = structlog.get_logger()


class Telemetry:
    """The gateway's metrics. With PROMETHEUS_MULTIPROC_DIR set they are those of all its processes together."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._requests = Histogram(
            "sightline_gateway_request_seconds",
            "From a request's arrival to its answer.",
            ["method", "route", "status"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._steps = Histogram(
            "sightline_gateway_step_seconds",
            "Steps of a search: encode, search (the vector database's call), named (by name), cluster, rest.",
            ["step"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self._cache = Counter(
            "sightline_gateway_query_cache_total",
            "Texts looked up in the cache of query vectors.",
            ["result"],
            registry=self.registry,
        )
        self._uploads = Counter(
            "sightline_gateway_uploads_total", "Uploaded files.", ["result"], registry=self.registry
        )
        self._thumbnails = Counter(
            "sightline_gateway_thumbnails_total",
            "Thumbnails sent, by where they came from.",
            ["source"],
            registry=self.registry,
        )
        self._restarts = Gauge(
            "sightline_service_restarts",
            "How often a service that keeps restarting was restarted in six minutes; 0 for the others.",
            ["service"],
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

        self._full_disks = Gauge(
            "sightline_disk_full",
            "1 while what is written to a disk waits for room: that of the database, thumbnails, or queue (Redis).",
            ["disk"],
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )

    def full_disks(self, names: Collection[str]) -> None:
        """Set which disks are full."""
        for name in DISKS:
            self._full_disks.labels(name).set(name in names)

    def restarts(self, counts: Mapping[str, int]) -> None:
        """Set how often services that keep restarting were restarted."""
        for service in SERVICES:
            self._restarts.labels(service).set(counts.get(service, 0))

    def step(self, step: str, seconds: float) -> None:
        """Note how long a step of a search took."""
        self._steps.labels(step).observe(seconds)

    def query_cache(self, hit: bool) -> None:
        """Note whether a query's vector was known."""
        self._cache.labels("hit" if hit else "miss").inc()

    def upload(self, result: str, count: int) -> None:
        """Note files that were `accepted` or `refused`."""
        if count:
            self._uploads.labels(result).inc(count)

    def thumbnail(self, source: str) -> None:
        """Note a thumbnail from the `store`, or `made`."""
        self._thumbnails.labels(source).inc()

    def exposition(self) -> Response:
        """Return the metrics in Prometheus' text format."""
        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            # All processes that serve are children of the one that was started.
            registry.register(ProcessTreeCollector(os.getppid()))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def attach(self, app: Flask) -> None:
        """Time, count, log and mark every request of an app."""

        def begin() -> None:
            sent = request.headers.get("X-Request-ID", "")
            g.request_id = sent if is_request_id(sent) else token_hex(8)
            g.began = time.perf_counter()
            structlog.contextvars.clear_contextvars()
            bind_request_id(g.request_id)

        def end(response: Response) -> Response:
            # Not set where the request could not even be taken apart.
            seconds = time.perf_counter() - g.get("began", time.perf_counter())
            response.headers["X-Request-ID"] = g.get("request_id", "-")
            # The rule, not the path: a label has few values. Methods are the client's to invent.
            route = request.url_rule.rule if request.url_rule else "none"
            method = request.method if request.method in KNOWN_METHODS else "other"
            self._requests.labels(method, route, response.status_code).observe(seconds)
            write = log.debug if request.path in QUIET else log.info
            write(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round(seconds * 1000, 2),
                bytes=response.content_length,
                client=request.remote_addr,
                **g.get("log_fields", {}),
            )
            return response

        app.before_request(begin)
        app.after_request(end)


KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
