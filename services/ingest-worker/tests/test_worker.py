"""A real Celery worker on a real Redis: processes that are killed, pictures that kill them, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest
from sightline_ingest_worker.sending import TaskQueue
from sightline_service.queues import QueueSettings, celery_app

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
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        app = celery_app(QueueSettings(redis_url=redis_server.url))
        self.app = app
        self.queue = TaskQueue(app, redis_server.client, 32)
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

    def states(self) -> Counter[str]:
        return Counter(point["state"] for point in self.said().values())

    def said(self) -> dict[str, dict]:
        points = [json.loads(path.read_text()) for path in self.points.iterdir() if ".tmp" not in path.name]
        return {point["key"]: point for point in points}

    def reads(self) -> Counter[str]:
        path = self.folder / "reads"
        return Counter(path.read_text().splitlines()) if path.exists() else Counter()


@pytest.fixture
def worker(redis_server, tmp_path, fakes, eventually):
    worker = WorkerProcess(redis_server, tmp_path, fakes.free_port())
    worker.start()
    eventually(worker.ready)
    yield worker
    worker.app.close()
    worker.process.kill()
    worker.process.wait()


def test_a_poison_picture_fails_and_its_neighbours_are_indexed(worker, draw, eventually):
    keys = [f"{number}.png" for number in range(32)]
    for number, key in enumerate(keys):
        (worker.bucket / key).write_bytes(draw(number))
    (worker.bucket / "17.png").write_bytes(b"POISON")
    worker.queue.send(keys, "new")
    eventually(lambda: worker.states() == {"indexed": 31, "failed": 1})
    said = worker.said()["17.png"]
    assert said["state"] == "failed"
    assert "3 times" in said["reason"]
    assert worker.reads()["17.png"] == 3
    eventually(lambda: worker.redis.client.hlen("unacked") == 0)
    assert worker.process.poll() is None


def test_a_killed_pool_process_costs_nothing(worker, draw, eventually):
    (worker.bucket / "slow.png").write_bytes(b"SLOW" + draw(1))
    (worker.bucket / "other.png").write_bytes(draw(2))
    worker.queue.send(["slow.png", "other.png"], "new")
    reading = worker.folder / "reading"
    pid = int(eventually(lambda: reading.exists() and reading.read_text()))
    os.kill(pid, signal.SIGKILL)
    reading.unlink()
    eventually(lambda: worker.reads()["slow.png"] == 2)

    def done():
        reading.unlink(missing_ok=True)
        return worker.states() == {"indexed": 2}

    eventually(done)
    eventually(lambda: not worker.redis.client.exists("sightline:ingest:crashes"))


def test_a_killed_worker_leaves_no_process_and_its_keys_are_read_alone(worker, draw, eventually):
    (worker.bucket / "slow.png").write_bytes(b"SLOW" + draw(1))
    worker.queue.send(["slow.png"], "new")
    reading = worker.folder / "reading"
    pid = int(eventually(lambda: reading.exists() and reading.read_text()))
    worker.process.kill()
    worker.process.wait()
    eventually(lambda: not psutil.pid_exists(pid))
    reading.unlink()
    worker.start()
    worker.queue.send(["slow.png"], "new")

    def done():
        reading.unlink(missing_ok=True)
        return worker.states() == {"indexed": 1}

    eventually(done)


def test_sigterm_finishes_what_is_in_hand(worker, draw, eventually):
    (worker.bucket / "slow.png").write_bytes(b"SLOW" + draw(1))
    worker.queue.send(["slow.png"], "new")
    reading = worker.folder / "reading"
    eventually(reading.exists)
    worker.process.terminate()
    eventually(lambda: b"Warm shutdown" in (worker.folder / "log").read_bytes())
    reading.unlink()
    assert worker.process.wait(20) == 0
    assert worker.states() == {"indexed": 1}
    assert worker.redis.client.hlen("unacked") == 0


def test_redis_restarts_empty_and_the_worker_goes_on(own_redis, tmp_path, fakes, draw, eventually):
    worker = WorkerProcess(own_redis, tmp_path, fakes.free_port())
    worker.start()
    try:
        eventually(worker.ready)
        (worker.bucket / "a.png").write_bytes(draw(1))
        own_redis.kill()
        own_redis.start()
        worker.queue.send(["a.png"], "backfill")
        eventually(lambda: worker.states() == {"indexed": 1}, 40)
    finally:
        worker.app.close()
        worker.process.kill()
        worker.process.wait()


def test_counts_of_all_processes_and_ping(worker, draw, eventually):
    for number in range(64):
        (worker.bucket / f"{number}.png").write_bytes(draw(number))
    worker.queue.send([f"{number}.png" for number in range(64)], "new")
    line = 'sightline_ingest_images_total{outcome="indexed"} 64.0'
    eventually(lambda: line in httpx.get(f"http://127.0.0.1:{worker.port}/metrics").text)
    ping = [sys.executable, "-m", "sightline_ingest_worker", "--ping"]
    assert subprocess.run(ping, env=worker.environment, capture_output=True).returncode == 0
    other = worker.environment | {"WORKER_NAME": "nobody"}
    refused = subprocess.run(ping, env=other, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "ingest@nobody does not answer" in refused.stderr
