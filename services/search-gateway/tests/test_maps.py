"""Maps over HTTP, with a real Redis and the worker's own code."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from map_making import EACH, LABELS, ask, at_iterations, fill, made, work
from sightline_catalogue import CatalogueUnavailable
from sightline_search_gateway.maps.jobs import STREAM

OTHER_SITE = {"Origin": "https://elsewhere.example"}


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


def test_other_filters_by_their_names(mapping):
    filters = {"not_label": ["cats"], "format": ["jpg"], "max_pixels": 10**7}
    state = made(mapping, filters=filters)
    assert state["count"] == 2 * EACH
    assert state["request"]["filters"] == filters
    again = ask(mapping, filters={"max_pixels": 10**7, "format": ["jpg", "jpg"], "not_label": ["cats"], "name": []})
    assert (again.status_code, again.json["id"]) == (200, state["id"])
    both = made(mapping, filters={"label": ["cats"], "before": "2030-01-01"}, labels=["dogs"], before="2031-01-01")
    assert both["count"] == 2 * EACH
    assert both["labels"] == ["cats", "dogs"]


def test_a_request_without_other_filters_keeps_its_id(mapping):
    assert ask(mapping, filters={}).json["id"] == ask(mapping).json["id"]
    assert ask(mapping).json["request"]["filters"] == {}


@pytest.mark.parametrize(
    ("filters", "name"),
    [
        ({"near": "berlin"}, "filters.near"),
        ({"shape": ["round"]}, "filters.shape.0"),
        ({"colour": "red"}, "filters.colour"),
        ({"q": "cat"}, "filters.q"),
        (["name"], "filters._schema"),
        (None, "filters"),
    ],
)
def test_wrong_filters_are_explained(mapping, problem, filters, name):
    body = problem(ask(mapping, filters=filters), 422, "invalid-request")
    assert [error["name"] for error in body["errors"]] == [name]


def test_filters_that_let_nothing_through_make_no_map(mapping, problem):
    problem(ask(mapping, filters={"camera": ["nikon"]}), 422, "too-few")
    ids = sorted(mapping.collection.images)[:20]
    problem(ask(mapping, ids=ids, filters={"camera": ["nikon"]}), 422, "invalid-request")


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
