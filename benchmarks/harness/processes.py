"""Single processes of a benchmark's own: a vector database, an encoder, any server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from sightline.encoder.client import EncoderClient, EncoderError
from sightline_local.stack import free_port

from benchmarks.harness.pictures import MODELS

START_SECONDS = 240.0
STOP_SECONDS = 120.0

Samples = Mapping[tuple[str, str, str], float]
"""A metric's value by name, kind (`text`, `image`) and priority."""


class NotServing(Exception):
    """A server did not come up; the message says what its log says."""


@contextmanager
def process(command: list[str], environment: Mapping[str, str], ready: Callable[[], bool]) -> Iterator[psutil.Process]:
    """Run a command until the block ends, and begin the block once it is ready."""
    here = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    with tempfile.TemporaryFile() as log:
        running = psutil.Popen(command, env={**here, **environment}, stdout=log, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not ready():
                if running.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise NotServing(f"{command[0]} does not serve; its log ends: {log.read()[-400:].decode()}")
                time.sleep(0.1)
            yield running
        finally:
            running.terminate()
            try:
                running.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                running.kill()
                running.wait()


def answers(url: str) -> bool:
    """Return whether a server answers OK at an address."""
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@dataclass(frozen=True)
class Server:
    """A process that serves.

    Attributes:
        address: HOST:PORT.
        metrics_port: Of `/metrics`, on 127.0.0.1.
    """

    address: str
    metrics_port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def samples(self) -> Samples:
        """Return its metrics that have a kind and a priority, summed over models."""
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").raise_for_status().text
        found: dict[tuple[str, str, str], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = sample.labels
                if "le" not in labels and "kind" in labels and "priority" in labels:
                    key = (sample.name, labels["kind"], labels["priority"])
                    found[key] = found.get(key, 0.0) + sample.value
        return found


def mean_batch(before: Samples, after: Samples, kind: str, priority: str) -> float:
    """Return the mean size of the batches that were run between two looks at the metrics; NaN if none was."""

    def grown(suffix: str) -> float:
        key = (f"sightline_encoder_batch_size_{suffix}", kind, priority)
        return after.get(key, 0.0) - before.get(key, 0.0)

    return grown("sum") / grown("count") if grown("count") else float("nan")


@contextmanager
def encoder(model_id: str, **settings: object) -> Iterator[Server]:
    """Run Sightline's encoder with one model until the block ends.

    Args:
        model_id: As in ENCODER_MODELS.
        settings: By the end of their names, in lower case: `max_batch_size=1`.
    """
    port, metrics_port = free_port(), free_port()
    chosen = {"models": model_id, "cache_dir": MODELS, "port": port, "metrics_port": metrics_port} | settings
    environment = {"LOG_LEVEL": "warning", **{f"ENCODER_{name.upper()}": str(value) for name, value in chosen.items()}}
    with EncoderClient(f"127.0.0.1:{port}", timeout_seconds=1.0) as client:

        def ready() -> bool:
            try:
                return bool(client.encode_texts(["ready"]).results)
            except EncoderError:
                return False

        with process([str(Path(sys.executable).parent / "sightline-encoder")], environment, ready) as running:
            yield Server(f"127.0.0.1:{port}", metrics_port, running)
