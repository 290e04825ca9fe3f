"""Indexes are built beside the collection, while it is read and written."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from qdrant_client import grpc as grpc_api
from qdrant_client import models
from waiting import wait_for

SIZE = 32


@pytest.fixture(scope="module")
def vectors():
    return np.random.default_rng(1).normal(size=(25_000, SIZE)).astype(np.float32)


def indexed(client):
    found = client.get_collection("a")
    return found.status == models.CollectionStatus.GREEN and found.indexed_vectors_count > 0


def builds(server):
    """What the server's log says of the indexes that it built."""
    lines = (json.loads(line) for line in server.log.read_text().splitlines())
    return [line for line in lines if line["event"] == "index built"]


def child_of(server):
    """The process id of the build under way, or None."""
    children = f"/proc/{server.process.pid}/task"
    for task in os.listdir(children):
        with open(f"{children}/{task}/children") as file:
            for child in file.read().split():
                return int(child)
    return None


def query(vector, **options):
    request = grpc_api.QueryPoints(
        collection_name="a", using="image", limit=10, with_vectors=grpc_api.WithVectorsSelector(enable=True), **options
    )
    request.query.nearest.dense.data.extend(vector.tolist())
    return request


def test_searches_and_writes_go_on_while_an_index_is_built(serve, create, fill, vectors):
    server = serve(EDGE_INDEX_THRESHOLD="8000")
    client = server.client()
    create(client, "a", SIZE)
    client.create_payload_index("a", "number", models.PayloadSchemaType.INTEGER)
    fill(client, "a", vectors, 0, 6000)
    building, stop = threading.Event(), threading.Event()
    searches, failures = [], []

    def search():
        stub = server.client().grpc_points
        random = np.random.default_rng(2)
        try:
            while not stop.is_set():
                number = 100 * int(random.integers(0, 60)) + int(random.integers(5, 100))
                found = stub.Query(query(vectors[number])).result
                assert found[0].id.num == number, (number, found[0].id.num)
                searches.append(building.is_set())
                stop.wait(0.005)
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=search)
    thread.start()
    fill(client, "a", vectors, 6000, 9000)
    child = wait_for(lambda: child_of(server), "a build begins")
    # Held, so that it does not end before what is to happen meanwhile.
    os.kill(child, signal.SIGSTOP)
    assert client.get_collection("a").status == models.CollectionStatus.YELLOW
    building.set()
    # Every kind of write, while the copy is being indexed without them.
    fill(client, "a", vectors, 9000, 12_000)
    client.delete("a", list(range(0, 12_000, 100)))
    client.delete("a", models.Filter(must=[models.HasIdCondition(has_id=list(range(11_990, 12_000)))]))
    client.set_payload("a", {"mark": "x"}, points=list(range(1, 12_000, 100)))
    client.upsert("a", [models.PointStruct(id=2, vector={"image": vectors[2].tolist()}, payload={"only": 1})])
    moved = models.PointStruct(id=3, vector={"image": vectors[12_001].tolist()}, payload={"number": 3})
    client.upsert("a", [moved])
    client.upsert("a", [models.PointStruct(id=4, vector={}, payload={"number": 4, "state": "failed"})])
    client.create_payload_index("a", "mark", models.PayloadSchemaType.KEYWORD)
    wait_for(lambda: sum(searches) > 20 or failures, "searches go on meanwhile")
    os.kill(child, signal.SIGCONT)
    wait_for(lambda: indexed(client), "the index is swapped in")
    building.clear()
    stop.set()
    thread.join()
    assert not failures, failures[0]
    wait_for(lambda: builds(server), "the build is in the log")
    assert builds(server)[0]["replayed_writes"] > 0

    for again in range(2):
        expected = set(range(12_000)) - set(range(0, 12_000, 100)) - set(range(11_990, 12_000))
        found = {}
        offset = None
        while True:
            page, offset = client.scroll("a", limit=5000, offset=offset)
            found.update({point.id: point.payload for point in page})
            if offset is None:
                break
        assert found.keys() == expected
        assert found[1] == {"number": 1, "mark": "x"}
        assert found[2] == {"only": 1}
        assert found[4] == {"number": 4, "state": "failed"}
        assert all(payload["number"] == number for number, payload in found.items() if number != 2)
        condition = models.FieldCondition(key="mark", match=models.MatchValue(value="x"))
        assert client.count("a", models.Filter(must=[condition])).count == 120
        assert client.facet("a", "mark").hits[0].count == 120
        near = client.query_points("a", vectors[12_001].tolist(), using="image", limit=1)
        assert near.points[0].id == 3
        for number in (5, 8999, 9001, 11_989):
            assert client.grpc_points.Query(query(vectors[number])).result[0].id.num == number
        if not again:
            server.kill()
            server.restart()
            client = server.client()


