"""One project of Docker Compose, and what a test does to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml
from buckets import Folder, Objects
from images import drawn

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
OTHERS = ("QDRANT_", "REDIS_", "AWS_")
"""Settings that may be meant for other tests."""
SYSTEMS = {
    "edge-folder": ("edge",),
    "edge-s3": ("edge", "s3"),
    "server-folder": ("embedded",),
    "server-s3": ("embedded", "s3"),
    "cluster": ("embedded", "cluster"),
}
"""Systems that are tested, by name: the overlays over docker-compose.yml."""


@cache
def server_image() -> str:
    """Return the image of docker-compose.yml's Qdrant."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    return str(services["qdrant"]["image"])


@cache
def has_server_image() -> bool:
    """Return whether the image of docker-compose.yml's Qdrant is here; it is not fetched."""
    return (
        not missing()
        and not subprocess.run(["docker", "image", "inspect", server_image()], capture_output=True).returncode
    )


def systems(overlay: str = "") -> list[str]:
    """Return the names of the systems of one database that can be run here, of all or of those with an overlay."""
    return [
        name
        for name, overlays in SYSTEMS.items()
        if name != "cluster" and ("edge" in overlays or has_server_image()) and (not overlay or overlay in overlays)
    ]


def over_a_folder() -> list[str]:
    """Return the names of those whose pictures are in a folder: for what says nothing of where pictures are."""
    return [name for name in systems() if "s3" not in SYSTEMS[name]]


def missing() -> str:
    """Return why no containers can be run here; empty if they can."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return f"`{' '.join(command)}` fails: {done.stderr.strip().splitlines()[-1:]}"
    return ""


def wait_for(what: str, condition: Callable[[], T | None], timeout_seconds: float = 300.0) -> T:
    """Return the condition's first true value; fail, saying what was waited for, when it never comes."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            value = condition()
        except httpx.HTTPError as error:
            value, seen = None, repr(error)
        else:
            seen = repr(value)
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_seconds:.0f} s; last seen: {seen}")
        time.sleep(0.2)


