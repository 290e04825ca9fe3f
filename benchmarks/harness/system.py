"""The real services on free ports, in folders of the benchmark's own."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
from sightline_local.readiness import IngestState, NotReady, ingest_state, wait_until_ready
from sightline_local.stack import ROOT, Service, Stack, choose_ports
from sightline_local.supervisor import Supervisor

from benchmarks.harness import pictures

POLL_SECONDS = 0.5
INGEST_SECONDS = 3600.0
HTTP_SECONDS = 300.0


class System:
    """A running system, and what benchmarks ask of it.

    Attributes:
        http: A client of the gateway's `/api/v1`.
    """

    def __init__(self, stack: Stack, supervisor: Supervisor) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=HTTP_SECONDS)
        self._supervisor = supervisor
        self._names: dict[int, str] = {}

    def rescan(self) -> None:
        """Have the watcher list the bucket now."""
        self.http.post("/ingest/rescan", headers={"Origin": self.stack.url}).raise_for_status()

    def wait(self, done: Callable[[IngestState], bool] = lambda state: state.finished) -> IngestState:
        """Return the state of ingestion once it is as wanted."""
        deadline = time.monotonic() + INGEST_SECONDS
        while (state := ingest_state(self.stack)) is None or not done(state):
            if time.monotonic() > deadline or not self._supervisor.is_running():
                raise NotReady(f"ingestion stands at {state}; logs are in {self.stack.logs}")
            time.sleep(POLL_SECONDS)
        return state

    def images(self) -> list[dict[str, Any]]:
        """Return every image that the catalogue holds, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while not found or cursor:
            answer = self.http.get("/images", params={"limit": 200} | ({"cursor": cursor} if cursor else {}))
            page = answer.raise_for_status().json()
            found += page["images"]
            cursor = page["cursor"]
            if not page["images"]:
                break
        return found

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each service, its main one first, and of the supervisor; without those that end now.

        A service that is not up yet, or is being restarted, is left out.
        """
        found: dict[str, list[psutil.Process]] = {}
        for supervisor in psutil.Process().children():
            with suppress(psutil.Error):
                if "sightline_local.supervisor" not in supervisor.cmdline():
                    continue
                found["supervisor"] = [supervisor]
                for main in supervisor.children():
                    if name := self._name(main.pid):
                        found[name] = [main, *main.children(recursive=True)]
        return found

    def _name(self, pid: int) -> str | None:
        if pid not in self._names:
            # Asked for only when one is new: the supervisor answers while it watches.
            for service in self.stack.services():
                self._names |= dict.fromkeys(self._supervisor.pids(service.name), service.name)
        return self._names.get(pid)


@contextmanager
def system(
    bucket: Path,
    state: Path,
    *,
    settings: Mapping[str, str] | None = None,
    models: Path = pictures.MODELS,
    only: Collection[str] = (),
    instead: Mapping[str, Sequence[str]] | None = None,
    ready: Callable[[Stack], bool] | None = None,
    on_wait: Callable[[System], None] = lambda _: None,
) -> Iterator[System]:
    """Run the services over a bucket until the block ends.

    Args:
        bucket: A folder of pictures.
        state: A folder for all that they write but the models.
        settings: For all of them, over the stack's own.
        models: Where converted models are; as a rule those of `make demo`.
        only: Names of the services to run; all if empty.
        instead: By a service's name, modules of Python to run in its place.
        ready: Tells that they are up, where that is less than that a search is answered.
        on_wait: Called about five times a second while they start.
    """
    stack = Stack(bucket=bucket, state=state, models=models, ports=choose_ports(), settings=dict(settings or {}))
    stack.make_folders()
    services = [service for service in stack.services() if not only or service.name in only]
    for place, service in enumerate(services):
        if instead and service.name in instead:
            environment = service.environment | {"PYTHONPATH": os.fspath(ROOT)}
            services[place] = Service(service.name, [sys.executable, *instead[service.name]], environment)
    with Supervisor(services, stack.logs) as supervisor:
        running = System(stack, supervisor)
        with running.http:
            if ready is None:
                wait_until_ready(stack, supervisor, on_wait=lambda: on_wait(running))
            else:
                _wait_for(ready, stack)
            yield running


def _wait_for(ready: Callable[[Stack], bool], stack: Stack) -> None:
    deadline = time.monotonic() + HTTP_SECONDS
    while not ready(stack):
        if time.monotonic() > deadline:
            raise NotReady(f"the services do not come up; their logs are in {stack.logs}")
        time.sleep(0.2)


def stage(found: pictures.Collection, folder: Path) -> Path:
    """Put the pictures into a folder, as links to the same files where that is possible."""
    for key in found.keys:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(found.folder / key, target)
        except OSError:
            shutil.copy2(found.folder / key, target)
    return folder