def test_a_kill_in_the_middle_of_a_build_costs_nothing(serve, create, fill, vectors):
    server = serve()
    client = server.client()
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 15_000)
    expected = 15_000
    server.terminate()
    server.environment["EDGE_INDEX_THRESHOLD"] = "5000"
    for wait_seconds in (0.0, 0.3, 0.8):
        server.restart()
        client = server.client()
        wait_for(lambda: child_of(server) is not None, "a build begins")
        child = child_of(server)
        fill(client, "a", vectors, expected, expected + 100)
        expected += 100
        time.sleep(wait_seconds)  # so that the kill hits another moment of the build
        server.kill()
        wait_for(lambda child=child: not os.path.exists(f"/proc/{child}"), "the build ends with its server")
    server.restart()
    client = server.client()
    wait_for(lambda: indexed(client), "the index is built after all")
    assert client.count("a").count == expected
    assert [point.id for point in client.retrieve("a", list(range(expected)))] == list(range(expected))
    generations = [entry for entry in os.listdir(server.folder / "collections" / "a") if entry.startswith("gen-")]
    assert len(generations) == 1


def test_a_build_that_crashes_is_reported_and_retried(serve, create, fill, vectors):
    server = serve(EDGE_INDEX_THRESHOLD="5000")
    client = server.client()
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 20_000)
    wait_for(lambda: child_of(server) is not None, "a build begins")
    os.kill(child_of(server), signal.SIGKILL)
    wait_for(lambda: client.get_collection("a").optimizer_status != models.OptimizersStatusOneOf.OK, "it is said")
    assert "status -9" in client.get_collection("a").optimizer_status.error
    fill(client, "a", vectors, 20_000, 20_100)
    assert client.count("a").count == 20_100
    wait_for(lambda: indexed(client), "it is tried again")
    assert client.get_collection("a").optimizer_status == models.OptimizersStatusOneOf.OK
    assert client.count("a").count == 20_100


def test_a_collection_is_deleted_and_made_again_during_a_build(serve, create, fill, vectors):
    server = serve(EDGE_INDEX_THRESHOLD="5000")
    client = server.client()
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 20_000)
    wait_for(lambda: child_of(server) is not None, "a build begins")
    assert client.delete_collection("a")
    assert child_of(server) is None
    assert os.listdir(server.folder / "collections") == []
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 100)
    assert client.count("a").count == 100


def test_a_stop_during_a_build_is_prompt_and_keeps_everything(serve, create, fill, vectors):
    server = serve(EDGE_INDEX_THRESHOLD="5000")
    client = server.client()
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 20_000)
    wait_for(lambda: child_of(server) is not None, "a build begins")
    child = child_of(server)
    assert server.terminate() == 0
    assert not os.path.exists(f"/proc/{child}")
    server.restart()
    assert server.client().count("a").count == 20_000


def test_points_without_a_vector_need_no_index(serve, create):
    server = serve(EDGE_INDEX_THRESHOLD="1000")
    client = server.client()
    create(client, "a", SIZE)
    for start in range(0, 3000, 500):
        client.upsert("a", [models.PointStruct(id=number, vector={}) for number in range(start, start + 500)])
    assert client.get_collection("a").status == models.CollectionStatus.GREEN
    client.set_payload("a", {"state": "pending"}, points=models.Filter(must_not=[]))
    wait_for(lambda: client.get_collection("a").status == models.CollectionStatus.GREEN, "nothing is to be done")
    assert client.get_collection("a").indexed_vectors_count == 0
    assert (server.folder / "collections" / "a" / "current").read_text() == "gen-000001"


def test_changed_payloads_leave_the_index_and_are_indexed_again(serve, create, fill, vectors):
    server = serve(EDGE_INDEX_THRESHOLD="5000")
    client = server.client()
    create(client, "a", SIZE)
    fill(client, "a", vectors, 0, 12_000)
    current = server.folder / "collections" / "a" / "current"
    wait_for(lambda: indexed(client), "the first index is built")
    before = current.read_text()
    client.set_payload("a", {"state": "pending"}, points=list(range(6000)))
    wait_for(lambda: current.read_text() != before and indexed(client), "the second index is built")
    assert client.count("a").count == 12_000


def test_a_large_collection_is_indexed_in_parts_and_each_part_once(serve, create, fill, vectors):
    # A megabyte of these vectors is 8,192 of them.
    server = serve(EDGE_INDEX_THRESHOLD="5000", EDGE_SEGMENT_MB="1")
    client = server.client()
    create(client, "a", SIZE)
    client.create_payload_index("a", "number", models.PayloadSchemaType.INTEGER)

    def graphs():
        """The segments that have a graph; one that is built again has another name."""
        return {path.parent.parent.name for path in server.folder.glob("collections/a/gen-*/segments/*/*/graph.bin")}

    fill(client, "a", vectors, 0, 6000)
    wait_for(lambda: indexed(client), "the first part is indexed")
    [first] = graphs()
    fill(client, "a", vectors, 6000, 12_000)
    wait_for(lambda: len(builds(server)) == 2 and indexed(client), "the second part is indexed")
    assert len(graphs()) == 2
    assert first in graphs()
    server.terminate()
    server.restart()
    client = server.client()
    quantization = grpc_api.QuantizationSearchParams(rescore=True, oversampling=4)
    for number in (17, 5999, 6000, 11_999):
        params = grpc_api.SearchParams(hnsw_ef=256, quantization=quantization)
        response = client.grpc_points.Query(query(vectors[number], params=params))
        assert response.result[0].id.num == number
        similarities = vectors[:12_000] @ vectors[number] / np.linalg.norm(vectors[:12_000], axis=1)
        exact = set(np.argsort(-similarities)[:10].tolist())
        assert len(exact & {point.id.num for point in response.result}) >= 9
