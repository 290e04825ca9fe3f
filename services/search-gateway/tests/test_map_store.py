"""Maps and their jobs in a real Redis: whose they are, and how many are kept."""

from __future__ import annotations

import time

import pytest
import redis
from sightline_search_gateway.maps import store as store_module
from sightline_search_gateway.maps.jobs import GROUP, LEASE_SECONDS, STREAM, WORKER_KEY, LeaseLost, MapJobs
from sightline_search_gateway.maps.record import NewMap
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.settings import MEBIBYTE, MapSettings
from sightline_search_gateway.maps.store import INDEX, PREFIX, MapStore
from sightline_service.queues import redis_client

MODEL = {"id": "embedded", "fingerprint": "f"}


def new(name: str = "m-1", total: int = 100, labels=(), refused=(), **changes) -> NewMap:
    request = MapRequest.of({"sample": 2000, "perplexity": 30, **changes})
    return NewMap(name, request, MODEL, total, labels=labels, refused=refused)


@pytest.fixture
def jobs(queue):
    made = MapJobs(MapStore(queue, MapSettings()))
    made.join("worker")
    yield made
    made.store.close()


def take(jobs: MapJobs, worker: str = "worker"):
    return jobs.take(worker, wait_seconds=0.01)


def make(jobs: MapJobs, name: str, **changes) -> None:
    jobs.submit(new(name, **changes))
    run = take(jobs)
    assert run.map_id == name
    jobs.write(run, {"made": 1}, {"xy": b"1234"})
    jobs.finish(run, "done")


def lapse(jobs: MapJobs) -> None:
    """Let the leases of all jobs lapse, as if their workers had been silent for a minute."""
    for one in jobs.store.client.xpending_range(STREAM, GROUP, "-", "+", 10):
        jobs.store.client.xclaim(STREAM, GROUP, one["consumer"], 0, [one["message_id"]], idle=60_000, justid=True)


def test_a_map_waits_is_taken_once_and_finished(jobs):
    record = jobs.submit(new())
    assert (record.state, record.attempts, record.total) == ("queued", 0, 100)
    run = take(jobs)
    taken = jobs.store.get("m-1")
    assert (taken.state, taken.attempts, run.attempt) == ("running", 1, 1)
    assert take(jobs) is None
    jobs.write(run, {"count": 7, "labels": ["a"], "separation": None}, {"xy": b"12345678"})
    jobs.finish(run, "done")
    done = jobs.store.get("m-1")
    assert (done.state, done.count, done.labels, done.separation) == ("done", 7, ("a",), None)
    assert done.finished_at is not None
    assert done.version > taken.version
    with pytest.raises(LeaseLost):
        jobs.write(run, {"count": 8})
    assert jobs.store.client.xlen(STREAM) == 0


def test_maps_are_taken_in_the_order_in_which_they_were_asked_for(jobs):
    for number in range(3):
        jobs.submit(new(f"m-{number}"))
    assert [take(jobs, worker).map_id for worker in ("worker", "other", "worker")] == ["m-0", "m-1", "m-2"]


def test_a_cancelled_map_is_nobodys(jobs):
    jobs.submit(new())
    run = take(jobs)
    assert jobs.cancel(jobs.store.get("m-1"))
    for call in (
        lambda: jobs.heartbeat(run),
        lambda: jobs.write(run, {"count": 8}),
        lambda: jobs.finish(run, "done"),
        lambda: jobs.release(run, count_attempt=True),
    ):
        with pytest.raises(LeaseLost):
            call()
    assert jobs.store.get("m-1").state == "cancelled"
    assert not jobs.cancel(jobs.store.get("m-1"))


def test_a_waiting_map_that_is_cancelled_is_not_taken(jobs):
    assert jobs.cancel(jobs.submit(new()))
    assert take(jobs) is None
    assert jobs.store.client.xlen(STREAM) == 0


def test_a_map_asked_for_anew_keeps_its_points_but_no_worker(jobs):
    jobs.submit(new())
    run = take(jobs)
    jobs.write(run, {"made": 1}, {"xy": b"1234"})
    jobs.finish(run, "done")
    before = jobs.store.get("m-1")
    again = jobs.submit(new(total=120), before)
    assert (again.state, again.total, again.made, again.created_at) == ("queued", 120, True, before.created_at)
    assert again.version > before.version
    assert jobs.store.part("m-1", "xy") == b"1234"
    with pytest.raises(LeaseLost):
        jobs.write(run, {"count": 1})


def test_a_run_of_a_map_that_was_cancelled_and_asked_for_anew_writes_nothing(jobs):
    jobs.submit(new())
    run = take(jobs)
    jobs.cancel(jobs.store.get("m-1"))
    jobs.submit(new(), jobs.store.get("m-1"))
    again = take(jobs, "other")
    with pytest.raises(LeaseLost):
        jobs.write(run, {"count": 1})
    jobs.write(again, {"count": 2})
    assert jobs.store.get("m-1").count == 2


def test_a_failed_map_asked_for_anew_begins_with_nothing(jobs):
    jobs.submit(new())
    run = take(jobs)
    jobs.write(run, {}, {"xy": b"1234"})
    jobs.finish(run, "failed", "Only 4 pictures match.")
    failed = jobs.store.get("m-1")
    assert failed.reason == "Only 4 pictures match."
    again = jobs.submit(new(total=120), failed)
    assert (again.reason, again.made) == (None, False)
    assert jobs.store.part("m-1", "xy") is None


