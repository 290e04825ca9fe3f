"""The encoder's metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sightline_encoder.batcher import Observer
from sightline_encoder.pipeline import QueueKey

LABELS = ["model", "kind", "priority"]
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class EncoderMetrics(Observer[QueueKey]):
    """The service's metrics in a registry; it observes the batcher.

    Attributes:
        items: Items answered, by kind (`text`, `image`), model and outcome (`ok`, `invalid`, `failed`). Only `ok` and
            `failed` cost a forward pass.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.items = Counter(
            "sightline_encoder_items_total",
            "Items answered. outcome: ok, invalid (the item is at fault), failed (the encoder is).",
            ["kind", "model", "outcome"],
            registry=registry,
        )
        self._refused = Counter(
            "sightline_encoder_refused_total",
            "Items refused because a queue was full.",
            LABELS,
            registry=registry,
        )
        self._depth = Gauge(
            "sightline_encoder_queue_depth",
            "Items admitted whose batch has not begun.",
            LABELS,
            registry=registry,
        )
        self._batch = Histogram(
            "sightline_encoder_batch_size",
            "Items of one forward pass.",
            LABELS,
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=registry,
        )
        self._queue_seconds = Histogram(
            "sightline_encoder_queue_seconds",
            "How long an item waits in its queue, from decoded to the start of its forward pass.",
            LABELS,
            buckets=SECONDS,
            registry=registry,
        )
        self._forward_seconds = Histogram(
            "sightline_encoder_forward_seconds",
            "How long a forward pass takes.",
            LABELS,
            buckets=SECONDS,
            registry=registry,
        )
        self.calls = Counter(
            "sightline_encoder_calls_total", "Calls answered, by method and gRPC code.", ["method", "code"],
            registry=registry,
        )  # fmt: skip
        self.ready = Gauge("sightline_encoder_ready", "1 while the service is SERVING.", registry=registry)
        self.model = Gauge(
            "sightline_encoder_model_info", "1 for each model served.", ["model", "fingerprint", "runtime", "device"],
            registry=registry,
        )  # fmt: skip

    def add_model(self, model: str, fingerprint: str, runtime: str, device: str) -> None:
        """Export a model's info, and its counters from 0 on, so that Prometheus sees their first increase."""
        self.model.labels(model, fingerprint, runtime, device).set(1)
        for kind in ("text", "image"):
            for outcome in ("ok", "invalid", "failed"):
                self.items.labels(kind, model, outcome)
            for priority in ("interactive", "bulk"):
                self._refused.labels(model, kind, priority)
                self._depth.labels(model, kind, priority)

    def depth(self, queue: QueueKey, items: int) -> None:
        """Set the gauge of admitted items whose batch has not begun."""
        self._depth.labels(queue.model, queue.kind, queue.priority_name).set(items)

    def refused(self, queue: QueueKey, items: int) -> None:
        """Count refused items."""
        self._refused.labels(queue.model, queue.kind, queue.priority_name).inc(items)

    def batch(self, queue: QueueKey, queue_seconds: list[float], forward_seconds: float) -> None:
        """Observe a batch's size and times."""
        labels = (queue.model, queue.kind, queue.priority_name)
        self._batch.labels(*labels).observe(len(queue_seconds))
        self._forward_seconds.labels(*labels).observe(forward_seconds)
        waits = self._queue_seconds.labels(*labels)
        for seconds in queue_seconds:
            waits.observe(seconds)
