"""The system in containers, with deploy/edge.yml: `make bench-compose` builds it, starts it, fills it and stops it.

It prints the size of each image, the time to the first answered search, and each container's memory.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from sightline_local.stack import ROOT, free_port

from benchmarks.harness import pictures, results
from benchmarks.harness.results import Failed
from benchmarks.harness.system import wait_for
from benchmarks.harness.timing import meanwhile

PROJECT = "sightline-bench"
BASE = re.compile(r"^FROM (\S+:\S+)", re.MULTILINE)
UNITS = {"B": 1, "kB": 1e3, "KiB": 1024, "MB": 1e6, "MiB": 1024**2, "GB": 1e9, "GiB": 1024**3}


class Containers:
    """The system, over an empty folder of its own."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10, trust_env=False)
        ports = {"WEB_PORT": str(port), "ENCODER_PORT": str(free_port())}
        # Docker refuses rslave where the folder's file system is mounted privately, as in many a container.
        self._environment = os.environ | ports | {"PICTURES_DIR": str(folder), "PICTURES_PROPAGATION": "rprivate"}

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`, and return what it prints."""
        files = ("--file", "docker-compose.yml", "--file", "deploy/edge.yml")
        return self._docker("compose", "--env-file", os.devnull, "--project-name", PROJECT, *files, *arguments)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """Return the gateway's answer through the page's port; empty while it is away."""
        try:
            return dict(self._http.get(path, params=query).raise_for_status().json())
        except (httpx.HTTPError, ValueError):
            return {}

    def sizes(self) -> dict[str, float]:
        """Print how large each image is, and return it by a figure's name."""
        figures: dict[str, float] = {}
        rows: list[list[object]] = []
        services = json.loads(self.compose("config", "--format", "json"))["services"].values()
        builds = {service["image"]: service["build"] for service in services if "build" in service}
        for image, build in sorted(builds.items()):
            base = BASE.findall(Path(build["context"], build["dockerfile"]).read_text(encoding="utf-8"))[-1]
            size, below = self._megabytes(image), self._megabytes(base)
            figures[f"{image.partition('/')[2].replace('-', '_')}_mb_above_base"] = size - below
            rows.append([image, round(size), base, round(below), round(size - below)])
        results.show(["image", "MB", "base", "its MB", "above"], rows)
        return figures

    def seconds_to_first_search(self) -> float:
        """Start it, and return when a search was answered first."""
        began = time.monotonic()
        starting = threading.Thread(target=self.compose, args=("up", "--detach"))
        starting.start()
        wait_for("answered search", lambda: "results" in self.get("/search", q="a cat"))
        taken = time.monotonic() - began
        starting.join()
        return taken

    def memory(self) -> Counter[str]:
        """Return the bytes of each service's container."""
        ids = self.compose("ps", "--quiet").split()
        found: Counter[str] = Counter()
        for line in self._docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *ids).splitlines():
            name, used, *_ = line.split()
            number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]+)", used).groups()  # type: ignore[union-attr]
            found[name.removeprefix(f"{PROJECT}-").rpartition("-")[0]] = round(float(number) * UNITS[unit])
        return found

    def _megabytes(self, image: str) -> float:
        return int(self._docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6

    def _docker(self, *arguments: str) -> str:
        done = subprocess.run(["docker", *arguments], cwd=ROOT, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"docker {' '.join(arguments)} failed:\n{done.stderr.strip()[-2000:]}")
        return done.stdout


def fill(containers: Containers, found: pictures.Collection, folder: Path) -> tuple[float, Counter[str]]:
    """Copy the pictures in; return the seconds until all are indexed, and the most memory of each container."""
    busy: Counter[str] = Counter()

    def finished() -> bool:
        state = containers.get("/ingest")
        return bool(state) and state["pending"] == 0 and state["indexed"] + state["failed"] >= len(found.keys)

    def look() -> None:
        nonlocal busy
        busy |= containers.memory()

    with meanwhile(look):
        began = time.monotonic()
        for key in found.keys:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found.folder / key, folder / key)
        wait_for("last picture indexed", finished)
        return time.monotonic() - began, busy


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("bench-compose", __doc__).images)
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        containers = Containers(folder)
        results.say("building the images")
        containers.compose("build", "--quiet")
        figures = containers.sizes()
        try:
            results.say("starting, filling and starting again")
            figures["up_to_search_s"] = containers.seconds_to_first_search()
            containers.compose("up", "--detach", "--wait")
            idle = containers.memory()
            figures["ingest_s"], busy = fill(containers, found, folder)
            containers.compose("stop")
            figures["stop_and_up_to_search_s"] = containers.seconds_to_first_search()
        finally:
            containers.compose("down", "--volumes")
    rows = [[name, round(idle[name] / 2**20), round(busy[name] / 2**20)] for name in sorted(idle)]
    results.show(["container", "MiB idle", "MiB while indexing, at most"], rows)
    for when, held in (("idle", idle), ("busy", busy)):
        figures |= {f"{name.replace('-', '_')}_{when}_mib": used / 2**20 for name, used in held.items()}
    results.write("bench-compose", settings={"pictures": len(found.keys), "overlay": "edge"}, figures=figures)


if __name__ == "__main__":
    main()
