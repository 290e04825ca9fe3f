"""The real services on free ports, in folders of the benchmark's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sightline_local.readiness import IngestState, NotReady, ingest_state, wait_until_ready
from sightline_local.stack import Stack, choose_ports
from sightline_local.supervisor import Supervisor

from benchmarks import collection

POLL_SECONDS = 0.5


class System:
    """A running system, and what benchmarks ask of it."""

    def __init__(self, stack: Stack, supervisor: Supervisor) -> None:
        self.stack = stack
        self._supervisor = supervisor
        self._http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=60)

    def rescan(self) -> None:
        """Have the watcher list the bucket now."""
        self._http.post("/ingest/rescan", headers={"Origin": self.stack.url}).raise_for_status()

    def wait(self, done: Callable[[IngestState], bool], timeout_seconds: float) -> IngestState:
        """Return the state of ingestion once it is as wanted.

        Raises:
            NotReady: It takes too long, or the services ended.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            state = ingest_state(self.stack)
            if state is not None and done(state):
                return state
            if time.monotonic() > deadline or not self._supervisor.is_running():
                raise NotReady(f"ingestion stands at {state}; logs are in {self.stack.logs}")
            time.sleep(POLL_SECONDS)

    def images(self) -> list[dict[str, Any]]:
        """Return every image that the catalogue holds, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = self._http.get("/images", params={"limit": 200} | ({"cursor": cursor} if cursor else {}))
            answer.raise_for_status()
            page = answer.json()
            found += page["images"]
            cursor = page["cursor"]
            if cursor is None:
                return found

    def close(self) -> None:
        """Close the client."""
        self._http.close()


@contextmanager
def system(bucket: Path, state: Path, settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """Run the services over a bucket until the block ends; converted models are those of `make demo`.

    Raises:
        NotReady: They do not come up; the message says which, and what its log says.
    """
    stack = Stack(
        bucket=bucket, state=state, models=collection.MODELS, ports=choose_ports(), settings=dict(settings or {})
    )
    stack.make_folders()
    with Supervisor(stack.services(), stack.logs) as supervisor:
        wait_until_ready(stack, supervisor)
        running = System(stack, supervisor)
        try:
            yield running
        finally:
            running.close()
