"""Random changes on a real system: `make random-changes REAL=1` (STEPS=200); with mounts, which need root."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import httpx
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from benchmarks.harness import results
from benchmarks.harness.system import System, system, wait_for
from random_changes.changes import PICK, Changes, Events, Pause
from random_changes.disk import MOUNT_POINT, Disk, picture

STEPS_AT_ONCE = 25
REST_SECONDS = 180.0
SCAN_SECONDS = 5
SETTINGS = {
    "WATCHER_SCAN_SECONDS": str(SCAN_SECONDS),
    "WATCHER_LOSS_LEAST": "3",
    "WATCHER_LOSS_SHARE": "0.3",
    "WATCHER_LOSS_WINDOW_SECONDS": "30",
}
VICTIMS = ("watcher", "ingest-worker", "encoder", "qdrant-edge", "redis")


def run(*command: str | Path) -> None:
    subprocess.run(command, check=True)


class MountedDisk(Disk):
    """A bucket in which other disks are really mounted, over what is there."""

    def __init__(self, base: Path) -> None:
        super().__init__(base, lambda: datetime.now(UTC))
        run("mount", "-t", "tmpfs", "sightline-changes", self._others)
        for name in ("mount-0", "mount-1", "bucket-0", "bucket-1"):
            (self._others / name).mkdir()
        (self._others / "mount-1/5.png").write_bytes(picture(40))
        (self._others / "bucket-1/6.png").write_bytes(picture(41))

    def _exchange(self, first: Path, second: Path) -> None:
        first.mkdir(exist_ok=True)
        if os.path.ismount(first):
            run("umount", "--lazy", first)
        else:
            run("mount", "--bind", second, first)

    def take_away(self) -> None:
        if not os.path.ismount(self.root):
            super().take_away()

    def put_back(self) -> None:
        if not self.root.exists():
            super().put_back()

    def unmount(self) -> None:
        """Undo all mounts."""
        for path in (self.root / MOUNT_POINT, self.root, self.root / MOUNT_POINT, self._others):
            if os.path.ismount(path):
                run("umount", "--lazy", path)


class OnProcesses(Changes):
    """A real system, whose processes are killed."""

    running: ClassVar[System]
    can_mount: ClassVar[bool]
    steps: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        base = self.running.stack.bucket.parent
        self.disk = MountedDisk(base) if self.can_mount else Disk(base, lambda: datetime.now(UTC))
        for number in range(8):
            self.disk.write(f"a/c/{number}.png", picture(number))
        self._come_to_rest()

    def teardown(self) -> None:
        if not self.disk.is_there:
            self.disk.put_back()
        self._come_to_rest()
        if isinstance(self.disk, MountedDisk):
            self.disk.unmount()
        for path in self.disk.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self._come_to_rest(is_confirming=True)

    def tell(self, keys: list[str], events: Events) -> None:
        """Do nothing: the kernel reports the change, or does not."""
        self.steps["changes"] += 1
        self._is_changed = True

    def pause(self, pause: Pause) -> None:
        if pause is not Pause.NONE:
            time.sleep(1.5 * SCAN_SECONDS)

    @rule(victim=st.sampled_from(VICTIMS))
    def kill(self, victim):
        self.steps["killed"] += 1
        for process in self.running.processes().get(victim, [])[:1]:
            process.kill()

    @rule(seconds=st.sampled_from([0.2, 1.0, 3.0, 8.0]))
    def wait(self, seconds):
        self.steps["waits"] += 1
        time.sleep(seconds)

    @rule()
    def come_to_rest(self):
        if self._is_changed:
            self._come_to_rest()

    @rule()
    def confirm(self):
        self.steps["confirmed"] += 1
        self._post("confirm-loss")

    @rule(pick=PICK)
    def verify(self, pick):
        if key := self.one_of(pick):
            self._post("rescan", keys=[key], verify=True)

    def _post(self, path: str, **body: object) -> None:
        with_origin = {"Origin": self.running.stack.url}
        wait_for("answer", lambda: self._answer("POST", f"/ingest/{path}", json=body, headers=with_origin))

    def _answer(self, method: str, path: str, **request: object) -> httpx.Response | None:
        """Return an answer; None where what was killed is not back yet."""
        try:
            answer = self.running.http.request(method, path, **request)
        except httpx.HTTPError:
            return None
        return answer if answer.is_success else None

    def _come_to_rest(self, *, is_confirming: bool = False) -> None:
        """Wait until catalogue and bucket are equal, but for what is held."""
        self.steps["rests"] += 1
        self._is_changed = False
        files = self.disk.files()
        whole = {picture(number) for number in range(64)}
        wanted = {key: ("indexed" if file.data in whole else "failed", file.sha256) for key, file in files.items()}
        deadline = time.monotonic() + REST_SECONDS
        while True:
            if is_confirming:
                self._post("confirm-loss")
            state = self._answer("GET", "/ingest")
            try:
                images = self.running.images()
            except httpx.HTTPError:
                images = None
            if state is not None and images is not None:
                found = {one["key"]: (one["state"], one["sha256"]) for one in images}
                held = found.keys() - wanted.keys()
                told = state.json()["held"]
                rest = {key: one for key, one in found.items() if key not in held}
                if rest == wanted and len(held) == (told["count"] if told is not None else 0):
                    return
                if time.monotonic() > deadline:
                    raise AssertionError(f"at rest there is {found}, held {told}, instead of {wanted}")
            elif time.monotonic() > deadline:
                raise AssertionError(f"the system does not answer; logs are in {self.running.stack.logs}")
            time.sleep(0.5)


def main() -> None:
    """Make random changes, and print how many."""
    steps = results.options("random-changes", __doc__, steps=(int, 200)).steps
    OnProcesses.can_mount = os.geteuid() == 0
    if not OnProcesses.can_mount:
        results.say("mounting disks needs root: they are renamed instead")
    began = time.monotonic()
    with system(settings=SETTINGS) as running:
        OnProcesses.running = running
        run_state_machine_as_test(
            OnProcesses,
            settings=settings(
                # The first is always the simplest, in which next to nothing happens.
                max_examples=1 - (-steps // STEPS_AT_ONCE),
                stateful_step_count=STEPS_AT_ONCE,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    results.say(f"{dict(OnProcesses.steps)}, {time.monotonic() - began:.0f} s: catalogue and bucket are equal")


if __name__ == "__main__":
    main()
