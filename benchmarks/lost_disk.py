"""What happens when a disk is not mounted, on a real system: `make lost-disk` (COUNT=300, SCREENSHOTS=FOLDER).

Indexes drawn pictures in a folder and in a second disk inside of it. Then each is away in turn: the folder emptied,
one file left in it, half of it, the second disk inside; and the bucket's folder itself. Prints what `GET
/api/v1/ingest` says, and fails if it was not told, or if a picture left the search, was deleted, or was encoded again
once all is back.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sightline_local.readiness import images_encoded
from sightline_local.stack import ROOT

from benchmarks.harness import results
from benchmarks.harness.results import Failed
from benchmarks.harness.system import System, system
from benchmarks.moves import draw, wait_for_labels

STATE_SECONDS = 1800.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def ingest(running: System) -> dict[str, Any]:
    """Return the state of ingestion."""
    answer: dict[str, Any] = running.http.get("/ingest").raise_for_status().json()
    return answer


def wait_until(running: System, what: str, is_so: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the state of ingestion once it is as wanted."""
    deadline = time.monotonic() + STATE_SECONDS
    while not is_so(state := ingest(running)):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: the state stays {state}; logs are in {running.stack.logs}")
        time.sleep(0.2)
    return state


@contextmanager
def away(paths: list[Path], outside: Path) -> Iterator[None]:
    """Move files or folders away until the block ends."""
    outside.mkdir()
    places = {path: outside / str(number) for number, path in enumerate(paths)}
    for path, place in places.items():
        path.rename(place)
    try:
        yield
    finally:
        for path, place in places.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            place.rename(path)
        outside.rmdir()


def screenshot(url: str, file: Path) -> None:
    """Write what Chromium shows of the page, if there is a Chromium."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        return
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,900", "--virtual-time-budget=8000"]
    with tempfile.TemporaryDirectory(prefix="sightline-chromium-") as profile:
        command = [program, *options, f"--user-data-dir={profile}", f"--screenshot={file}", url]
        subprocess.run(command, check=False, capture_output=True, timeout=120)


def found(running: System) -> set[str]:
    """Return the keys of the pictures that a search of everything finds."""
    answer = running.http.get("/search", params={"q": "colours", "limit": 200, "clusters": "false"})
    return {one["key"] for one in answer.raise_for_status().json()["results"]}


def main() -> None:
    """Take each disk away, print, and fail where something was lost."""
    options = results.options("lost-disk", __doc__, count=(int, 300), screenshots=(Path, None))
    count: int = options.count
    with system(settings={"GATEWAY_PAGE_DIR": str(ROOT / "services/web/dist")}) as running:
        bucket = running.stack.bucket
        disk, inside = bucket / "family", bucket / "second-disk"
        for number in range(count):
            draw((inside if number % 3 == 0 else disk) / f"{number:05}.png", number)
        running.rescan()
        labels = {"family": count - (count + 2) // 3, "second-disk": (count + 2) // 3}
        wait_for_labels(running, labels)
        before, encoded = found(running), images_encoded(running.stack)
        files = sorted(disk.iterdir())
        cases = {
            "emptied": [disk, inside],
            "one file left": [*files[1:], inside],
            "half of it": files[: (count + 1) // 2],
            "the second disk inside": [inside],
        }
        rows = []

        def tell(case: str, missing: int) -> None:
            readiness = httpx.get(f"{running.stack.url}/readyz").json()
            state = ingest(running)
            said = (state["held"] or state["bucket"])["message"]
            if options.screenshots is not None:
                options.screenshots.mkdir(parents=True, exist_ok=True)
                screenshot(running.stack.url, options.screenshots / f"{case.replace(' ', '-')}.png")
            if readiness.get("bucket") != said or found(running) != before or state["indexed"] != count:
                raise Failed(f"{case}: something is lost, or not told: {state}, {readiness}")
            rows.append([case, missing, said, count - state["indexed"]])

        for case, paths in cases.items():
            with away(paths, bucket.with_name("away")):
                running.rescan()
                state = wait_until(running, case, lambda state: state["held"])
                tell(case, state["held"]["count"])
            running.rescan()
            wait_until(running, f"{case}, back", lambda state: state["held"] is None and state["pending"] == 0)
        with away([bucket], bucket.with_name("away")):
            wait_until(running, "the folder itself", lambda state: state["bucket"])
            tell("the folder itself", 0)
        wait_until(running, "the folder is back", lambda state: state["bucket"] is None)
        wait_for_labels(running, labels)
        encoded = images_encoded(running.stack) - encoded
        if found(running) != before or encoded:
            raise Failed(f"not all is back, or {encoded} pictures were encoded again")
    results.show(["away", "missing", "what is said", "deleted"], rows)
    results.say(f"all is back; {encoded} pictures were encoded again")


if __name__ == "__main__":
    main()
