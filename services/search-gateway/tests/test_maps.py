"""Maps over HTTP, with a real Redis and the worker's own code."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sightline_catalogue import CatalogueUnavailable
from sightline_search_gateway.maps.jobs import STREAM, MapJobs
from sightline_search_gateway.maps.store import MapStore
from sightline_search_gateway.maps.worker import job
from sightline_search_gateway.maps.worker.runner import LOST, MapWorker

LABELS = ("cats", "dogs", "cows")
EACH = 15
OTHER_SITE = {"Origin": "https://elsewhere.example"}


def context(world) -> job.Context:
    """Return what a process that computes maps has open."""
    return job.Context(
        jobs=MapJobs(MapStore(world.settings.queue, world.settings.maps)),
        catalogue=world.catalogue,
        namer=lambda centroids, sizes, otherwise: list(otherwise),
        threads=1,
    )


class Process(threading.Thread):
    """A run that is computed here, in a thread where a worker has a process."""

    def __init__(self, world, run) -> None:
        super().__init__(target=job.compute, args=(context(world), run))
        self.start()

    @property
    def exitcode(self) -> int | None:
        return None if self.is_alive() else 0

    def kill(self) -> None:
        """A thread ends when it next writes."""


def worker(world, *, start=None, stopping=None) -> MapWorker:
    """Return a map worker."""
    jobs = MapJobs(MapStore(world.settings.queue, world.settings.maps))
    return MapWorker(jobs, "worker", start or (lambda run: Process(world, run)), stopping or threading.Event())


def work(world, **options) -> list[str]:
    """Compute what waits, as the worker would; return what became of each."""
    working = worker(world, **options)
    outcomes = []
    while (outcome := working.work_once()) is not None:
        outcomes.append(outcome)
    working.jobs.store.close()
    return outcomes


def fill(world, each: int = EACH) -> None:
    """Put labelled pictures in whose vectors lie round their label's own."""
    random = np.random.default_rng(1)
    for place, label in enumerate(LABELS):
        for number in range(each):
            image = world.add(f"{label}/{number}.jpg", b"%d %d" % (place, number))
            vector = np.eye(8, dtype=np.float32)[place] + 0.1 * random.standard_normal(8).astype(np.float32)
            world.collection.upsert([image], [vector])


@pytest.fixture
def mapping(make_world, queue):
    """Return a gateway with pictures, a Redis, and a map worker that says it is there."""
    world = make_world(queue=queue)
    fill(world)
    world.maps.jobs.join("worker")
    yield world
    world.maps.close()


def ask(world, **wanted):
    return world.client.post("/api/v1/maps", json=wanted)


def made(world, **wanted) -> dict:
    answer = ask(world, **wanted)
    assert answer.status_code == 202, answer.text
    assert work(world) == ["done"]
    return world.client.get(answer.headers["Location"]).json


def picture_files(picture, count: int, label: str = "cats") -> list:
    colors = [f"#{12 * number:02x}40{255 - 12 * number:02x}" for number in range(count)]
    return [(io.BytesIO(picture(color, (80, 60))), f"{label}/{place}.jpg") for place, color in enumerate(colors)]


def test_a_map_of_everything(mapping):
    asked = ask(mapping)
    assert asked.status_code == 202
    assert asked.json["state"] == "queued"
    assert asked.json["points"] is None
    assert asked.headers["Location"] == f"/api/v1/maps/{asked.json['id']}"
    assert work(mapping) == ["done"]
    state = mapping.client.get(asked.headers["Location"]).json
    assert (state["state"], state["count"], state["total"]) == ("done", 45, 45)
    assert state["labels"] == sorted(LABELS)
    points = state["points"]
    assert [state["labels"][one] for one in points["label"]] == [
        mapping.collection.images[one].label for one in points["ids"]
    ]
    assert state["request"]["perplexity"] == 14
    assert [cluster["size"] for cluster in state["clusters"]] == [EACH] * 3
    assert {cluster["name"] for cluster in state["clusters"]} == set(LABELS)
    assert state["separation"]["knn_agreement"] == 1
    assert state["stale"] is False
    assert mapping.client.get(f"{asked.headers['Location']}?points=false").json["points"] is None