def test_everything_of_a_map_ends_some_time(jobs, queue):
    make(jobs, "m-1")
    client = redis_client(queue)
    keys = list(client.scan_iter(f"{PREFIX}*"))
    assert len(keys) == 2
    assert all(0 < client.ttl(key) <= 31 * 86_400 for key in keys)
    jobs.store.delete("m-1")
    assert list(client.scan_iter(f"{PREFIX}*")) == []
    assert client.zcard(INDEX) == 0
    client.close()


def test_the_oldest_make_room_but_none_in_work(jobs, monkeypatch):
    monkeypatch.setattr(store_module, "MAX_KEPT", 3)
    jobs.submit(new("m-0"))
    take(jobs)
    for number in range(1, 4):
        make(jobs, f"m-{number}")
    assert {one.id for one in jobs.store.expired()} == {"m-1"}
    assert {one.id for one in jobs.store.expired(room_for=1000)} == {"m-1", "m-2"}
    assert jobs.store.get("m-0").is_active


def test_bytes_are_bounded(queue):
    jobs = MapJobs(MapStore(queue, MapSettings(max_bytes=MEBIBYTE)))
    jobs.join("worker")
    for number in range(3):
        make(jobs, f"m-{number}", total=5000, sample=5000)
    size = new(total=5000, sample=5000).expected_size
    assert 5000 * 40 < size < MEBIBYTE / 2
    told = {"labels": ["é" * 100], "refused": [{"name": "😀" * 100, "reason": "not an image"}]}
    assert new(total=5000, sample=5000, **told).expected_size > size + 600
    kept = {one.id for one in jobs.store.all()} - {one.id for one in jobs.store.expired(room_for=size)}
    assert kept == {"m-1", "m-2"}
    jobs.store.close()


def test_what_is_too_old_goes(queue):
    jobs = MapJobs(MapStore(queue, MapSettings(keep_days=1)))
    jobs.join("worker")
    make(jobs, "m-1")
    make(jobs, "m-2")
    jobs.store.client.hset(f"{PREFIX}m-1", "asked_at", time.time() - 2 * 86_400)
    assert [one.id for one in jobs.store.expired()] == ["m-1"]
    jobs.store.close()


def test_a_worker_is_there_while_it_looks_for_jobs(queue):
    jobs = MapJobs(MapStore(queue, MapSettings()))
    assert not jobs.has_worker()
    client = redis_client(queue)
    for _ in range(2):
        assert take(jobs) is None
        assert jobs.has_worker()
        assert 0 < client.ttl(WORKER_KEY) <= LEASE_SECONDS
        # Long ago it last looked.
        client.delete(WORKER_KEY)
        assert not jobs.has_worker()
    jobs.submit(new())
    run = take(jobs)
    client.delete(WORKER_KEY)
    jobs.heartbeat(run)
    assert jobs.has_worker()
    client.close()
    jobs.store.close()


def test_a_worker_that_was_gone_for_a_day_is_forgotten_unless_it_held_a_job(jobs, monkeypatch):
    monkeypatch.setattr("sightline_search_gateway.maps.jobs.FORGET_WORKER_SECONDS", 0.0)
    jobs.submit(new())
    take(jobs, "holds-a-job")
    time.sleep(0.002)
    jobs.join("new")
    assert {one["name"] for one in jobs.store.client.xinfo_consumers(STREAM, GROUP)} - {b"new"} == {b"holds-a-job"}


def test_a_job_whose_lease_lapsed_goes_to_the_next_worker(jobs):
    jobs.submit(new())
    run = take(jobs)
    assert take(jobs, "other") is None
    lapse(jobs)
    again = take(jobs, "other")
    assert (again.map_id, again.attempt, again.worker) == ("m-1", 2, "other")
    assert jobs.store.get("m-1").state == "running"
    with pytest.raises(LeaseLost):
        jobs.write(run, {"count": 1})
    with pytest.raises(LeaseLost):
        jobs.heartbeat(run)


def test_a_job_whose_worker_died_before_it_began_goes_to_the_next_worker(jobs):
    jobs.submit(new())
    client = jobs.store.client
    client.xreadgroup(GROUP, "worker", {STREAM: ">"}, count=1)
    assert take(jobs, "other") is None
    lapse(jobs)
    assert take(jobs, "other").attempt == 1


def test_a_heartbeat_renews_the_lease(jobs):
    jobs.submit(new())
    run = take(jobs)
    lapse(jobs)
    jobs.heartbeat(run)
    assert take(jobs, "other") is None


def test_a_worker_that_stops_in_good_order_has_not_tried(jobs):
    jobs.submit(new())
    run = take(jobs)
    jobs.release(run, count_attempt=False)
    again = jobs.store.get("m-1")
    assert (again.state, again.attempts) == ("queued", 0)
    with pytest.raises(LeaseLost):
        jobs.release(run, count_attempt=False)
    run = take(jobs, "other")
    assert run.attempt == 1
    jobs.release(run, count_attempt=True)
    assert take(jobs).attempt == 2


def test_a_redis_that_was_emptied_gets_its_stream_anew(jobs):
    jobs.store.client.delete(*jobs.store.client.scan_iter())
    assert take(jobs) is None
    jobs.submit(new())
    assert take(jobs).map_id == "m-1"


def test_without_redis_it_is_said_at_once(queue):
    store = MapStore(queue.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}), MapSettings())
    with pytest.raises(redis.RedisError):
        store.get("m-1")
