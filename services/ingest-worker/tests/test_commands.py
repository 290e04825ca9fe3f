"""The two commands, as a person meets them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sightline_ingest_worker.watcher.hints import pop_hints
from sightline_service.queues import HeldLoss, WatcherStatus

COMMANDS = ["sightline_ingest_worker", "sightline_ingest_worker.watcher"]


def environment(tmp_path, **settings: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BUCKET_URL": (tmp_path / "bucket").as_uri(),
        "THUMBNAIL_URL": (tmp_path / "thumbnails").as_uri(),
        "WORKER_METRICS_PORT": "0",
        "WATCHER_METRICS_PORT": "0",
    } | settings


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_where_the_settings_are(command):
    answer = subprocess.run([sys.executable, "-m", command, "--help"], capture_output=True, text=True)
    assert answer.returncode == 0
    assert "README.md" in answer.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_setting_is_named(command, tmp_path):
    wrong = environment(tmp_path, WORKER_PROCESSES="none", WATCHER_EVENTS="maybe")
    answer = subprocess.run([sys.executable, "-m", command], env=wrong, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "WORKER_PROCESSES=none" in answer.stderr or "WATCHER_EVENTS=maybe" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_second_watcher_waits_and_says_so(redis_server, tmp_path):
    redis_server.client.set("sightline:watcher:lease", "another pid 7")
    command = [sys.executable, "-m", COMMANDS[1]]
    settings = environment(tmp_path, REDIS_URL=redis_server.url)
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE, text=True) as process:
        line = process.stderr.readline()
        assert "another watcher is at work" in line
        assert "another pid 7" in line
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_loss_is_confirmed_by_a_command(redis_server):
    command = [sys.executable, "-m", COMMANDS[1], "--confirm-loss"]
    settings = {"PATH": os.environ["PATH"], "REDIS_URL": redis_server.url}
    assert subprocess.run(command, env=settings, capture_output=True, text=True).stdout == "Nothing is held.\n"
    [hint] = pop_hints(redis_server.client)
    assert hint.confirm_loss is not None
    since = datetime(2026, 1, 1, tzinfo=UTC)
    WatcherStatus(held=HeldLoss.of_keys(["a.jpg", "b.jpg"], 9, since)).write(redis_server.client)
    answer = subprocess.run(command, env=settings, capture_output=True, text=True)
    assert (answer.returncode, answer.stdout) == (0, "2 of 9 pictures leave the search, such as a.jpg, b.jpg.\n")


def test_a_loss_cannot_be_confirmed_without_redis(tmp_path):
    command = [sys.executable, "-m", COMMANDS[1], "--confirm-loss"]
    settings = {"PATH": os.environ["PATH"], "REDIS_URL": f"unix://{tmp_path}/nowhere"}
    answer = subprocess.run(command, env=settings, capture_output=True, text=True)
    assert answer.returncode == 1
    assert "does not answer" in answer.stderr
    assert "Traceback" not in answer.stderr
