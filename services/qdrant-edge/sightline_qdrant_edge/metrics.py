"""The service's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

CALLS = Counter("sightline_edge_calls_total", "gRPC calls by method and status code", ["method", "code"])
CALL_SECONDS = Histogram(
    "sightline_edge_call_seconds",
    "Seconds a call took inside the server",
    ["method"],
    buckets=(0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 4.096),
)
BUILDS = Counter("sightline_edge_index_builds_total", "Index builds by outcome", ["outcome"])
for _outcome in ("built", "failed"):
    BUILDS.labels(_outcome)
BUILD_SECONDS = Histogram(
    "sightline_edge_index_build_seconds",
    "Seconds from the copy of a shard to its swap",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
)
