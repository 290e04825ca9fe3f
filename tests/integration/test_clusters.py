"""Searches with clusters, and ingestion's state, by the real processes."""

from __future__ import annotations

import pytest
from drawn import draw
from sightline_local.readiness import ingest_state
from waiting import wait_for

PICTURES = 24


@pytest.fixture(scope="module")
def running(start, tmp_path_factory):
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    (bucket / "blobs").mkdir(parents=True)
    for seed in range(PICTURES):
        (bucket / f"blobs/{seed}.png").write_bytes(draw(seed, format="PNG"))
    (bucket / "broken.jpg").write_bytes(b"no picture")
    system = start(bucket, writable=True)
    wait_for(
        lambda: (s := ingest_state(system.stack)) and s.finished and s.indexed == PICTURES, "the pictures are indexed"
    )
    return system


def judged(running, path="/search", **params):
    """Search until the vocabulary has its vectors and the collection is calibrated."""

    def search():
        answer = running.get(path, **params)
        return answer if answer["relevance"] is not None and answer["relevance"]["likely"] is not None else None

    return wait_for(search, "results are judged")


def check_graph(answer):
    """Check that the likely results are in clusters, and that all are in one graph."""
    results = answer["results"]
    ids = [result["id"] for result in results]
    likely = [result for result in results if result["relevance"] == "likely"]
    assert answer["relevance"]["likely"] == len(likely)
    assert sum(cluster["size"] for cluster in answer["clusters"]) == len(likely)
    for result in results:
        assert (result["cluster"] is None) == (result["relevance"] == "weak")
    names = [cluster["name"] for cluster in answer["clusters"] if cluster["name"] is not None]
    assert len(set(names)) == len(names)
    pairs = [frozenset((edge["source"], edge["target"])) for edge in answer["edges"]]
    assert len(set(pairs)) == len(pairs)
    assert {edge["target"] for edge in answer["edges"] if edge["source"] == "query"} == set(ids)
    assert set().union(*pairs) == {"query", *ids}
    return len(likely)


def test_likely_results_are_in_clusters_and_all_in_one_graph(running):
    answer = judged(running, q="a bird")
    assert len(answer["results"]) == PICTURES
    check_graph(answer)
    again = judged(running, q="a bird")
    assert (again["clusters"], again["edges"]) == (answer["clusters"], answer["edges"])
    assert answer["timings"]["cluster_ms"] > 0


def test_similar_pictures_are_judged_and_have_clusters(running):
    likely = 0
    for image in running.images(state="indexed"):
        answer = judged(running, f"/images/{image['id']}/similar")
        assert answer["relevance"]["judged"] == len(answer["results"]) == PICTURES - 1
        likely += check_graph(answer)
    assert likely > 0


def test_every_result_is_judged(running):
    for text in ("a squid", "a fax machine", "a pattern of dots"):
        answer = judged(running, q=text)
        relevance, results = answer["relevance"], answer["results"]
        assert relevance["judged"] == PICTURES
        probabilities = [result["probability"] for result in results]
        assert probabilities == sorted(probabilities, reverse=True)
        assert relevance["likely"] == sum(result["relevance"] == "likely" for result in results)
        assert (relevance["message"] is None) == (relevance["likely"] > 0)


def test_a_new_picture_changes_the_etag_of_ingestion(running):
    first = running.http.get("/api/v1/ingest")
    assert (first.json()["indexed"], first.json()["failed"]) == (PICTURES, 1)

    def is_counted():
        later = running.http.get("/api/v1/ingest", headers={"If-None-Match": first.headers["ETag"]})
        return later.status_code == 200 and later.json()["indexed"] == PICTURES + 1

    (running.bucket / "blobs/new.png").write_bytes(draw(PICTURES, format="PNG"))
    wait_for(is_counted, "it is counted")


def test_a_failure_is_tried_again_when_asked(running):
    [failure] = running.get("/ingest/failures")["failures"]
    assert failure["key"] == "broken.jpg"
    answer = running.http.post("/api/v1/ingest/rescan", json={"ids": [failure["id"]]})
    assert answer.json() == {"queued": True, "retried": 1}
    [again] = wait_for(
        lambda: [one for one in running.get("/ingest/failures")["failures"] if one["attempts"] > failure["attempts"]],
        "it failed again",
    )
    assert again["reason"] == failure["reason"]
    assert running.get("/ingest")["pending"] == 0
