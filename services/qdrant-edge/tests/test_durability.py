"""What a kill -9 leaves behind."""

from __future__ import annotations

import os
import threading

import grpc
import numpy as np
import pytest
from qdrant_client import grpc as grpc_api
from qdrant_client import models
from waiting import wait_for


def test_every_kind_of_acknowledged_write_survives_a_kill(serve, create):
    server = serve()
    client = server.client()
    create(client, "a", metadata={"model": "m"})
    client.create_payload_index("a", "label", models.PayloadSchemaType.KEYWORD)
    vectors = np.eye(4).tolist()
    client.upsert(
        "a",
        [
            models.PointStruct(id=number, vector={"image": vectors[number]}, payload={"label": "x", "old": 1})
            for number in range(4)
        ],
    )
    client.upsert("a", [models.PointStruct(id=9, vector={}, payload={"label": "failed"})])
    client.set_payload("a", {"label": "y"}, points=[0])
    client.set_payload("a", {"old": None}, points=[1])
    client.delete("a", [3])
    server.kill()

    server.restart()
    client = server.client()
    points, _ = client.scroll("a", with_vectors=True)
    assert {point.id: point.payload for point in points} == {
        0: {"label": "y", "old": 1},
        1: {"label": "x"},
        2: {"label": "x", "old": 1},
        9: {"label": "failed"},
    }
    assert points[2].vector == {"image": vectors[2]}
    assert {hit.value: hit.count for hit in client.facet("a", "label").hits} == {"x": 2, "y": 1, "failed": 1}
    assert client.get_collection("a").config.metadata == {"model": "m"}
    assert client.query_points("a", vectors[1], using="image", limit=1).points[0].id == 1


def test_no_acknowledged_write_of_many_is_lost(serve, create):
    often = "from sightline_qdrant_edge import __main__, bootstrap; bootstrap.FLUSH_SECONDS = 0.2; __main__.main()"
    server = serve(program=("-c", often))
    create(server.client(), "a", 8)
    acknowledged = [[] for _ in range(3)]

    def write(writer):
        stub = server.client().grpc_points
        number = writer
        while True:
            request = grpc_api.UpsertPoints(collection_name="a", wait=True)
            point = request.points.add()
            point.id.num = number
            point.payload["number"].integer_value = number
            point.vectors.vectors.vectors["image"].dense.data.extend([float(number % 7 + 1)] * 8)
            try:
                stub.Upsert(request)
            except grpc.RpcError:
                return
            acknowledged[writer].append(number)
            number += 3

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        goal = sum(map(len, acknowledged)) + 300
        wait_for(lambda goal=goal: sum(map(len, acknowledged)) >= goal, "writes go on")
    server.kill()
    for thread in threads:
        thread.join()

    server.restart()
    wanted = sorted(number for numbers in acknowledged for number in numbers)
    found = server.client().retrieve("a", wanted)
    assert [point.payload["number"] for point in found] == wanted


def test_a_restart_after_a_refused_write_brings_nothing_of_it_back(serve, create, refused):
    server = serve()
    client = server.client()
    create(client, "a")
    points = [
        models.PointStruct(id=1, vector={"image": [1, 0, 0, 0]}),
        models.PointStruct(id=2, vector={"image": [1, 0]}),
    ]
    refused("INVALID_ARGUMENT", client.upsert, "a", points)
    server.kill()
    server.restart()
    assert server.client().count("a").count == 0


def test_leftovers_of_a_crash_are_cleared(serve, create):
    server = serve()
    create(server.client(), "a")
    server.kill()
    collections = server.folder / "collections"
    for leftover in (collections / ".new-1", collections / ".trash-1", collections / "a" / "gen-000002"):
        (leftover / "segments").mkdir(parents=True)
        (leftover / "segments" / "half").write_bytes(b"written")
    (collections / "a" / "journal").write_bytes(b"half")

    server.restart()
    assert server.client().count("a").count == 0
    assert [found.name for found in collections.iterdir()] == ["a"]
    assert not {"gen-000002", "journal"} & set(os.listdir(collections / "a"))


@pytest.mark.parametrize("damage", ["current", "collection.json"])
def test_a_damaged_folder_stops_the_start_with_a_message(serve, create, damage):
    server = serve()
    create(server.client(), "a")
    server.terminate()
    damaged = server.folder / "collections" / "a" / damage
    whole = damaged.read_bytes()
    damaged.write_bytes(b"?")
    server.process = server.spawn()
    assert server.process.wait(timeout=30) == 1
    said = server.log.read_text()
    assert "sightline-qdrant-edge: " in said
    assert str(server.folder / "collections" / "a") in said
    assert "Traceback" not in said
    damaged.write_bytes(whole)
    server.restart()
    assert server.client().count("a").count == 0
