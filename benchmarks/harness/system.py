"""What a benchmark runs: the real services on free ports in folders of its own, or single processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psutil
from sightline.encoder.client import EncoderClient, EncoderError
from sightline_local.readiness import IngestState, NotReady, ingest_state, wait_until_ready
from sightline_local.stack import ROOT, Service, Stack, choose_ports, free_port
from sightline_local.supervisor import Supervisor

from benchmarks.harness import pictures
from benchmarks.harness.results import Failed

POLL_SECONDS, INGEST_SECONDS, HTTP_SECONDS = 0.5, 3600.0, 300.0
START_SECONDS, STOP_SECONDS = 240.0, 120.0


def wait_for(what: str, ready: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Wait until something is so; fail where it takes too long."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise Failed(f"no {what} within {seconds:.0f} s")
        time.sleep(0.1)


@contextmanager
def process(command: list[str], environment: Mapping[str, str], ready: Callable[[], bool]) -> Iterator[psutil.Process]:
    """Run a command until the block ends, and begin the block once it is ready."""
    here = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    with tempfile.TemporaryFile() as log:
        running = psutil.Popen(command, env={**here, **environment}, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(f"answer from {command[0]}", lambda: ready() or running.poll() is not None)
            if running.poll() is not None:
                log.seek(0)
                raise Failed(f"{command[0]} does not serve; its log ends: {log.read()[-400:].decode()}")
            yield running
        finally:
            with suppress(psutil.NoSuchProcess):
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


@contextmanager
def encoder(model_id: str, **settings: object) -> Iterator[str]:
    """Run the encoder with a model and settings such as `max_batch_size=1` until the block ends; gives its address."""
    with encoder_process(model_id, **settings) as (address, _):
        yield address


@contextmanager
def encoder_process(model_id: str, **settings: object) -> Iterator[tuple[str, psutil.Process]]:
    """Run the encoder as `encoder` does; gives its process too."""
    port = free_port()
    chosen = {"models": model_id, "cache_dir": pictures.MODELS, "port": port, "metrics_port": free_port()} | settings
    environment = {"LOG_LEVEL": "warning", **{f"ENCODER_{name.upper()}": str(value) for name, value in chosen.items()}}
    with EncoderClient(f"127.0.0.1:{port}", timeout_seconds=1.0) as client:

        def ready() -> bool:
            try:
                return bool(client.encode_texts(["ready"]).results)
            except EncoderError:
                return False

        with process([str(Path(sys.executable).parent / "sightline-encoder")], environment, ready) as running:
            yield f"127.0.0.1:{port}", running


class System:
    """The running services, and what benchmarks ask of them; `http` is a client of the gateway's `/api/v1`."""

    def __init__(self, stack: Stack, supervisor: Supervisor) -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=f"{stack.url}/api/v1", timeout=HTTP_SECONDS)
        self._supervisor = supervisor
        self._names: dict[int, str] = {}

    def rescan(self) -> None:
        """Have the watcher list the bucket now."""
        self.http.post("/ingest/rescan", json={}).raise_for_status()

    def confirm_loss(self) -> None:
        """Say, as an owner would, that the pictures that were taken away are really gone."""
        self.rescan()
        wait_for("loss to confirm", lambda: self.http.get("/ingest").raise_for_status().json()["held"], INGEST_SECONDS)
        self.http.post("/ingest/confirm-loss", json={}, headers={"Origin": self.stack.url}).raise_for_status()

    def wait(self, done: Callable[[IngestState], bool] = lambda state: state.finished) -> IngestState:
        """Return the state of ingestion once it is as wanted."""
        deadline = time.monotonic() + INGEST_SECONDS
        while (state := ingest_state(self.stack)) is None or not done(state):
            if time.monotonic() > deadline or not self._supervisor.is_running():
                raise Failed(f"ingestion stands at {state}; logs are in {self.stack.logs}")
            time.sleep(POLL_SECONDS)
        return state

    def images(self) -> list[dict[str, Any]]:
        """Return every image that the catalogue holds, page by page."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 200}
        while True:
            page = self.http.get("/images", params=query).raise_for_status().json()
            found += page["images"]
            if not page["cursor"] or not page["images"]:
                return found
            query["cursor"] = page["cursor"]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Return the processes of each service that is up, its main one first, and of the supervisor."""
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
    bucket: Path | None = None,
    *,
    settings: Mapping[str, str] = MappingProxyType({}),
    models: Path = pictures.MODELS,
    state: Path | None = None,
    only: Collection[str] = (),
    instead: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[System]:
    """Run the services over a bucket until the block ends; where none is given, over an empty folder.

    `settings` are for all, `state` is the folder that they write to, where it is to be a certain one, `only` names the
    services to run, `instead` has Python to run in place of one.
    """
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        (folder / "bucket").mkdir()
        stack = Stack(
            bucket=bucket or folder / "bucket",
            state=state or folder / "state",
            models=models,
            ports=choose_ports(),
            settings=dict(settings),
        )
        stack.make_folders()
        services = [service for service in stack.services() if not only or service.name in only]
        for place, service in enumerate(services):
            if service.name in instead:
                environment = service.environment | {"PYTHONPATH": os.fspath(ROOT)}
                services[place] = Service(service.name, [sys.executable, "-c", instead[service.name]], environment)
        with Supervisor(services, stack.logs) as supervisor:
            running = System(stack, supervisor)
            with running.http:
                try:
                    wait_until_ready(stack, supervisor)
                except NotReady as error:
                    raise Failed(str(error)) from error
                yield running


def stage(found: pictures.Collection, running: System) -> Path:
    """Put the pictures beside the bucket, as links to the same files where that is possible."""
    folder = running.stack.bucket.with_name("staged")
    for key in found.keys:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(found.folder / key, target)
        except OSError:
            shutil.copy2(found.folder / key, target)
    return folder
