"""Searches while thousands of pictures are moved: `make bench-moves` (COUNT=10000).

Draws small pictures, indexes them, and then renames their folder, splits it file by file, merges it again, moves it out
of the bucket and back. A search every 50 ms must find the same pictures throughout, and nothing may be encoded again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from sightline_local.readiness import images_encoded

from benchmarks.harness import results
from benchmarks.harness.results import Failed
from benchmarks.harness.searches import Searches
from benchmarks.harness.system import System, system

WATCHED, SEARCH_LIMIT = 20, 100
SETTLE_SECONDS = 1800.0
ANCHOR = "fixed/anchor.png"


def draw(path: Path, number: int) -> None:
    """Write a small picture that no other number gives."""
    random = np.random.default_rng(number)
    pixels = random.integers(0, 255, (6, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize((64, 48), Image.Resampling.BICUBIC).save(path)


def wait_for_labels(running: System, expected: dict[str, int]) -> None:
    """Wait until the collection has exactly so many indexed pictures in each folder.

    Raises:
        Failed: It does not come to that.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        stats = running.http.get("/stats").raise_for_status().json()
        found = {one["label"]: one["count"] for one in stats["labels"]}
        if found == expected and stats["images"]["pending"] == 0:
            return
        if time.monotonic() > deadline:
            raise Failed(f"the collection stands at {found}, not {expected}; logs are in {running.stack.logs}")
        time.sleep(0.2)


def wait_until_held(running: System) -> int:
    """Wait until the watcher holds the loss of a disk; return how many pictures are missing."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (held := running.http.get("/ingest").raise_for_status().json()["held"]) is None:
        if time.monotonic() > deadline:
            raise Failed("nothing was held")
        time.sleep(0.2)
    return int(held["count"])


def move_each(source: Path, target: Path, names: list[str]) -> None:
    """Move files one by one."""
    target.mkdir(exist_ok=True)
    for name in names:
        (source / name).rename(target / name)


def main() -> None:
    """Move, search, print and write."""
    count = results.options("bench-moves", __doc__, count=(int, 10_000)).count
    names = [f"{number:05}.png" for number in range(count)]
    half = names[: count // 2]
    with system() as running:
        bucket = running.stack.bucket
        first, second, third = bucket / "first", bucket / "second", bucket / "third"
        outside = bucket.with_name("outside")
        results.say(f"drawing and indexing {count:,} pictures")
        for number, name in enumerate(names):
            draw(first / name, number)
        draw(bucket / ANCHOR, count)
        running.rescan()
        wait_for_labels(running, {"first": count, "fixed": 1})

        anchor = next(one for one in running.http.get("/images", params={"label": "fixed"}).json()["images"])
        url = f"{running.stack.url}/api/v1/images/{anchor['id']}/similar"
        found = httpx.get(url, params={"limit": WATCHED, "clusters": "false"}).raise_for_status().json()["results"]
        expected = {one["sha256"] for one in found}
        searches = Searches(
            url,
            lambda _: {"limit": SEARCH_LIMIT, "clusters": "false"},
            lambda results: expected <= {one["sha256"] for one in results},
        )
        before = images_encoded(running.stack)
        seconds: dict[str, float] = {}

        def timed(name: str, move: Callable[[], object], after: Callable[[], object]) -> None:
            made, lost = searches.made, searches.wrong
            began = time.monotonic()
            move()
            after()
            seconds[name] = time.monotonic() - began
            made, lost = searches.made - made, searches.wrong - lost
            results.say(f"{name}: {seconds[name]:.1f} s, {made} searches, {lost} of them lost a picture")

        with searches.running():
            timed(
                "renamed",
                lambda: first.rename(second),
                lambda: wait_for_labels(running, {"second": count, "fixed": 1}),
            )
            timed(
                "split",
                lambda: move_each(second, third, half),
                lambda: wait_for_labels(running, {"second": count - len(half), "third": len(half), "fixed": 1}),
            )
            timed(
                "merged",
                lambda: move_each(third, second, half),
                lambda: wait_for_labels(running, {"second": count, "fixed": 1}),
            )
            timed("moved_out", lambda: shutil.move(second, outside), lambda: wait_until_held(running))
            timed(
                "moved_back",
                lambda: shutil.move(outside, first),
                lambda: wait_for_labels(running, {"first": count, "fixed": 1}),
            )
        encoded = images_encoded(running.stack) - before
    results.show(["step", "seconds"], [[name, took] for name, took in seconds.items()])
    results.say(
        f"{searches.made} searches, {searches.wrong} lost a picture, {len(searches.refused)} failed, "
        f"the slowest took {searches.slowest:.2f} s; {encoded} pictures were encoded"
    )
    figures = {f"{name}_seconds": took for name, took in seconds.items()}
    figures |= {"searches": searches.made, "lost": searches.wrong, "failed": len(searches.refused), "encoded": encoded}
    results.write("bench-moves", settings={"pictures": count, "watched": len(expected)}, figures=figures)
    if searches.wrong or searches.refused or encoded:
        raise Failed("a search lost a picture or failed, or a picture was encoded again")


if __name__ == "__main__":
    main()
