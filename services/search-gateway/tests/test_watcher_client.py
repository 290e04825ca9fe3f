"""The watcher client over a real Redis."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime

import pytest
import structlog
from sightline_search_gateway.clients.watcher import MAX_REQUESTS, QueueUnavailable, WatcherClient, WatcherState
from sightline_service.queues import (
    DATABASE_KEY,
    DATABASE_SECONDS,
    QUEUE_BACKFILL,
    QUEUE_NEW,
    RESCAN_LIST,
    WATCHER_HASH,
    DatabaseStatus,
    QueueSettings,
    WatcherStatus,
    redis_client,
)


@pytest.fixture
def settings(queue):
    return queue


@pytest.fixture
def client(settings):
    made = redis_client(settings)
    yield made
    made.close()


def test_what_the_watcher_said(settings, client):
    watcher = WatcherClient(settings)
    assert watcher.state() == WatcherState(queued=0)
    now = datetime.now(UTC).isoformat()
    said = {"ignored": 7, "scanning": 1, "last_scan_at": "2026-11-24T08:00:00+00:00", "updated_at": now}
    client.hset(WATCHER_HASH, mapping=said)
    client.rpush(QUEUE_NEW, "a")
    client.rpush(QUEUE_BACKFILL, "b", "c")
    moment = datetime(2026, 11, 24, 8, tzinfo=UTC)
    assert watcher.state() == WatcherState(ignored=7, queued=3, scanning=True, last_scan_at=moment)
    client.hset(WATCHER_HASH, mapping={"ignored": "", "scanning": "0", "last_scan_at": ""})
    assert watcher.state() == WatcherState(ignored=None, queued=3, scanning=False, last_scan_at=None)
    client.hset(WATCHER_HASH, mapping={"ignored": "many", "last_scan_at": "never"})
    assert watcher.state() == WatcherState(ignored=None, queued=3, scanning=False, last_scan_at=None)


def test_how_far_a_change_of_the_model_is(settings, client):
    status = WatcherStatus(next_model="vit", next_pending=3, next_indexed=2, next_failed=1)
    status.write(client)
    state = WatcherClient(settings).state()
    assert (state.next_model, state.next_counts) == ("vit", (3, 2, 1))
    WatcherStatus().write(client)
    assert WatcherClient(settings).state().next_model is None


def test_what_the_watcher_said_of_the_database(settings, client):
    watcher = WatcherClient(settings)
    assert watcher.database() is None
    status = DatabaseStatus(
        nodes=3,
        nodes_alive=2,
        shards=6,
        shards_unavailable=0,
        copies_wanted=12,
        copies_alive=8,
        transfers=1,
        message="x",
    )
    status.write(client)
    assert watcher.database() == watcher.state().database == status
    assert 0 < client.ttl(DATABASE_KEY) <= DATABASE_SECONDS
    client.set(DATABASE_KEY, "{}")
    assert watcher.database() is None
    assert watcher.state().database is None
    watcher.close()


def test_a_watcher_that_is_gone_scans_no_longer(settings, client):
    watcher = WatcherClient(settings)
    client.hset(WATCHER_HASH, mapping={"scanning": "1", "updated_at": "2026-01-01T00:00:00+00:00"})
    assert not watcher.state().scanning
    client.hset(WATCHER_HASH, mapping={"updated_at": datetime.now(UTC).isoformat()})
    assert watcher.state().scanning
    watcher.close()


def test_hints_come_in_order_and_do_not_pile_up(settings, client):
    watcher = WatcherClient(settings)
    watcher.request_scan(["a/b.jpg", "é.jpg"])
    watcher.request_scan()
    assert [json.loads(client.rpop(RESCAN_LIST)) for _ in range(2)] == [{"keys": ["a/b.jpg", "é.jpg"]}, {}]
    watcher.request_scan(["c.jpg"], retry=True)
    assert json.loads(client.rpop(RESCAN_LIST)) == {"keys": ["c.jpg"], "retry": True}
    for number in range(MAX_REQUESTS + 5):
        client.lpush(RESCAN_LIST, str(number))
    watcher.request_scan()
    assert client.llen(RESCAN_LIST) == MAX_REQUESTS
    watcher.close()


def test_redis_away():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        watcher = WatcherClient(QueueSettings(redis_url=f"redis://127.0.0.1:{closed.getsockname()[1]}/0"))
        assert watcher.state() == WatcherState()
        assert watcher.database() is None
        with pytest.raises(QueueUnavailable):
            watcher.request_scan(["a"])
        watcher.close()


def test_a_hint_says_for_which_request_it_is(settings, client):
    watcher = WatcherClient(settings)
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        watcher.request_scan(["a.jpg"])
    assert json.loads(client.rpop(RESCAN_LIST)) == {"keys": ["a.jpg"], "request_id": "abc"}
