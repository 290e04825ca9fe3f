"""The system in containers, with deploy/edge.yml: `make bench-compose` builds it, starts it, fills it and stops it.

Prints the size of each image beside that of its base, the time from `docker compose up` with empty volumes to the first
answered search (and from a second `up`, with all of it there), the time in which the sample pictures are indexed, and
each container's memory, idle and at its highest while they are.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import collection, report

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "sightline-bench"
BASE = re.compile(r"^FROM (\S+:\S+)", re.MULTILINE)
UNITS = {"B": 1, "kB": 1e3, "KiB": 1024, "MB": 1e6, "MiB": 1024**2, "GB": 1e9, "GiB": 1024**3}
WAIT_SECONDS = 300.0
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without a proxy that the environment may name."""


class Containers:
    """The system, over an empty folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._port = _free_port()
        self._settings = {
            "PICTURES_DIR": str(folder),
            "WEB_PORT": str(self._port),
            "ENCODER_PORT": str(_free_port()),
        }

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`, and return what it prints."""
        files = ("--file", "docker-compose.yml", "--file", "deploy/edge.yml")
        command = ["docker", "compose", "--env-file", os.devnull, "--project-name", PROJECT, *files, *arguments]
        return _printed(command, os.environ | self._settings)

    def images(self) -> dict[str, tuple[str, str]]:
        """Return, by image, its Dockerfile's last base and its service."""
        services = json.loads(self.compose("config", "--format", "json"))["services"]
        found: dict[str, tuple[str, str]] = {}
        for name, service in services.items():
            if "build" not in service:
                continue
            text = Path(service["build"]["context"], service["build"]["dockerfile"]).read_text(encoding="utf-8")
            found.setdefault(service["image"], (BASE.findall(text)[-1], name))
        return found

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the gateway's answer through the page's port; empty while it is away."""
        address = f"http://127.0.0.1:{self._port}/api/v1{path}?{urllib.parse.urlencode(query)}"
        try:
            with OPENER.open(address, timeout=10) as answer:
                return dict(json.load(answer))
        except (urllib.error.URLError, OSError):
            return {}

    def seconds_to_first_search(self) -> float:
        """Start it, and return when a search was answered first."""
        began = time.monotonic()
        starting = threading.Thread(target=self.compose, args=("up", "--detach"))
        starting.start()
        _wait("an answered search", lambda: "results" in self.get("/search", q="a cat"))
        taken = time.monotonic() - began
        starting.join()
        return taken

    def memory(self) -> dict[str, float]:
        """Return the MiB of each service's container."""
        ids = self.compose("ps", "--quiet").split()
        lines = _printed(["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *ids]).splitlines()
        return {name: _bytes(used) / 1024**2 for name, used in (_usage(line) for line in lines)}

    @contextlib.contextmanager
    def watched(self, highest: dict[str, float]) -> Iterator[None]:
        """Keep the highest memory of each service meanwhile."""
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                for name, used in self.memory().items():
                    highest[name] = max(used, highest.get(name, 0.0))

        looking = threading.Thread(target=look)
        looking.start()
        try:
            yield
        finally:
            done.set()
            looking.join()


def _usage(line: str) -> tuple[str, str]:
    name, used, *_ = line.split()
    return name.removeprefix(f"{PROJECT}-").rpartition("-")[0], used


def _bytes(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def _printed(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(what: str, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"no {what} within {WAIT_SECONDS:.0f} s")
        time.sleep(0.1)


def _megabytes(image: str) -> float:
    return int(_printed(["docker", "image", "inspect", "--format", "{{.Size}}", image])) / 1e6


def sizes(containers: Containers) -> dict[str, float]:
    """Print how large each image is, and return it by a figure's name."""
    figures, rows = {}, []
    for image, (base, _) in sorted(containers.images().items()):
        size, below = _megabytes(image), _megabytes(base)
        figures[f"{image.partition('/')[2].replace('-', '_')}_mb_above_base"] = size - below
        rows.append([image, round(size), base, round(below), round(size - below)])
    print(report.table(["image", "MB", "base", "its MB", "above"], rows), end="\n\n")
    return figures


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="make bench-compose", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    options = parser.parse_args()
    report.warn_if_busy()
    pictures = collection.find(options.images)
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        containers = Containers(folder)
        print("building the images", flush=True)
        containers.compose("build", "--quiet")
        figures = sizes(containers)
        try:
            print("starting, filling and starting again", flush=True)
            figures["up_to_search_s"] = containers.seconds_to_first_search()
            containers.compose("up", "--detach", "--wait")
            idle = containers.memory()
            busy: dict[str, float] = {}
            with containers.watched(busy):
                began = time.monotonic()
                for key in pictures.keys:
                    (folder / key).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(pictures.folder / key, folder / key)
                _wait("last picture indexed", lambda: _finished(containers.get("/ingest"), len(pictures.keys)))
                figures["ingest_s"] = time.monotonic() - began
            containers.compose("stop")
            figures["stop_and_up_to_search_s"] = containers.seconds_to_first_search()
        finally:
            containers.compose("down", "--volumes")
    rows = [[name, round(idle[name]), round(busy.get(name, 0.0))] for name in sorted(idle)]
    print(report.table(["container", "MiB idle", "MiB while indexing, at most"], rows), end="\n\n")
    figures |= {f"{name.replace('-', '_')}_idle_mib": used for name, used in idle.items()}
    figures |= {f"{name.replace('-', '_')}_busy_mib": used for name, used in busy.items()}
    report.write("bench-compose", settings={"pictures": len(pictures.keys), "overlay": "edge"}, figures=figures)


def _finished(state: dict[str, Any], count: int) -> bool:
    return bool(state) and state["pending"] == 0 and state["indexed"] + state["failed"] >= count


if __name__ == "__main__":
    main()
