"""Ingest state as events, and trying failures again."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime

import pytest
from sightline_search_gateway.lookout import Lookout
from sightline_search_gateway.problems import Problem
from sightline_search_gateway.streams import Streams


def data_of(chunks):
    """Yield the values of a stream's events."""
    for chunk in chunks:
        text = chunk.decode()
        if text.startswith("event: "):
            name, data = text.strip().split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_events_tell_the_state_and_its_changes(world, picture):
    with world.client.get("/api/v1/ingest/events", buffered=False) as response:
        assert response.status_code == 200
        assert response.mimetype == "text/event-stream"
        assert response.headers["X-Accel-Buffering"] == "no"
        told = data_of(response.iter_encoded())
        name, first = next(told)
        assert name == "ingest"
        assert first == world.client.get("/api/v1/ingest").json
        world.add("new.jpg", picture("white"))
        _, second = next(told)
        assert second["indexed"] == first["indexed"] + 1


def test_streams_are_bounded(make_world, problem):
    world = make_world(streams=1)
    with world.client.get("/api/v1/ingest/events", buffered=False) as response:
        next(response.iter_encoded())
        refused = world.client.get("/api/v1/ingest/events")
        problem(refused, 503, "too-many-streams")
        assert int(refused.headers["Retry-After"]) > 0
    with world.client.get("/api/v1/ingest/events", buffered=False) as response:
        assert next(data_of(response.iter_encoded()))


def test_one_thread_looks_for_all_and_ends_with_the_last():
    looks = []

    def look():
        looks.append(threading.get_ident())
        return len(looks) // 2

    lookout = Lookout(look, seconds=0.05)
    listeners = [lookout.listen() for _ in range(10)]
    seen = [[value for value in (next(one) for _ in range(3)) if value is not None] for one in listeners]
    assert all(seen)
    assert len(set(looks)) == 1
    for one in listeners:
        one.close()
    deadline = time.monotonic() + 5
    while lookout._thread is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lookout._thread is None
    again = lookout.listen()
    assert next(value for value in again if value is not None)


def test_a_look_that_fails_ends_no_stream():
    answers = iter([RuntimeError("away"), 1, RuntimeError("away"), 2])

    def look():
        answer = next(answers, 3)
        if isinstance(answer, Exception):
            raise answer
        return answer

    told = (value for value in Lookout(look, seconds=0.01).listen() if value is not None)
    assert next(told) >= 1
    while next(told) < 3:
        pass


def test_streams_end_when_the_server_stops():
    streams = Streams(2)
    streams.stop()
    with pytest.raises(Problem, match="listen"):
        streams.open(iter([]))


def test_failures_are_tried_again(world):
    world.add("bad.jpg", b"x", state="failed", reason="not an image")
    world.add("worse.jpg", b"y", state="failed", reason="not an image")
    [bad, worse] = [image for image in world.collection.images.values() if image.state == "failed"]
    [good, *_] = [image for image in world.collection.images.values() if image.state == "indexed"]
    unknown = "00000000-0000-4000-8000-000000000000"
    response = world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id, good.id, unknown]})
    assert response.status_code == 202
    assert response.json == {"queued": True, "retried": 1}
    assert world.board.hints == [["bad.jpg"]]
    again = world.collection.images[bad.id]
    assert again.state == "pending"
    assert again.next_try_at <= datetime.now(UTC)
    assert world.collection.images[worse.id].state == "failed"
    assert world.collection.images[good.id].state == "indexed"


@pytest.mark.parametrize("body", [{"ids": []}, {"ids": ["x"]}, {"ids": "x"}, {"keys": ["a"]}, []])
def test_what_is_no_rescan(world, problem, body):
    problem(world.client.post("/api/v1/ingest/rescan", json=body), 422, "invalid-request")
    assert world.board.hints == []


def test_a_retry_that_redis_does_not_hear_of_is_pending_all_the_same(world, problem):
    world.add("bad.jpg", b"x", state="failed", reason="not an image")
    [bad] = [image for image in world.collection.images.values() if image.state == "failed"]
    world.board.away = True
    response = world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id]})
    assert response.json == {"queued": True, "retried": 1}
    assert world.collection.images[bad.id].state == "pending"
