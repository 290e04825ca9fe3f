"""Readiness: waits until the services answer; reads the state of ingestion."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from sightline_local.stack import Stack
from sightline_local.supervisor import Supervisor

REFUSES = re.compile(r"wrong setting: |sightline-[a-z-]+: ")


class NotReady(Exception):
    """The services did not become ready; the message holds the reason, and the end of the logs."""


@dataclass(frozen=True)
class IngestState:
    """The answer of `GET /api/v1/ingest`."""

    pending: int
    indexed: int
    failed: int
    ignored: int
    scanning: bool
    scanned: bool

    @property
    def finished(self) -> bool:
        """Whether the bucket has been scanned and nothing is pending."""
        return self.scanned and not self.scanning and self.pending == 0

    @property
    def known(self) -> int:
        """The number of pictures found in the bucket so far."""
        return self.pending + self.indexed + self.failed


def ingest_state(stack: Stack) -> IngestState | None:
    """Return the state of ingestion, or None while the gateway or the catalogue does not answer."""
    try:
        answer = httpx.get(f"{stack.url}/api/v1/ingest", timeout=5)
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    body = answer.json()
    return IngestState(
        pending=body["pending"],
        indexed=body["indexed"],
        failed=body["failed"],
        ignored=body["ignored"],
        scanning=body["scanning"],
        scanned=body["last_scan_at"] is not None,
    )


def images_encoded(stack: Stack) -> int:
    """Return how many images the encoder has encoded since it started.

    Raises:
        httpx.HTTPError: The encoder does not answer.
    """
    with httpx.Client(transport=httpx.HTTPTransport(uds=stack.encoder_metrics), timeout=5) as client:
        answer = client.get("http://encoder/metrics").raise_for_status()
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "sightline_encoder_items_total"
        and sample.labels.get("kind") == "image"
        and sample.labels.get("outcome") == "ok"
    )


def is_ready(stack: Stack) -> bool:
    """Return whether a search would be answered now."""
    try:
        return httpx.get(f"{stack.url}/readyz", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def wait_until_ready(stack: Stack, supervisor: Supervisor, *, timeout_seconds: float = 300.0) -> None:
    """Wait until a search would be answered.

    Raises:
        NotReady: It took too long, a service does not start with its settings, or the supervisor ended.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_ready(stack):
        if not supervisor.is_running():
            raise NotReady("the supervisor ended:\n" + "\n".join(supervisor.last_lines("supervisor")))
        if refusal := _refusal(stack, supervisor):
            raise NotReady(refusal)
        if time.monotonic() > deadline:
            raise NotReady(_not_ready_message(stack, supervisor, timeout_seconds))
        time.sleep(0.2)


def _refusal(stack: Stack, supervisor: Supervisor) -> str | None:
    """Return the line with which a service ends that cannot start, and would not if it were started again."""
    for service in stack.services():
        lines = supervisor.last_lines(service.name, 1)
        if lines and REFUSES.match(lines[0]):
            return lines[0]
    return None


def _not_ready_message(stack: Stack, supervisor: Supervisor, timeout_seconds: float) -> str:
    try:
        reason = httpx.get(f"{stack.url}/readyz", timeout=5).text.strip()
    except httpx.HTTPError as error:
        reason = f"the gateway does not answer ({error})"
    lines = [f"not ready after {timeout_seconds:.0f} s: {reason}", f"The logs are in {stack.logs}; their last lines:"]
    for service in stack.services():
        lines += [f"--- {service.name}", *supervisor.last_lines(service.name, 4)]
    return "\n".join(lines)