def test_an_equal_request_is_answered_from_the_store(mapping):
    first = made(mapping, labels=["cats", "dogs"])
    again = ask(mapping, labels=["dogs", "cats"])
    assert (again.status_code, again.json) == (200, first)
    assert ask(mapping, labels=["dogs", "cats"], perplexity=8).status_code == 202


def test_a_request_as_the_answer_repeats_it_is_the_same_map(mapping):
    first = made(mapping, perplexity=40)
    assert first["request"]["perplexity"] == 14
    again = ask(mapping, perplexity=first["request"]["perplexity"])
    assert (again.status_code, again.json["id"]) == (200, first["id"])


def test_an_equal_request_that_waits_is_the_same_map(mapping):
    first, again = ask(mapping), ask(mapping)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json["id"] == again.json["id"]
    assert mapping.maps.store.client.xlen(STREAM) == 1


def test_a_sample_is_fair_bounded_and_the_same(mapping):
    first = made(mapping, sample=20)
    assert (first["count"], first["total"]) == (20, 45)
    by_label = made(mapping, per_label=5)
    assert np.bincount(by_label["points"]["label"]).tolist() == [5, 5, 5]
    ids = first["points"]["ids"]
    assert mapping.client.delete(f"/api/v1/maps/{first['id']}").status_code == 204
    assert made(mapping, sample=20)["points"]["ids"] == ids


def test_a_map_of_exactly_these(mapping):
    ids = sorted(mapping.collection.images)[5:25]
    state = made(mapping, ids=ids)
    assert sorted(state["points"]["ids"]) == ids
    assert state["request"]["ids"] == 20
    assert ask(mapping, ids=ids, labels=["cats"]).status_code == 422


def test_folders_and_dates_are_a_filter(mapping):
    assert made(mapping, folders=["cats"], before="2030-01-01", after=None)["count"] == EACH
    assert ask(mapping, after="2030-01-01").status_code == 422


def change(world) -> tuple[str, str]:
    """Add a picture of a cat and remove another; return their ids."""
    gone = next(one for one, image in world.collection.images.items() if image.label == "cats")
    added = world.add("cats/new.jpg", b"new", indexed_at=datetime.now(UTC) + timedelta(seconds=1))
    world.collection.upsert([added], [world.collection.stored_vectors[gone]])
    world.collection.delete([gone])
    world.maps._staleness.clear()
    return added.id, gone


def test_what_is_new_is_placed_and_what_is_old_stays(mapping):
    before = made(mapping)
    added, gone = change(mapping)
    assert mapping.client.get(f"/api/v1/maps/{before['id']}").json["stale"] is True
    again = ask(mapping)
    assert again.status_code == 202
    assert again.json["points"] == before["points"], "the old map is there until the new one is"
    assert work(mapping) == ["done"]
    after = mapping.client.get(f"/api/v1/maps/{before['id']}").json
    old = places(before)
    now = places(after)
    assert set(now) == set(old) - {gone} | {added}
    assert all(now[one] == old[one] for one in now if one in old)
    assert [one for one, new in zip(after["points"]["ids"], after["points"]["new"], strict=True) if new] == [added]
    assert after["created_at"] == before["created_at"]
    assert after["separation"]["per_label"] == before["separation"]["per_label"]
    # Among its like.
    cats = np.array([now[one] for one in now if mapping.collection.images[one].label == "cats" and one != added])
    others = np.array([now[one] for one in now if mapping.collection.images[one].label != "cats"])
    here = np.array(now[added])
    assert np.linalg.norm(cats - here, axis=1).min() < np.linalg.norm(others - here, axis=1).min()


def places(state: dict) -> dict[str, tuple[float, float]]:
    points = state["points"]
    return dict(zip(points["ids"], zip(points["x"], points["y"], strict=True), strict=True))


