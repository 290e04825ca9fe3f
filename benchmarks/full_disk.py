"""What happens when a disk is full, on a real system: `make full-disk` (needs root; COUNT=2000, SCREENSHOTS=FOLDER).

The folder of the database, of thumbnails, and of Redis lies on a small file system each, and at last all that the
services write on one. It fills while pictures are indexed, and another program then takes what is left, to the last
byte; later it gives all of it back. A search every 50 ms must be answered throughout, `GET /api/v1/ingest`, `/readyz`
and the metrics must say what is the matter, what was indexed must stay, and all the rest must follow by itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from sightline_service.disk_space import MB, Disk, DiskSettings, DiskSpace, measure

from benchmarks.harness import results
from benchmarks.harness.results import Failed
from benchmarks.harness.searches import Searches
from benchmarks.harness.system import System, system
from benchmarks.lost_disk import ingest, screenshot, wait_until
from benchmarks.moves import draw

FIRST = 100
"""Pictures that are indexed before the disk fills, and found by searches throughout."""
FULL_SECONDS = 15.0
"""How long the disk stays full."""
ROOM_BYTES = {"qdrant": 2048, "thumbnails": 512, "redis": 32, "": 3072}
"""By folder, the room on its disk beside the reserve for each picture, when the many come: less than they take."""
CASES = {"qdrant": "the database", "thumbnails": "the thumbnails", "redis": "Redis", "": "everything on one"}
SIZES_MB = {"qdrant": 160, "thumbnails": 64, "redis": 16, "": 256}


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[None]:
    """Mount a small file system on a folder until the block ends: ext4 where it can be made, else one in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="sightline-disk-") as temporary:
        image = Path(temporary) / "image"
        with image.open("wb") as file:
            file.truncate(size_mb * MB)
        program = shutil.which("mkfs.ext4") or "/sbin/mkfs.ext4"
        commands = [[program, "-q", "-F", str(image)], ["mount", "-o", "loop", str(image), str(folder)]]
        try:
            for command in commands:
                subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            command = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)]
            if subprocess.run(command, check=False).returncode != 0:
                raise Failed("no file system can be mounted here") from None
        try:
            yield
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def space_of(folder: Path) -> DiskSpace:
    """Return the space of a folder's disk.

    Raises:
        Failed: It is not known.
    """
    if (space := measure(folder)) is None:
        raise Failed(f"the space of {folder} is not known")
    return space


def reserve_bytes(folder: Path) -> int:
    """Return how much of a folder's disk is kept free."""
    return Disk("database", folder, DiskSettings().reserve_mb).reserve_bytes(space_of(folder))


def fill(file: Path, left: int) -> None:
    """Write to a file, as another program does, until so many bytes of its disk are free."""
    # Written a little at a time: what others write meanwhile counts, too.
    with open(file, "ab", buffering=0) as out, suppress(OSError):
        while (room := space_of(file.parent).free - left) > 0 or left == 0:
            out.write(bytes(min(max(room, 512), MB)))


def indexed_keys(running: System) -> set[str]:
    """Return the keys of what is indexed."""
    return {one["key"] for one in running.images() if one["state"] == "indexed"}


def full_metrics(running: System) -> list[str]:
    """Return the lines of the gateway's metrics about full disks."""
    lines = httpx.get(f"{running.stack.url}/metrics").text.splitlines()
    return [line for line in lines if line.startswith("sightline_disk_full{") and line.endswith(" 1.0")]


def try_case(name: str, count: int, screenshots: Path | None) -> tuple[list[object], str]:
    """Fill the disk of one folder during an ingest, and free it; return a row of the table, and what was said.

    Raises:
        Failed: A search was not answered, something was lost or not told, or it did not go on.
    """
    case = CASES[name]
    with tempfile.TemporaryDirectory(prefix="sightline-full-") as temporary:
        state = Path(temporary) / "state"
        page = {"GATEWAY_PAGE_DIR": str(Path("services/web/dist").resolve())}
        with small_disk(state / name, SIZES_MB[name]), system(settings=page, state=state) as running:
            bucket, ballast = running.stack.bucket, state / name / "another-program"
            for number in range(FIRST):
                draw(bucket / f"first/{number:05}.png", number)
            running.rescan()
            wait_until(running, case, lambda state: state["indexed"] == FIRST)
            fill(ballast, reserve_bytes(state / name) * (name != "redis") + ROOM_BYTES[name] * count)
            first = indexed_keys(running)
            searches = Searches(
                f"{running.stack.url}/api/v1/search",
                # By ever other words: none is answered from a cache.
                lambda number: {"q": f"a picture of {number}", "limit": 200, "clusters": "false"},
                lambda found: not first.isdisjoint(one["key"] for one in found),
            )
            with searches.running():
                for number in range(FIRST, count):
                    draw(bucket / f"many/{number:05}.png", number)
                running.rescan()
                if name == "redis":
                    # It keeps no reserve, and little is written to it.
                    fill(ballast, 0)
                said = wait_until(running, case, lambda state: state["disk"])["disk"]
                readiness = httpx.get(f"{running.stack.url}/readyz").raise_for_status().json()
                told = readiness["disk"] is not None and bool(full_metrics(running))
                fill(ballast, 0)
                time.sleep(FULL_SECONDS)
                still = ingest(running)
                kept = indexed_keys(running)
                if screenshots is not None:
                    screenshots.mkdir(parents=True, exist_ok=True)
                    screenshot(running.stack.url, screenshots / f"{case.replace(' ', '-')}.png")
                ballast.unlink()
                began = time.monotonic()
                if name == "redis":
                    # What waited for Redis is noticed by a scan, if not before.
                    wait_until(running, f"{case}, room", lambda state: not state["disk"])
                wait_until(running, f"{case}, room", lambda state: state["indexed"] == count and not state["disk"])
                seconds = time.monotonic() - began
            lost = kept - indexed_keys(running)
            logs = {log.stem: log.read_text(errors="replace") for log in running.stack.logs.glob("*.log")}
            restarts = sum(text.count('"event": "serving"') - 1 for text in [logs.get("qdrant-edge", "")])
    failed = len(searches.refused) + searches.wrong
    results.say(f"{case}: {searches.made} searches, {failed} failed")
    if failed or lost or not told or not still["disk"] or restarts > 0:
        what = f"failed {failed} {searches.refused[:3]}, lost {len(lost)}, told {told}, still told {still['disk']}"
        raise Failed(f"{case}: {what}, qdrant-edge restarted {restarts} times")
    return [case, searches.made, failed, searches.slowest, len(kept), len(lost), seconds], said


def main() -> None:
    """Try each case, print what happened, and fail where something was lost or not told."""
    if os.geteuid() != 0:
        raise SystemExit("make full-disk needs root: it mounts small file systems")
    options = results.options("full-disk", __doc__, count=(int, 2000), screenshots=(Path, None), only=(str, None))
    names = [name for name, case in CASES.items() if options.only in (None, name, case)]
    tried = [try_case(name, options.count, options.screenshots) for name in names]
    headers = ["full: the disk of", "searches", "failed", "slowest (s)", "indexed then", "lost", "all after (s)"]
    results.show(headers, [row for row, _ in tried])
    for row, said in tried:
        print(f"{row[0]}: {said}")


if __name__ == "__main__":
    main()
