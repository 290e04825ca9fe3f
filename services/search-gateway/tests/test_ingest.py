"""How far the collection is, and trying failures again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sightline_catalogue import CatalogueReadOnly, CatalogueUnavailable
from sightline_search_gateway.clients.watcher import WatcherState
from sightline_search_gateway.ingest import status
from sightline_service.left_out_report import LeftOutFiles, LeftOutReport
from sightline_service.queues import HeldLoss


def test_whoever_has_the_state_is_told_that_it_is_the_same(world, picture, monkeypatch):
    first = world.client.get("/api/v1/ingest")
    assert first.headers["Cache-Control"] == "no-cache"
    same = world.client.get("/api/v1/ingest", headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")
    assert same.headers["ETag"] == first.headers["ETag"]
    monkeypatch.setattr(status, "FRESH_SECONDS", 0)
    world.add("new.jpg", picture("white"))
    other = world.client.get("/api/v1/ingest", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    assert other.json["indexed"] == first.json["indexed"] + 1


def test_the_state_is_looked_at_once_for_all_who_ask(world, monkeypatch):
    monkeypatch.setattr(status, "FRESH_SECONDS", 3600)
    looks = []
    world.catalogue.before = lambda: looks.append(1)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.app.test_client().get("/api/v1/ingest").json, range(40)))
    assert answers == [answers[0]] * 40
    assert len(looks) == 1


def test_that_the_catalogue_is_away_is_found_out_once_for_all_who_ask(world, problem, monkeypatch):
    monkeypatch.setattr(status, "FRESH_SECONDS", 3600)
    looks = []
    world.catalogue.before = lambda: looks.append(1)
    world.catalogue.error = CatalogueUnavailable("away")
    for _ in range(3):
        problem(world.client.get("/api/v1/ingest"), 503, "catalogue-unavailable")
    assert len(looks) == 1


def test_failures_are_tried_again(world):
    world.add("bad.jpg", b"x", state="failed", reason="not an image")
    world.add("worse.jpg", b"y", state="failed", reason="not an image")
    [bad, worse] = [image for image in world.collection.images.values() if image.state == "failed"]
    [good, *_] = [image for image in world.collection.images.values() if image.state == "indexed"]
    unknown = "00000000-0000-4000-8000-000000000000"
    response = world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id, good.id, unknown]})
    assert response.status_code == 202
    assert response.json == {"queued": True, "retried": 1}
    assert world.watcher.hints == [["bad.jpg"]]
    again = world.collection.images[bad.id]
    assert again.state == "pending"
    assert again.next_try_at <= datetime.now(UTC)
    assert world.collection.images[worse.id].state == "failed"
    assert world.collection.images[good.id].state == "indexed"


@pytest.mark.parametrize(
    "body",
    [{"ids": []}, {"ids": ["x"]}, {"ids": "x"}, {"keys": []}, {"folder": ""}, {"keys": ["a"], "folder": "b"}, []],
)
def test_what_is_no_rescan(world, problem, body):
    problem(world.client.post("/api/v1/ingest/rescan", json=body), 422, "invalid-request")
    assert world.watcher.hints == []


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ({}, {"keys": None, "folder": None, "verify": False}),
        ({"keys": ["a.jpg", "b/c"]}, {"keys": ["a.jpg", "b/c"], "folder": None, "verify": False}),
        ({"folder": "a/b", "verify": True}, {"keys": None, "folder": "a/b", "verify": True}),
        ({"verify": True}, {"keys": None, "folder": None, "verify": True}),
    ],
)
def test_a_part_can_be_looked_at_and_compared(world, body, asked):
    response = world.client.post("/api/v1/ingest/rescan", json=body)
    assert (response.status_code, response.json) == (202, {"queued": True, "retried": 0})
    assert world.watcher.asked == [asked]


def test_a_change_of_the_model_has_its_own_progress(world, monkeypatch):
    monkeypatch.setattr(status, "FRESH_SECONDS", 0)
    assert world.client.get("/api/v1/ingest").json["model_change"] is None
    world.watcher.said = replace(world.watcher.said, next_model="vit", next_counts=(3, 2, 1))
    change = world.client.get("/api/v1/ingest").json["model_change"]
    assert change == {"model": "vit", "pending": 3, "indexed": 2, "failed": 1}


def test_what_is_left_out_is_listed_by_kind(world):
    assert world.client.get("/api/v1/ingest/left-out").json == {"scanned_at": None, "count": 0, "groups": []}
    files = [
        LeftOutFiles(kind="folder", name="@eaDir", reason="made by a box", count=12_000, at_least=True, examples=["a"]),
        LeftOutFiles(kind="extension", name=".mp4", reason="video", count=8),
        LeftOutFiles(kind="no_extension", reason="not an image by its first bytes", count=3),
        LeftOutFiles(kind="of a later version", reason="?", count=1),
    ]
    world.watcher.said_left_out = LeftOutReport(scanned_at=datetime(2026, 1, 1, tzinfo=UTC), files=files)
    body = world.client.get("/api/v1/ingest/left-out").json
    assert (body["scanned_at"], body["count"]) == ("2026-01-01T00:00:00Z", 12_012)
    assert [group["title"] for group in body["groups"]] == [
        "at least 12,000 in @eaDir",
        "8 with the extension .mp4",
        "3 without an extension",
        "1 of other kinds",
    ]
    first = body["groups"][0]
    assert (first["reason"], first["at_least"], first["examples"]) == ("made by a box", True, ["a"])


def test_a_retry_that_redis_does_not_hear_of_is_pending_all_the_same(world, problem):
    world.add("bad.jpg", b"x", state="failed", reason="not an image")
    [bad] = [image for image in world.collection.images.values() if image.state == "failed"]
    world.watcher.away = True
    response = world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id]})
    assert response.json == {"queued": True, "retried": 1}
    assert world.collection.images[bad.id].state == "pending"


def test_a_gateway_that_may_only_read_leaves_a_retry_to_the_watcher(world, problem, monkeypatch):
    world.add("bad.jpg", b"x", state="failed", reason="not an image")
    [bad] = [image for image in world.collection.images.values() if image.state == "failed"]

    def refuse(*arguments, **options):
        raise CatalogueReadOnly("the key may only read")

    monkeypatch.setattr(world.collection, "set_state", refuse)
    response = world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id]})
    assert response.json == {"queued": True, "retried": 1}
    assert world.watcher.retries == [["bad.jpg"]]
    world.watcher.away = True
    problem(world.client.post("/api/v1/ingest/rescan", json={"ids": [bad.id]}), 503, "queue-unavailable")


LOSS = HeldLoss.of_keys([f"in/{number:03}.jpg" for number in range(412)], 2000, datetime(2026, 1, 1, tzinfo=UTC))


def test_what_is_held_is_told_and_confirmed(world, monkeypatch):
    monkeypatch.setattr(status, "FRESH_SECONDS", 0)
    assert world.client.get("/api/v1/ingest").json["held"] is None
    world.watcher.said = WatcherState(held=LOSS)
    assert world.client.get("/api/v1/ingest").json["held"] == {
        "count": 412,
        "of": 2000,
        "since": "2026-01-01T00:00:00Z",
        "examples": ["in/000.jpg", "in/001.jpg", "in/002.jpg", "in/003.jpg", "in/004.jpg"],
        "message": "412 of 2,000 pictures are gone at once: is a disk not mounted? They stay in search meanwhile.",
    }
    ready = world.client.get("/readyz")
    assert (ready.status_code, ready.json["bucket"]) == (200, LOSS.message)
    response = world.client.post("/api/v1/ingest/confirm-loss", json={"until": "2026-01-02T00:00:00Z"})
    assert (response.status_code, response.json) == (202, {"queued": True, "held": 412})
    assert world.watcher.confirmed == [datetime(2026, 1, 2, tzinfo=UTC)]
    world.client.post("/api/v1/ingest/confirm-loss", json={})
    assert world.watcher.confirmed[1] <= datetime.now(UTC)


def test_a_loss_cannot_be_confirmed_while_redis_is_away(world, problem):
    world.watcher.away = True
    problem(world.client.post("/api/v1/ingest/confirm-loss", json={}), 503, "queue-unavailable")


def test_a_bucket_that_is_away_is_told_and_searches_go_on(world):
    since = datetime(2026, 1, 1, tzinfo=UTC)
    text = "the bucket /srv/pictures is not there; is its disk mounted? Is BUCKET_URL right?"
    world.watcher.said = WatcherState(bucket_problem=text, bucket_problem_since=since)
    assert world.client.get("/api/v1/ingest").json["bucket"] == {"message": text, "since": "2026-01-01T00:00:00Z"}
    ready = world.client.get("/readyz")
    assert (ready.status_code, ready.json["bucket"]) == (200, text)
