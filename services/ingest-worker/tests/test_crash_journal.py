"""Which pictures ended a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from sightline_ingest_worker.worker.crash_journal import CRASHES, CrashJournal
from waiting import wait_for

DIE_WHILE_READING = """
import os, sys, redis
from sightline_ingest_worker.worker.crash_journal import CrashJournal
CrashJournal(redis.Redis.from_url(sys.argv[1], decode_responses=True), "node").begin(sys.argv[2:])
os._exit(9)
"""


@pytest.fixture
def journal(redis_server):
    return CrashJournal(redis_server.client, "node")


def die_while_reading(redis_server, *keys: str) -> None:
    subprocess.run([sys.executable, "-c", DIE_WHILE_READING, redis_server.url, *keys], check=False)


def test_a_process_that_finishes_leaves_nothing(journal, redis_server):
    journal.begin(["a", "b"])
    journal.end()
    assert journal.crashes(["a", "b"]) == {}
    assert redis_server.keys("*") == []


def test_keys_of_a_process_that_ended_are_counted(journal, redis_server):
    die_while_reading(redis_server, "a", "b")
    assert journal.crashes(["a", "c"]) == {"a": 1}
    die_while_reading(redis_server, "a")
    assert journal.crashes(["a", "b"]) == {"a": 2, "b": 1}


def test_a_key_that_was_decoded_is_cleared(journal, redis_server):
    die_while_reading(redis_server, "a", "b")
    assert journal.crashes(["a", "b"]) == {"a": 1, "b": 1}
    journal.clear(["a"])
    assert journal.crashes(["a", "b"]) == {"b": 1}


def test_a_running_process_is_alive(journal, redis_server):
    journal.begin(["a"])
    assert CrashJournal(redis_server.client, "node").crashes(["a"]) == {}
    assert not redis_server.client.exists(CRASHES)


def test_a_reused_process_id_is_not_alive(journal, redis_server):
    journal.begin(["a"])
    field = str(os.getpid())
    entry = redis_server.client.hget("sightline:ingest:under-way:node", field)
    redis_server.client.hset("sightline:ingest:under-way:node", "1", entry)
    redis_server.client.hdel("sightline:ingest:under-way:node", field)
    assert journal.crashes(["a"]) == {"a": 1}


def test_without_redis_nothing_is_known_and_nothing_breaks():
    journal = CrashJournal(redis.Redis(port=1, retry=None), "node")
    journal.begin(["a"])
    assert journal.crashes(["a"]) == {}
    journal.end()
    journal.clear(["a"])


def test_a_zombie_process_is_dead(journal, redis_server):
    command = [sys.executable, "-c", DIE_WHILE_READING, redis_server.url, "a"]
    with subprocess.Popen(command) as process:
        wait_for(lambda: ") Z " in Path(f"/proc/{process.pid}/stat").read_text())
        assert journal.crashes(["a"]) == {"a": 1}
