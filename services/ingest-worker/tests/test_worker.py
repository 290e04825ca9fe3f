"""A real Celery worker on a real Redis: processes that are killed, pictures that kill them, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest
from sightline_ingest_worker.broker import celery_app
from sightline_ingest_worker.watcher.task_queue import TaskQueue
from sightline_local.stack import free_port
from sightline_service.queues import QueueSettings
from waiting import wait_for

SCRIPT = Path(__file__).with_name("worker_on_fakes.py")


class WorkerProcess:
    def __init__(self, redis_server, folder: Path, port: int) -> None:
        self.redis, self.folder, self.port = redis_server, folder, port
        self.bucket = folder / "bucket"
        self.points = folder / "points"
        self.bucket.mkdir()
        self.points.mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "BUCKET_URL": self.bucket.as_uri(),
            "THUMBNAIL_URL": (folder / "thumbnails").as_uri(),
            "REDIS_URL": redis_server.url,
            "POINTS_DIR": str(self.points),
            "WORKER_PROCESSES": "2",
            "WORKER_NAME": "test",
            "WORKER_METRICS_PORT": str(port),
            "PYTHONPATH": os.pathsep.join([str(SCRIPT.parent), os.environ.get("PYTHONPATH", "")]),
        }
        app = celery_app(QueueSettings(redis_url=redis_server.url))
        self.app = app
        self.queue = TaskQueue(app, redis_server.client)
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, str(SCRIPT)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stderr=log, stdout=log)

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/metrics").is_success
        except httpx.TransportError:
            return False

    def write(self, **files: bytes) -> list[str]:
        """Write pictures, and return their keys."""
        for name, data in files.items():
            (self.bucket / f"{name}.png").write_bytes(data)
        return [f"{name}.png" for name in files]

    def states(self, keys: list[str]) -> Counter[str]:
        """Return how many of the keys are in which state."""
        said = self.said()
        return Counter(said[key]["state"] for key in keys if key in said)

    def said(self) -> dict[str, dict]:
        points = [json.loads(path.read_text()) for path in self.points.iterdir() if ".tmp" not in path.name]
        return {point["key"]: point for point in points}

    def decoded(self) -> Counter[str]:
        path = self.folder / "decoded"
        return Counter(path.read_text().splitlines()) if path.exists() else Counter()

    def metric(self, name: str) -> float:
        """Return the value of a metric, named with its labels."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics").text
        found = re.search(rf"^{re.escape(name)} (.+)$", text, re.MULTILINE)
        assert found, f"{name} is not there"
        return float(found[1])

    def indexed(self) -> float:
        return self.metric('sightline_ingest_images_total{outcome="indexed"}')

    @property
    def decoding(self) -> Path:
        """As long as this file is there, a slow picture is being decoded by the process whose id it holds."""
        return self.folder / "decoding"


@pytest.fixture(scope="module")
def worker(module_redis, tmp_path_factory):
    """One worker for all tests: each brings its own keys."""
    worker = WorkerProcess(module_redis, tmp_path_factory.mktemp("worker"), free_port())
    worker.start()
    try:
        wait_for(worker.ready, seconds=60)
        yield worker
    finally:
        worker.app.close()
        worker.process.kill()
        worker.process.wait()


def test_metrics_are_there_before_the_first_task_and_cover_all_processes(worker):
    for outcome in ("indexed", "copied", "unchanged", "failed", "waiting", "gone"):
        worker.metric(f'sightline_ingest_images_total{{outcome="{outcome}"}}')
    family = [psutil.Process(worker.process.pid), *psutil.Process(worker.process.pid).children(recursive=True)]
    assert len(family) >= 3
    resident = sum(process.memory_info().rss for process in family)
    assert worker.metric("process_resident_memory_bytes") == pytest.approx(resident, rel=0.1)


def test_a_poison_picture_fails_and_its_neighbours_are_indexed(worker, draw):
    pictures = {f"poison-{number}": draw(number) for number in range(31)}
    keys = worker.write(**pictures | {"poison-x": b"POISON"})
    worker.queue.send(keys, "new")
    wait_for(lambda: worker.states(keys) == {"indexed": 31, "failed": 1})
    said = worker.said()["poison-x.png"]
    assert said["state"] == "failed"
    assert "ended the decoder" in said["reason"]
    assert worker.decoded()["POISON"] == 1
    assert worker.metric('sightline_ingest_tasks_total{outcome="crashed"}') == 1
    wait_for(lambda: worker.redis.client.hlen("unacked") == 0)
    assert worker.process.poll() is None


def test_a_killed_pool_process_costs_nothing(worker, draw):
    keys = worker.write(pool_slow=b"SLOW" + draw(101), pool_other=draw(102))
    worker.queue.send(keys, "new")
    pid = int(wait_for(lambda: worker.decoding.exists() and worker.decoding.read_text()))
    os.kill(pid, signal.SIGKILL)
    worker.decoding.unlink()

    def done():
        worker.decoding.unlink(missing_ok=True)
        return worker.states(keys) == {"indexed": 2}

    wait_for(done)


def test_counts_of_all_processes_and_health(worker, draw):
    before = worker.indexed()
    keys = worker.write(**{f"count-{number}": draw(200 + number) for number in range(64)})
    worker.queue.send(keys, "new")
    wait_for(lambda: worker.indexed() == before + 64)
    wait_for(lambda: httpx.get(f"http://127.0.0.1:{worker.port}/healthz").status_code == 200)


def test_redis_comes_back_empty_and_the_worker_goes_on(worker, draw):
    keys = worker.write(after_redis=draw(300))
    worker.redis.kill()
    worker.redis.start()
    worker.queue.send(keys, "backfill")
    wait_for(lambda: worker.states(keys) == {"indexed": 1}, seconds=40)


def test_a_killed_worker_leaves_no_process(worker, draw):
    keys = worker.write(killed_slow=b"SLOW" + draw(400))
    worker.queue.send(keys, "new")
    pid = int(wait_for(lambda: worker.decoding.exists() and worker.decoding.read_text()))
    decoders = psutil.Process(pid).children()
    assert decoders
    worker.process.kill()
    worker.process.wait()
    wait_for(lambda: not any(psutil.pid_exists(each) for each in (pid, *(process.pid for process in decoders))))
    worker.decoding.unlink()
    worker.start()
    worker.queue.send(keys, "new")

    def done():
        worker.decoding.unlink(missing_ok=True)
        return worker.states(keys) == {"indexed": 1}

    wait_for(done)


def test_what_is_new_is_looked_at_once_more_to_be_compared(worker, draw):
    unchanged = 'sightline_ingest_images_total{outcome="unchanged"}'
    indexed, before = worker.indexed(), worker.metric(unchanged)
    keys = worker.write(**{f"later-{number}": draw(400 + number) for number in range(3)})
    worker.queue.send(keys, "new")
    wait_for(lambda: worker.metric(unchanged) == before + 3)
    assert worker.indexed() == indexed + 3
    assert worker.queue.lengths().reread == 0


def test_sigterm_finishes_the_current_task(worker, draw):
    wait_for(worker.ready)
    keys = worker.write(last_slow=b"SLOW" + draw(500))
    worker.queue.send(keys, "new")
    wait_for(worker.decoding.exists)
    worker.process.terminate()
    wait_for(lambda: b"Warm shutdown" in (worker.folder / "log").read_bytes())
    worker.decoding.unlink()
    assert worker.process.wait(20) == 0
    assert worker.states(keys) == {"indexed": 1}
