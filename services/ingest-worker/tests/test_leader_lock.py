"""One watcher at a time."""

from __future__ import annotations

import threading

import pytest
from sightline_ingest_worker.watcher.leader_lock import LeaderLock


@pytest.fixture
def locks(redis_server):
    return [LeaderLock(redis_server.client, "lock") for _ in range(2)]


def test_a_second_process_waits_until_the_first_releases_the_lock(locks):
    first, second = locks
    assert first.hold()
    assert first.hold()
    assert not second.hold()
    waiting = threading.Event()
    got = []

    def pause(seconds: float) -> bool:
        if seconds:
            waiting.set()
        return stopped.wait(min(seconds, 0.05))

    stopped = threading.Event()
    thread = threading.Thread(target=lambda: got.append(second.wait(pause)))
    thread.start()
    assert waiting.wait(5)
    assert not got
    first.release()
    thread.join(5)
    assert got == [True]
    assert not first.hold()


def test_a_stop_ends_the_wait(locks):
    first, second = locks
    first.hold()
    assert second.wait(lambda seconds: True) is False


def test_only_the_holder_releases_the_lock(locks):
    first, second = locks
    first.hold()
    second.release()
    assert not second.hold()


def test_a_killed_holders_lock_expires(locks, redis_server):
    locks[0].hold()
    assert 0 < redis_server.client.ttl("lock") <= 10