def test_with_more_than_a_quarter_new_it_is_made_anew(mapping):
    made(mapping)
    for number in range(12):
        mapping.add(f"cats/new-{number}.jpg", b"new %d" % number, indexed_at=datetime.now(UTC))
    mapping.maps._staleness.clear()
    again = made(mapping)
    assert again["count"] == 57
    assert not any(again["points"]["new"])


@pytest.mark.parametrize(("count", "text"), [(1, "Only 1 picture matches"), (9, "Only 9 pictures match")])
def test_too_few(mapping, problem, count, text):
    for number in range(count):
        mapping.add(f"rare/{number}.jpg", b"rare %d" % number)
    body = problem(ask(mapping, labels=["rare"]), 422, "too-few")
    assert body["detail"] == f"{text}; a map needs 10."
    assert problem(ask(mapping, per_label=1), 422, "too-few")["detail"].startswith("Only 4 pictures match")


def test_pictures_that_go_while_a_map_waits_are_said_to_be_missing(mapping):
    asked = ask(mapping)
    mapping.collection.delete(list(mapping.collection.images)[4:])
    assert work(mapping) == ["failed"]
    state = mapping.client.get(asked.headers["Location"]).json
    assert (state["state"], state["reason"]) == ("failed", "Only 4 pictures match; a map needs 10.")
    fill(mapping)
    assert ask(mapping).status_code == 202


def test_without_a_worker_nothing_new_is_made(make_world, queue, problem):
    world = make_world(queue=queue)
    fill(world)
    body = problem(ask(world), 503, "no-map-worker")
    assert "sightline-map-worker" in body["detail"]
    assert world.client.get("/api/v1/maps").json == {"maps": []}


