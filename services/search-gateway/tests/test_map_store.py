"""Maps in a real Redis: whose they are, and how many are kept."""

from __future__ import annotations

import time

import pytest
import redis
from sightline_search_gateway.maps import store as store_module
from sightline_search_gateway.maps.queue import LOST, MapQueue
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.settings import MEBIBYTE, MapSettings
from sightline_search_gateway.maps.store import INDEX, PREFIX, MapStore
from sightline_service.queues import QUEUE_MAPS, redis_client

MODEL = {"id": "embedded", "fingerprint": "f"}


def wanted(**changes) -> MapRequest:
    return MapRequest.of({"sample": 2000, "perplexity": 30, **changes})


@pytest.fixture
def store(queue):
    made = MapStore(queue, MapSettings())
    yield made
    made.close()


def put(store: MapStore, name: str = "m-1", *, total: int = 100, **changes):
    return store.put(name, wanted(**changes), MODEL, total=total)


def make(store: MapStore, name: str, **changes):
    record = store.claim(name, put(store, name, **changes).run)
    assert store.write(name, record.run, {"made": 1}, {"xy": b"1234"})
    assert store.finish(name, record.run, "done")


def test_a_map_waits_is_claimed_once_and_finished(store):
    record = put(store)
    assert (record.state, record.tries, record.total) == ("queued", 0, 100)
    claimed = store.claim("m-1", record.run)
    assert (claimed.state, claimed.tries) == ("running", 1)
    assert store.claim("m-1", record.run) is None
    assert store.write("m-1", claimed.run, {"count": 7, "labels": ["a"], "separation": None}, {"xy": b"12345678"})
    assert store.finish("m-1", claimed.run, "done")
    done = store.get("m-1")
    assert (done.state, done.count, done.labels, done.separation) == ("done", 7, ("a",), None)
    assert done.finished_at is not None
    assert done.version > claimed.version
    assert not store.write("m-1", claimed.run, {"count": 8})


def test_a_cancelled_map_is_nobodys(store):
    record = store.claim("m-1", put(store).run)
    assert store.cancel(store.get("m-1"))
    assert not store.beat("m-1", record.run)
    assert not store.write("m-1", record.run, {"count": 8})
    assert not store.finish("m-1", record.run, "done")
    assert store.get("m-1").state == "cancelled"
    assert not store.cancel(store.get("m-1"))


def test_a_waiting_map_that_is_cancelled_is_not_claimed(store):
    record = put(store)
    assert store.cancel(record)
    assert store.claim("m-1", record.run) is None


def test_a_map_asked_for_anew_keeps_its_points_but_no_worker(store):
    make(store, "m-1")
    before = store.get("m-1")
    again = store.put("m-1", wanted(), MODEL, total=120, before=before)
    assert (again.state, again.total, again.made, again.created_at) == ("queued", 120, True, before.created_at)
    assert store.part("m-1", "xy") == b"1234"
    assert not store.write("m-1", before.run, {"count": 1})


def test_a_failed_map_asked_for_anew_begins_with_nothing(store):
    record = store.claim("m-1", put(store).run)
    store.write("m-1", record.run, {}, {"xy": b"1234"})
    store.finish("m-1", record.run, "failed", "Only 4 pictures match.")
    failed = store.get("m-1")
    assert failed.reason == "Only 4 pictures match."
    again = store.put("m-1", wanted(), MODEL, total=120, before=failed)
    assert (again.reason, again.made) == (None, False)
    assert store.part("m-1", "xy") is None


def test_everything_of_a_map_ends_some_time(store, queue):
    make(store, "m-1")
    client = redis_client(queue)
    keys = client.keys(f"{PREFIX}*")
    assert len(keys) == 2
    assert all(0 < client.ttl(key) <= 31 * 86_400 for key in keys)
    store.delete("m-1")
    assert client.keys(f"{PREFIX}*") == []
    assert client.zcard(INDEX) == 0
    client.close()


def test_the_oldest_make_room_but_none_in_work(queue, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_KEPT", 3)
    store = MapStore(queue, MapSettings())
    running = store.claim("m-0", put(store, "m-0").run)
    for number in range(1, 4):
        make(store, f"m-{number}")
    assert {one.id for one in store.superfluous()} == {"m-1"}
    assert {one.id for one in store.superfluous(room_for=1000)} == {"m-1", "m-2"}
    assert running.is_active
    store.close()


def test_bytes_are_bounded(queue):
    store = MapStore(queue, MapSettings(max_bytes=MEBIBYTE))
    for number in range(3):
        make(store, f"m-{number}", total=5000, sample=5000)
    size = store.expected_size(wanted(sample=5000), 5000)
    assert 5000 * 40 < size < MEBIBYTE / 2
    kept = {one.id for one in store.all()} - {one.id for one in store.superfluous(room_for=size)}
    assert kept == {"m-1", "m-2"}
    store.close()


def test_what_is_too_old_goes(queue):
    store = MapStore(queue, MapSettings(keep_days=1))
    make(store, "m-1")
    make(store, "m-2")
    client = redis_client(queue)
    client.hset(f"{PREFIX}m-1", "asked_at", time.time() - 2 * 86_400)
    assert [one.id for one in store.superfluous()] == ["m-1"]
    client.close()
    store.close()


def test_a_worker_is_there_for_a_while(store, queue, monkeypatch):
    assert not store.worker_is_there()
    store.say_worker_is_there()
    assert store.worker_is_there()
    client = redis_client(queue)
    assert 0 < client.ttl(store_module.WORKER) <= store_module.WORKER_SECONDS
    client.close()


def test_a_map_that_lost_its_worker_waits_once_more_and_then_has_failed(queue):
    maps = MapQueue(queue, MapSettings())
    client = redis_client(queue)
    record = maps.store.claim("m-1", put(maps.store).run)
    assert maps.rescue(record) == record
    client.hset(f"{PREFIX}m-1", "beat", time.time() - 60)
    again = maps.rescue(maps.store.get("m-1"))
    assert again.state == "queued"
    assert again.run != record.run
    assert client.llen(QUEUE_MAPS) == 1
    assert not maps.store.write("m-1", record.run, {"count": 1})
    maps.store.claim("m-1", again.run)
    client.hset(f"{PREFIX}m-1", "beat", time.time() - 60)
    failed = maps.rescue(maps.store.get("m-1"))
    assert (failed.state, failed.reason) == ("failed", LOST)
    client.close()
    maps.close()


def test_a_worker_that_stops_in_good_order_has_not_tried(store):
    record = store.claim("m-1", put(store).run)
    again = store.hand_back(record, blameless=True)
    assert (again.state, again.tries) == ("queued", 0)
    assert store.hand_back(record) is None


def test_without_redis_it_is_said_at_once(queue):
    store = MapStore(queue.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}), MapSettings())
    with pytest.raises(redis.RedisError):
        store.get("m-1")
