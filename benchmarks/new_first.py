"""The time until a new picture is found while others are filled in: `make bench-new-first FILES=20000 NEW=20 PAUSE=10`.

File events are off, so that only the scan, every PAUSE seconds, finds what is new. Drawn pictures come into the bucket
all at once; while they are filled in, one more comes every few seconds, and is asked for until the API says that it is
indexed. In the end a search by each new picture must find it first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from sightline_bucket import BucketSettings
from sightline_catalogue import image_id

from benchmarks.harness import drawn, results
from benchmarks.harness.results import Failed, say
from benchmarks.harness.system import System, system
from benchmarks.harness.timing import percentile

POLL_SECONDS = 0.2
BETWEEN_SECONDS = 2.7
"""Between two new pictures: no multiple of the pause, so that they come at all moments of it."""
LONGEST_SECONDS = 600.0
BUSY = (429, 503)
"""Answers of a gateway whose encoder has too much to do."""
ALLOWED_SECONDS = 5.0
"""Beside the pause."""


@dataclass
class Waiting:
    """A new picture that is asked for."""

    key: str
    data: bytes
    put_at: float


def is_found(running: System, waiting: Waiting) -> bool:
    """Return whether a picture can be found."""
    bucket_id = BucketSettings(url=running.stack.bucket.as_uri()).id
    answer = running.http.get(f"/images/{image_id(bucket_id, waiting.key.encode())}")
    return answer.status_code == 200 and answer.json()["state"] == "indexed"


def put_one_after_another(running: System, first: int, count: int) -> Iterator[tuple[Waiting, float, int]]:
    """Put new pictures into the bucket; yield each once it is found, the seconds, and how many are pending then."""
    waiting: list[Waiting] = []
    placed, next_at = 0, time.monotonic()
    while waiting or placed < count:
        now = time.monotonic()
        if placed < count and now >= next_at:
            key, data = f"new/{placed:03}.png", drawn.picture(first + placed)
            path = running.stack.bucket / key
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            waiting.append(Waiting(key, data, time.monotonic()))
            placed, next_at = placed + 1, now + BETWEEN_SECONDS
        for one in [one for one in waiting if is_found(running, one)]:
            waiting.remove(one)
            pending = running.http.get("/ingest").raise_for_status().json()["pending"]
            yield one, time.monotonic() - one.put_at, pending
        if any(time.monotonic() - one.put_at > LONGEST_SECONDS for one in waiting):
            raise Failed(f"{waiting[0].key} was not found within {LONGEST_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def is_first(running: System, waiting: Waiting) -> bool:
    """Return whether a search by a picture finds it first."""
    files = {"file": (waiting.key, waiting.data, "image/png")}
    deadline = time.monotonic() + LONGEST_SECONDS
    while (
        answer := running.http.post("/search", files=files, headers={"Origin": running.stack.url})
    ).status_code in BUSY:
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    found = answer.raise_for_status().json()["results"]
    return bool(found) and found[0]["key"] == waiting.key


def main() -> None:
    """Fill, put, ask, print and write."""
    options = results.options("bench-new-first", __doc__, files=(int, 20_000), new=(int, 20), pause=(float, 10.0))
    settings = {"WATCHER_EVENTS": "off", "WATCHER_SCAN_SECONDS": f"{options.pause:g}"}
    with system(settings=settings) as running:
        staged = running.stack.bucket.with_name("staged")
        say(f"drawing {options.files:,} pictures")
        drawn.fill(staged, options.files)
        staged.rename(running.stack.bucket / "pictures")
        running.rescan()
        running.wait(lambda state: state.known >= options.files // 10)
        say(f"putting {options.new} more, one after another")
        found = list(put_one_after_another(running, options.files, options.new))
        for one, seconds, pending in found:
            say(f"{one.key}: {seconds:.1f} s, {pending:,} pending")
        not_first = [one.key for one, _, _ in found if not is_first(running, one)]
    times = [seconds for _, seconds, _ in found]
    figures = {
        "p50_seconds": percentile(times, 50),
        "worst_seconds": max(times),
        "allowed_seconds": options.pause + ALLOWED_SECONDS,
        "least_pending": min(pending for _, _, pending in found),
        "not_found_by_search": len(not_first),
    }
    results.show(["", "value"], [[name, value] for name, value in figures.items()])
    results.write("bench-new-first", settings={**settings, "files": options.files, "new": options.new}, figures=figures)


if __name__ == "__main__":
    main()
