"""The real services on free ports, in folders of the benchmark's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
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
        self._names: dict[int, str] = {}
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

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each service, its main one first, and of the supervisor; without those that end now.

        A service that is not up yet, or is being restarted, is left out.
        """
        found: dict[str, list[psutil.Process]] = {}
        supervisor = self._supervising()
        if supervisor is None:
            return found
        found["supervisor"] = [supervisor]
        for main in _children(supervisor, recursive=False):
            if main.pid not in self._names:
                # Asked for only when one is new: the supervisor answers while it watches.
                self._names = {
                    pid: service.name
                    for service in self.stack.services()
                    for pid in self._supervisor.pids(service.name)
                }
            if name := self._names.get(main.pid):
                found[name] = [main, *_children(main, recursive=True)]
        return found

    def _supervising(self) -> psutil.Process | None:
        for child in _children(psutil.Process(), recursive=False):
            with suppress(psutil.Error):
                if "sightline_local.supervisor" in child.cmdline():
                    return child
        return None

    def close(self) -> None:
        """Close the client."""
        self._http.close()


def _children(process: psutil.Process, *, recursive: bool) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=recursive))
    except psutil.Error:
        return []


@contextmanager
def system(
    bucket: Path,
    state: Path,
    settings: Mapping[str, str] | None = None,
    *,
    models: Path = collection.MODELS,
    on_wait: Callable[[System], None] = lambda _: None,
) -> Iterator[System]:
    """Run the services over a bucket until the block ends.

    Args:
        bucket: A folder of pictures.
        state: A folder for all that they write but the models.
        settings: For all of them, over the stack's own.
        models: Where converted models are; as a rule those of `make demo`.
        on_wait: Called about five times a second while they start.

    Raises:
        NotReady: They do not come up; the message says which, and what its log says.
    """
    stack = Stack(bucket=bucket, state=state, models=models, ports=choose_ports(), settings=dict(settings or {}))
    stack.make_folders()
    with Supervisor(stack.services(), stack.logs) as supervisor:
        running = System(stack, supervisor)
        try:
            wait_until_ready(stack, supervisor, on_wait=lambda: on_wait(running))
            yield running
        finally:
            running.close()