class System:
    """The system in containers.

    Args:
        project: Compose's name for it.
        overlays: Names of files in deploy/ that lie over docker-compose.yml.
        settings: As .env would have them.
        bucket: Where its pictures are.
    """

    def __init__(
        self, project: str, overlays: Sequence[str], settings: dict[str, str], bucket: Folder | Objects
    ) -> None:
        self.project = project
        self.bucket = bucket
        self.files = ["docker-compose.yml", *(f"deploy/{overlay}.yml" for overlay in overlays)]
        self.settings = settings
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{settings['WEB_PORT']}", timeout=15, trust_env=False)

    def compose(self, *arguments: str, timeout_seconds: float = 600) -> str:
        """Run `docker compose` and return what it prints."""
        files = [part for file in self.files for part in ("--file", str(ROOT / file))]
        # Not this checkout's .env: its settings are somebody's own.
        command = ["docker", "compose", "--env-file", os.devnull, "--project-name", self.project, *files]
        done = subprocess.run(
            [*command, *arguments],
            cwd=ROOT,
            # Nor settings of a Qdrant that other tests are pointed at.
            env={name: value for name, value in os.environ.items() if not name.startswith(OTHERS)} | self.settings,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
        )
        if done.returncode:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        return done.stdout

    def up(self, **replicas: int) -> None:
        """Start what does not run, and wait until all of it is healthy.

        Args:
            replicas: How many of a service, its name written with underscores; one of the others.
        """
        scale = [f"--scale={service.replace('_', '-')}={count}" for service, count in replicas.items()]
        self.compose("up", "--detach", "--wait", "--wait-timeout", "240", *scale)

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what the engine knows of each service's container."""
        return {item["Config"]["Labels"]["com.docker.compose.service"]: item for item in self.inspect()}

    def inspect(self, *services: str) -> list[dict[str, Any]]:
        """Return what the engine knows of the containers of some services, or of all."""
        ids = self.compose("ps", "--all", "--quiet", *services).split()
        if not ids:
            return []
        described: list[dict[str, Any]] = json.loads(
            subprocess.run(["docker", "inspect", *ids], capture_output=True, check=True).stdout
        )
        return described

    def containers_gone(self) -> bool:
        """Return whether the project has no container."""
        return not self.compose("ps", "--all", "--quiet").split()

    def user(self, container: dict[str, Any]) -> str:
        """Return the uid that a container's image names."""
        done = subprocess.run(["docker", "image", "inspect", container["Image"]], capture_output=True, check=True)
        return str(json.loads(done.stdout)[0]["Config"]["User"]).partition(":")[0]

    def healthy(self, service: str) -> bool:
        """Return whether a service's container runs and is healthy."""
        states = [container["State"] for container in self.inspect(service)]
        # Between an end and the start that follows, `Running` is true and the health is that of before.
        return all(state["Status"] == "running" and state["Health"]["Status"] == "healthy" for state in states)

    def kill(self, service: str) -> None:
        """Kill a container's first process as the kernel would; `docker kill` would switch its restarts off."""
        pid = self.inspect(service)[0]["State"]["Pid"]
        subprocess.run(
            # Any image with a shell does.
            [
                *("docker", "run", "--rm", "--pid", "host", "--user", "0", "--network", "none", "--entrypoint", "sh"),
                *("sightline/redis", "-c", f"kill -9 {pid}"),
            ],
            check=True,
            capture_output=True,
        )

    def execute(self, service: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in a container."""
        return self.execute_in(self.inspect(service)[0]["Id"], *command)

    def execute_in(self, container: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the container of an id."""
        return subprocess.run(["docker", "exec", container, *command], capture_output=True, text=True, timeout=60)

    def get(self, path: str, **parameters: object) -> dict[str, Any]:
        """Ask the gateway, through the page's port."""
        answer = self.http.get(f"/api/v1{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()

    def indexed(self) -> set[str]:
        """Return the keys of the pictures that are indexed."""
        keys: set[str] = set()
        following: dict[str, str] = {}
        while True:
            page = self.get("/images", limit=200, state="indexed", **following)
            keys.update(image["key"] for image in page["images"])
            if page["cursor"] is None:
                return keys
            following = {"cursor": page["cursor"]}

    def confirm_loss(self, least: int) -> None:
        """Wait until so many missing pictures or more are held as a suspected loss, and confirm that they are gone."""
        wait_for(f"{least} are held", lambda: (self.get("/ingest")["held"] or {"count": 0})["count"] >= least, 180)
        self.http.post("/api/v1/ingest/confirm-loss", json={}).raise_for_status()

    @contextmanager
    def searching(self) -> Iterator[list[int]]:
        """Search all the time while the block runs; its list gets the status of each answer, 0 where there was none."""
        statuses: list[int] = []
        done = threading.Event()

        def ask() -> None:
            while not done.wait(0.05):
                try:
                    statuses.append(self.http.get("/api/v1/search", params={"q": "a flower"}).status_code)
                except httpx.HTTPError:
                    statuses.append(0)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield statuses
        finally:
            done.set()
            asking.join()

    def found(self, text: str) -> list[str]:
        """Return the keys that a text finds, the best first."""
        return [result["key"] for result in self.get("/search", q=text, limit=20)["results"]]


def kill_and_see_it_come_back(system: System, service: str) -> None:
    """Kill a container; without help it runs again, old pictures are found, and new ones are indexed."""
    before = system.containers()[service]["RestartCount"]
    system.kill(service)
    wait_for(f"{service} is started again", lambda: system.containers()[service]["RestartCount"] > before)
    wait_for(f"{service} is healthy", lambda: system.healthy(service))
    wait_for("searches work", lambda: "flower.jpg" in system.found(f"a flower after {service}"))
    name = f"after-{service}.jpg"
    system.bucket.put(name, drawn(200 + sum(service.encode())))
    wait_for("a new picture is found", lambda: name in system.indexed())
