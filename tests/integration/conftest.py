"""Real stacks on free ports, over pictures that are drawn here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sightline_local.readiness import wait_until_ready
from sightline_local.stack import ROOT, Stack, choose_ports
from sightline_local.supervisor import Supervisor

READY_SECONDS = 240


class Running:
    """A running system, and what a test asks of it."""

    def __init__(self, stack: Stack, supervisor: Supervisor) -> None:
        self.stack = stack
        self.supervisor = supervisor
        self.bucket = stack.bucket
        self.http = httpx.Client(base_url=stack.url, timeout=30)

    def get(self, path: str, **params: object) -> dict:
        answer = self.http.get(f"/api/v1{path}", params=params)
        answer.raise_for_status()
        return answer.json()

    def images(self, **params: object) -> list[dict]:
        """Return every image of the collection, page by page."""
        found, cursor = [], None
        while True:
            page = self.get("/images", limit=200, **params, **({"cursor": cursor} if cursor else {}))
            found += page["images"]
            cursor = page["cursor"]
            if cursor is None:
                return found


@pytest.fixture(scope="module")
def start(tmp_path_factory) -> Iterator[Callable[..., Running]]:
    """Start a system over a bucket; it ends with the module's tests, and all the tests share converted models."""
    models = ROOT / "data/models"
    with ExitStack() as ends:

        def start_stack(
            bucket: Path, *, writable: bool = False, state: Path | None = None, encoder: str = "", **settings: str
        ) -> Running:
            """Start; `encoder` is Python to run in the place of the encoder."""
            stack = Stack(
                bucket=bucket,
                state=state or tmp_path_factory.mktemp("state"),
                models=models,
                ports=choose_ports(),
                writable=writable,
                page=ROOT / "services/web/dist",
                settings=settings,
            )
            stack.make_folders()
            services = stack.services()
            if encoder:
                command = [sys.executable, "-c", encoder]
                services = [replace(one, command=command) if one.name == "encoder" else one for one in services]
            supervisor = ends.enter_context(Supervisor(services, stack.logs))
            wait_until_ready(stack, supervisor, timeout_seconds=READY_SECONDS)
            running = Running(stack, supervisor)
            ends.callback(running.http.close)
            return running

        yield start_stack