def test_without_redis_it_is_said(make_world, problem, queue):
    world = make_world(queue=queue.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    fill(world)
    problem(ask(world), 503, "queue-unavailable")
    problem(world.client.get("/api/v1/maps"), 503, "queue-unavailable")
    problem(world.client.get(f"/api/v1/maps/m-{1:020}"), 503, "queue-unavailable")


def test_no_more_wait_than_may(make_world, queue, problem):
    world = make_world(queue=queue, maps={"max_waiting": 2})
    fill(world)
    world.maps.jobs.join("worker")
    assert [ask(world, perplexity=value).status_code for value in (5, 6)] == [202, 202]
    answer = ask(world, perplexity=7)
    problem(answer, 429, "overloaded")
    assert int(answer.headers["Retry-After"]) > 0
    assert ask(world, perplexity=5).status_code == 200


def test_no_larger_than_may_be(make_world, queue, problem):
    world = make_world(queue=queue, maps={"max_points": 100})
    body = problem(ask(world, sample=101), 422, "invalid-request")
    assert body["errors"][0]["name"] == "sample"
    assert "MAPS_MAX_POINTS" in body["detail"]


@pytest.mark.parametrize(
    "wanted", [{"perplexity": 4}, {"perplexity": 101}, {"sample": 9}, {"ids": ["x"]}, {"other": 1}, {"per_label": -1}]
)
def test_what_makes_no_sense_is_refused(mapping, problem, wanted):
    body = problem(ask(mapping, **wanted), 422, "invalid-request")
    assert body["errors"][0]["in"] == "body"
    assert body["errors"][0]["name"].startswith(next(iter(wanted)))


def test_cancelling_one_that_waits_and_forgetting_it(mapping, problem):
    address = ask(mapping).headers["Location"]
    assert mapping.client.delete(address).status_code == 204
    assert mapping.client.get(address).json["state"] == "cancelled"
    assert work(mapping) == []
    assert mapping.client.delete(address).status_code == 204
    problem(mapping.client.get(address), 404, "map-not-found")
    problem(mapping.client.delete(address), 404, "map-not-found")


def at_iterations(monkeypatch, call, iterations=(100,)) -> None:
    """Have something happen while a layout forms."""
    fit = job.layout.fit

    def watched(*arguments, on_progress, **options):
        def watch(iteration, kl_divergence, coordinates):
            if iteration in iterations:
                call()
            on_progress(iteration, kl_divergence, coordinates)

        return fit(*arguments, on_progress=watch, **options)

    monkeypatch.setattr(job.layout, "fit", watched)
    monkeypatch.setattr(job, "PUBLISH_SECONDS", 0.0)


def test_cancelling_one_that_is_computed(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    at_iterations(monkeypatch, lambda: mapping.client.delete(address))
    assert work(mapping) == ["cancelled"]
    state = mapping.client.get(address).json
    assert state["state"] == "cancelled"
    assert state["finished_at"] is not None


def test_progress_and_points_show_while_it_is_computed(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    seen = []
    at_iterations(monkeypatch, lambda: seen.append(mapping.client.get(address).json))
    work(mapping)
    [state] = seen
    assert state["state"] == "running"
    assert (state["progress"]["step"], state["progress"]["iteration"]) == ("optimizing", 90)
    assert state["progress"]["kl_divergence"] > 0
    assert len(state["points"]["x"]) == 45
    assert state["points"]["cluster"] == [-1] * 45


def test_a_worker_that_is_told_to_stop_gives_its_map_back(mapping):
    address = ask(mapping).headers["Location"]
    told = threading.Event()

    def start(run):
        told.set()
        return endless(run)

    assert worker(mapping, stopping=told, start=start).work_once() == "returned"
    assert mapping.client.get(address).json["state"] == "queued"
    assert mapping.maps.store.client.xlen(STREAM) == 1
    assert mapping.maps.store.all()[0].attempts == 0
    assert work(mapping) == ["done"]


def test_what_has_not_changed_is_not_sent_again(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    seen = [mapping.client.get(address).json]

    def poll():
        state = mapping.client.get(address, query_string={"since": seen[-1]["version"]}).json
        if state["version"] != seen[-1]["version"]:
            seen.append(state)

    at_iterations(monkeypatch, poll, (50, 100, 150))
    assert work(mapping) == ["done"]
    poll()
    versions = [state["version"] for state in seen]
    assert versions == sorted(set(versions))
    waiting, first, *moved, done = seen
    assert waiting["points"] is None
    assert all(first["points"].values())
    assert len(moved) == 2
    for state in moved:
        assert (len(state["points"]["x"]), len(state["points"]["y"])) == (45, 45)
        assert [state["points"][name] for name in ("ids", "label", "cluster", "new")] == [None] * 4
    assert moved[0]["points"]["x"] != moved[1]["points"]["x"]
    assert done["points"]["ids"] == first["points"]["ids"]
    assert set(done["points"]["cluster"]) == {0, 1, 2}
    assert mapping.client.get(address, query_string={"since": done["version"]}).json["points"] is None
    assert mapping.client.get(address).json["points"] == done["points"]


def test_a_map_has_an_etag_of_its_version_its_staleness_and_the_query(mapping):
    address = f"/api/v1/maps/{made(mapping)['id']}"
    answer = mapping.client.get(address)

    def status(etag, **query):
        return mapping.client.get(address, query_string=query, headers={"If-None-Match": etag}).status_code

    etag = answer.headers["ETag"]
    assert status(etag) == 304
    assert status(f"W/{etag}") == 304
    assert status(etag, points="false") == status(etag, since=answer.json["version"]) == 200
    change(mapping)
    changed = mapping.client.get(address, headers={"If-None-Match": etag})
    assert (changed.status_code, changed.json["stale"]) == (200, True)
    assert changed.json["version"] == answer.json["version"]
    assert ask(mapping).status_code == 202
    assert status(changed.headers["ETag"]) == 200


def test_versions_of_a_map_that_is_made_again_go_on(mapping):
    first = made(mapping)
    address = f"/api/v1/maps/{first['id']}"
    assert mapping.client.delete(address).status_code == 204
    assert made(mapping)["id"] == first["id"]
    again = mapping.client.get(address, query_string={"since": first["version"]}).json
    assert again["version"] > first["version"]
    assert all(again["points"].values())


def test_the_catalogue_away_is_waited_for_and_then_said(mapping, monkeypatch):
    monkeypatch.setattr(job, "CATALOGUE_WAIT_SECONDS", 0.2)
    address = ask(mapping).headers["Location"]
    mapping.catalogue.error = CatalogueUnavailable("away")
    assert work(mapping) == ["failed"]
    state = mapping.client.get(address).json
    assert (state["state"], state["reason"]) == ("failed", job.CATALOGUE_UNAVAILABLE)


def test_what_nobody_thought_of_is_a_failure_with_a_reason(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    at_iterations(monkeypatch, lambda: 1 / 0)
    assert work(mapping) == ["failed"]
    assert mapping.client.get(address).json["reason"] == job.UNEXPECTED


def process(target) -> multiprocessing.Process:
    made = multiprocessing.get_context("fork").Process(target=target)
    made.start()
    return made


def killed(run) -> multiprocessing.Process:
    """Start a process that the kernel kills."""
    return process(lambda: os.kill(os.getpid(), signal.SIGKILL))


def endless(run) -> multiprocessing.Process:
    """Start a process that computes for ever."""
    return process(lambda: time.sleep(600))


def test_a_map_whose_process_is_killed_is_tried_once_more_and_then_has_failed(mapping):
    address = ask(mapping).headers["Location"]
    working = worker(mapping, start=killed)
    assert working.work_once() == "lost"
    assert mapping.client.get(address).json["state"] == "queued"
    assert [working.work_once(), working.work_once(), working.work_once()] == ["lost", "failed", None]
    state = mapping.client.get(address).json
    assert (state["state"], state["reason"]) == ("failed", LOST)
    assert ask(mapping).status_code == 202
    assert work(mapping) == ["done"]


def test_a_map_whose_process_is_killed_once_is_done(mapping):
    ask(mapping)
    assert worker(mapping, start=killed).work_once() == "lost"
    assert work(mapping) == ["done"]


def test_a_map_that_is_cancelled_does_not_wait_for_its_process(mapping):
    address = ask(mapping).headers["Location"]
    started = []

    def start(run):
        started.append(endless(run))
        mapping.client.delete(address)
        return started[0]

    assert worker(mapping, start=start).work_once() == "cancelled"
    assert started[0].exitcode == -signal.SIGKILL
    assert mapping.client.get(address).json["state"] == "cancelled"
    assert mapping.maps.store.client.xlen(STREAM) == 0


def test_maps_are_listed_the_newest_first(mapping):
    first, second = made(mapping, labels=["cats"]), made(mapping, labels=["dogs"])
    listed = mapping.client.get("/api/v1/maps").json["maps"]
    assert [one["id"] for one in listed] == [second["id"], first["id"]]
    assert all(one["points"] is None for one in listed)


def test_pages_of_other_sites_start_and_end_nothing(mapping, problem):
    map_id = made(mapping)["id"]
    problem(mapping.client.post("/api/v1/maps", json={}, headers=OTHER_SITE), 403, "cross-origin")
    form = {"files": (io.BytesIO(b""), "1.jpg")}
    problem(mapping.client.post("/api/v1/maps/uploads", data=form, headers=OTHER_SITE), 403, "cross-origin")
    problem(mapping.client.delete(f"/api/v1/maps/{map_id}", headers=OTHER_SITE), 403, "cross-origin")


def upload(world, files, **form):
    return world.client.post("/api/v1/maps/uploads", data={"files": files, **form})


def test_uploads_make_a_map_of_their_own(mapping, picture):
    before = dict(mapping.collection.images)
    files = picture_files(picture, 12) + picture_files(picture, 8, "zoo/dogs") + [(io.BytesIO(b"text"), "cats/t.jpg")]
    asked = upload(mapping, files, perplexity="5")
    assert asked.status_code == 202, asked.text
    assert [one["name"] for one in asked.json["refused"]] == ["cats/t.jpg"]
    assert asked.json["labels"] == ["cats", "dogs"]
    assert work(mapping) == ["done"]
    state = mapping.client.get(asked.headers["Location"]).json
    assert (state["state"], state["count"]) == ("done", 20)
    assert state["points"]["label"] == [0] * 12 + [1] * 8
    assert state["points"]["ids"][13] == "zoo/dogs/1.jpg"
    assert mapping.collection.images == before
    assert mapping.bucket.files.keys() == {image.key for image in before.values()}
    thumbnail = mapping.client.get(state["thumbnails"].replace("{index}", "3"))
    assert thumbnail.content_type == "image/webp"
    tag = {"If-None-Match": thumbnail.headers["ETag"]}
    assert mapping.client.get(state["thumbnails"].replace("{index}", "3"), headers=tag).status_code == 304
    assert mapping.client.get(state["thumbnails"].replace("{index}", "20")).status_code == 404
    again = upload(mapping, picture_files(picture, 12) + picture_files(picture, 8, "zoo/dogs"), perplexity="5")
    assert (again.status_code, again.json["id"]) == (200, state["id"])


def test_thumbnails_of_an_upload_go_with_its_map_alone(mapping, picture):
    one = upload(mapping, picture_files(picture, 12)).json["id"]
    work(mapping)
    other = upload(mapping, picture_files(picture, 11)).json["id"]
    work(mapping)
    shared = next(iter(mapping.thumbnails.kept)).rpartition("/")[2]
    shown = replace(next(iter(mapping.collection.images.values())), sha256=shared)
    mapping.collection.images[shown.id] = shown
    mapping.thumbnails.put(shared, b"webp")
    assert len(mapping.thumbnails.kept) == 12 + 11 + 1
    mapping.client.delete(f"/api/v1/maps/{one}")
    assert len(mapping.thumbnails.kept) == 11 + 1
    mapping.client.delete(f"/api/v1/maps/{other}")
    assert list(mapping.thumbnails.kept) == [shared]


def test_deleting_an_image_leaves_the_thumbnail_of_an_uploaded_map_of_equal_bytes(make_world, queue, picture):
    world = make_world(queue=queue, writable=True)
    fill(world)
    world.maps.jobs.join("worker")
    files = picture_files(picture, 12)
    image = world.add("cats/same.png", files[3][0].getvalue())
    world.thumbnails.put(image.sha256, b"webp")
    asked = upload(world, files, perplexity="5")
    assert work(world) == ["done"]
    state = world.client.get(asked.headers["Location"]).json
    assert world.client.delete(f"/api/v1/images/{image.id}").status_code == 204
    assert world.thumbnails.get(image.sha256) is None
    addresses = [state["thumbnails"].replace("{index}", str(place)) for place in range(12)]
    assert [world.client.get(one).status_code for one in addresses] == [200] * 12
    world.maps.close()


def test_few_uploads_that_can_be_used_are_too_few(mapping, picture, problem):
    assert problem(upload(mapping, picture_files(picture, 3)), 422, "too-few")["detail"].startswith("Only 3 pictures")
    broken = [(io.BytesIO(b"text"), f"{number}.jpg") for number in range(4)]
    body = problem(upload(mapping, picture_files(picture, 8) + broken), 422, "too-few")
    assert body["detail"].startswith("Only 8 pictures can be used; a map needs 10.")
    assert len(body["refused"]) == 4
    # What was refused leaves nothing behind.
    assert mapping.thumbnails.kept == {}


def test_the_catalogue_away_does_not_hide_maps(mapping):
    state = made(mapping)
    mapping.catalogue.error = CatalogueUnavailable("away")
    shown = mapping.client.get(f"/api/v1/maps/{state['id']}").json
    assert shown["points"] == state["points"]


def test_the_web_process_does_not_load_what_maps_are_computed_with():
    program = (
        "import sys; import sightline_search_gateway.server, sightline_search_gateway.bootstrap; "
        "print([name for name in sys.modules if name.startswith('openTSNE')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
