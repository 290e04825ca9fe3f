"""Maps, by real processes: asked for, seen to come, cancelled, added to, and finished although a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import time

import httpx
import psutil
import pytest
from drawn import draw
from sightline_local.readiness import ingest_state
from waiting import wait_for, wait_for_pid

LABELS = {"bright": 700, "dark": 440, "wide": 60}
"""So many that a map takes a second or two, and can be interrupted."""
PICTURES = sum(LABELS.values())
MAP_SECONDS = 90

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def running(start, tmp_path_factory):
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    seed = 0
    for label, count in LABELS.items():
        (bucket / label).mkdir(parents=True)
        for number in range(count):
            (bucket / label / f"{number:03}.jpg").write_bytes(draw(seed, (160, 120)))
            seed += 1
    (bucket / "few").mkdir()
    for number in range(4):
        (bucket / "few" / f"{number}.jpg").write_bytes(draw(number))
    system = start(bucket, writable=True, MAPS_THREADS="1")
    wait_for_pictures(system, PICTURES + 4)
    return system


def wait_for_pictures(system, count: int) -> None:
    wait_for(
        lambda: (state := ingest_state(system.stack)) and state.finished and state.indexed == count,
        f"{count} pictures are indexed",
        600,
    )


def ask(system, **wanted: object) -> httpx.Response:
    """Ask for a map, once a worker runs."""

    def answer() -> httpx.Response | None:
        got = system.http.post("/api/v1/maps", json=wanted)
        return None if got.status_code == 503 else got

    return wait_for(answer, "a map worker runs", 60)


def finished(system, map_id: str) -> dict:
    def state() -> dict | None:
        got = system.get(f"/maps/{map_id}")
        return got if got["state"] in ("done", "failed", "cancelled") else None

    return wait_for(state, "the map is finished", MAP_SECONDS)


def states(system, map_id: str):
    """Yield the states that a map goes through, as often as it is asked for."""
    deadline = time.monotonic() + MAP_SECONDS
    while time.monotonic() < deadline:
        state = system.get(f"/maps/{map_id}")
        yield state
        if state["state"] in ("done", "failed", "cancelled"):
            return
        time.sleep(0.1)


def places(state: dict) -> dict[str, tuple[float, float]]:
    points = state["points"]
    return dict(zip(points["ids"], zip(points["x"], points["y"], strict=True), strict=True))


def test_a_map_forms_and_its_labels_are_right(running):
    asked = ask(running, labels=list(LABELS), perplexity=20)
    assert asked.status_code == 202
    map_id = asked.json()["id"]
    assert asked.headers["location"] == f"/api/v1/maps/{map_id}"
    seen = list(states(running, map_id))
    done = seen[-1]
    assert done["state"] == "done"
    assert len({json.dumps(state["points"]) for state in seen if state["points"]}) > 1, "the points never moved"
    assert {state["progress"]["step"] for state in seen if state["progress"]} >= {"optimizing"}
    points = done["points"]
    assert done["count"] == done["total"] == PICTURES == len(points["ids"])
    assert {len(column) for column in points.values()} == {PICTURES}
    assert all(-1 <= value <= 1 for value in points["x"] + points["y"])
    known = {image["id"]: image["label"] for image in running.images()}
    assert [done["labels"][number] for number in points["label"]] == [known[one] for one in points["ids"]]
    assert sum(cluster["size"] for cluster in done["clusters"]) == PICTURES
    assert {cluster["id"] for cluster in done["clusters"]} == set(points["cluster"])
    assert {one["label"]: one["count"] for one in done["separation"]["per_label"]} == LABELS
    assert not done["stale"]
    thumbnail = done["thumbnails"].replace("{id}", points["ids"][0])
    assert running.http.get(thumbnail).headers["content-type"] == "image/webp"


def test_an_equal_request_is_answered_at_once(running):
    first = finished(running, ask(running, labels=list(LABELS), perplexity=20).json()["id"])
    again = ask(running, labels=[*reversed(LABELS)], perplexity=20)
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    assert again.json()["points"] == first["points"]
    listed = running.get("/maps")["maps"]
    assert first["id"] in {one["id"] for one in listed}
    assert all(one["points"] is None for one in listed)


def test_new_pictures_are_placed_and_old_points_stay(running):
    wanted = {"labels": ["wide"], "perplexity": 10}
    before = finished(running, ask(running, **wanted).json()["id"])
    new = [("files", (f"new-{number}.jpg", draw(9000 + number), "image/jpeg")) for number in range(3)]
    answer = running.http.post("/api/v1/images", files=new, data={"folder": "wide"})
    assert answer.status_code == 201
    added = {one["id"] for one in answer.json()["accepted"]}
    gone = before["points"]["ids"][0]
    assert running.http.delete(f"/api/v1/images/{gone}").status_code == 204
    wait_for_pictures(running, PICTURES + 4 + 3 - 1)
    wait_for(lambda: running.get(f"/maps/{before['id']}")["stale"], "the map is stale", 30)
    again = ask(running, **wanted)
    assert again.status_code == 202
    assert again.json()["id"] == before["id"]
    after = finished(running, before["id"])
    old, now = places(before), places(after)
    assert set(now) == set(old) - {gone} | added
    assert all(now[one] == old[one] for one in set(now) & set(old))
    marked = {one for one, new in zip(after["points"]["ids"], after["points"]["new"], strict=True) if new}
    assert marked == added
    assert not after["stale"]


def test_a_map_is_cancelled_while_it_is_computed(running):
    map_id = ask(running, perplexity=70).json()["id"]
    for state in states(running, map_id):
        if state["progress"] and state["progress"]["step"] == "optimizing":
            assert running.http.delete(f"/api/v1/maps/{map_id}").status_code == 204
            break
    assert running.get(f"/maps/{map_id}")["state"] == "cancelled"
    # The worker goes on to the next job.
    assert finished(running, ask(running, labels=["dark"], perplexity=11).json()["id"])["state"] == "done"
    assert running.get(f"/maps/{map_id}")["state"] == "cancelled"
    assert running.http.delete(f"/api/v1/maps/{map_id}").status_code == 204
    assert running.http.get(f"/api/v1/maps/{map_id}").status_code == 404


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_map_whose_worker_ends_is_finished_by_the_next(running, how):
    map_id = ask(running, perplexity=80 + how).json()["id"]
    pid = wait_for_pid(running.supervisor, "map-worker")
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for state in states(running, map_id):
        assert state["state"] in ("queued", "running"), "ended too late: the map was done"
        if state["progress"] and state["progress"]["step"] == "optimizing":
            os.kill(pid, how)
            break
    wait_for_pid(running.supervisor, "map-worker", other_than=pid)
    done = finished(running, map_id)
    assert (done["state"], done["reason"]) == ("done", None)
    wait_for(lambda: not any(one.is_running() for one in processes), "the old worker is gone with its children", 30)


def test_uploaded_pictures_make_a_map_and_stay_out_of_the_collection(running):
    before = running.get("/ingest")["indexed"]
    files = [
        ("files", (f"holiday/{'sea' if number % 2 else 'hills'}/{number}.png", draw(7000 + number), "image/png"))
        for number in range(12)
    ]
    files.append(("files", ("holiday/sea/notes.jpg", b"no picture", "image/jpeg")))
    asked = running.http.post("/api/v1/maps/uploads", files=files, data={"perplexity": "5"})
    assert asked.status_code == 202, asked.text
    assert [one["name"] for one in asked.json()["refused"]] == ["holiday/sea/notes.jpg"]
    done = finished(running, asked.json()["id"])
    assert (done["state"], done["labels"], done["count"]) == ("done", ["hills", "sea"], 12)
    assert done["request"]["perplexity"] == 3
    addresses = [done["thumbnails"].replace("{index}", str(place)) for place in range(12)]
    assert all(running.http.get(one).headers["content-type"] == "image/webp" for one in addresses)
    assert running.get("/ingest")["indexed"] == before
    assert running.http.delete(f"/api/v1/maps/{done['id']}").status_code == 204
    assert running.http.get(addresses[0]).status_code == 404


def test_too_few_pictures_are_said_to_be_too_few(running):
    answer = ask(running, labels=["few"])
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:sightline:problem:too-few"
    assert answer.json()["detail"] == "Only 4 pictures match; a map needs 10."


def test_without_a_worker_the_rest_works(running):
    done = finished(running, ask(running, labels=["dark"], perplexity=11).json()["id"])
    running.supervisor.call("stop", name="map-worker", waiting=True)
    try:

        def refused() -> dict | None:
            answer = running.http.post("/api/v1/maps", json={"perplexity": 31 + time.monotonic() % 1})
            if answer.status_code != 503:
                running.http.delete(answer.headers["location"])
                return None
            return answer.json()

        problem = wait_for(refused, "the gateway knows that no worker runs", 40)
        assert problem["type"] == "urn:sightline:problem:no-map-worker"
        assert running.get(f"/maps/{done['id']}")["state"] == "done"
        assert ask(running, labels=["dark"], perplexity=11).status_code == 200
        assert running.http.get("/readyz").status_code == 200
    finally:
        running.supervisor.call("start", name="map-worker", waiting=True)
