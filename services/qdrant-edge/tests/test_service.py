from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from importlib.metadata import files
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from qdrant_client import grpc as grpc_api
from qdrant_client import models
from sightline_catalogue import Catalogue, CatalogueError, CatalogueSettings
from sightline_catalogue.cluster_reader import ClusterReader
from sightline_catalogue.connection import Connection
from sightline_local.stack import free_port
from sightline_qdrant_edge.bootstrap import MAX_MESSAGE_BYTES
from sightline_qdrant_edge.qdrant_service import QDRANT_VERSION
from waiting import wait_for


def run(*arguments, **settings):
    """Run the command to its end; return its status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "sightline_qdrant_edge", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr or done.stdout


def test_an_unserved_call_is_unimplemented(shared, name, create, refused):
    create(shared, name)
    matrix = grpc_api.SearchMatrixPoints(collection_name=name)
    said = refused("UNIMPLEMENTED", shared.grpc_points.SearchMatrixPairs, matrix)
    assert "qdrant-edge does not serve Points.SearchMatrixPairs" in said
    refused("UNIMPLEMENTED", shared.grpc_collections.Update, grpc_api.UpdateCollection(collection_name=name))
    refused("UNIMPLEMENTED", shared.create_snapshot, name)
    refused("UNIMPLEMENTED", shared.collection_exists, name)
    refused("UNIMPLEMENTED", shared.clear_payload, name, [1])
    fusion = grpc_api.QueryPoints(collection_name=name, query=grpc_api.Query(fusion=grpc_api.Fusion.RRF))
    assert "fusion" in refused("UNIMPLEMENTED", shared.grpc_points.Query, fusion)
    prefetch = grpc_api.QueryPoints(collection_name=name, prefetch=[grpc_api.PrefetchQuery()])
    refused("UNIMPLEMENTED", shared.grpc_points.Query, prefetch)


def test_health_of_each_service(serve):
    server = serve()
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for service in ("", "qdrant.Points", "qdrant.Collections", "qdrant.Qdrant"):
            health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
            assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_its_version_is_that_of_the_qdrant_that_it_equals(serve):
    server = serve(QDRANT_API_KEY="secret")
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        reply = grpc_api.QdrantStub(channel).HealthCheck(grpc_api.HealthCheckRequest())  # A key is not needed.
    assert reply.version == QDRANT_VERSION
    assert reply.title.startswith("qdrant-edge")


def test_the_version_is_that_of_the_installed_engine():
    [listed] = [file for file in files("qdrant-edge-py") or [] if file.name.endswith(".cyclonedx.json")]
    components = json.loads(listed.read_text())["components"]
    # Between two releases Qdrant's own crates have the next one's number.
    [built] = [one["version"] for one in components if one["name"] == "api"]
    major, minor, patch = (int(part) for part in built.removesuffix("-dev").split("."))
    assert f"{major}.{minor}.{patch - built.endswith('-dev')}" == QDRANT_VERSION


def test_on_a_unix_socket_it_answers_the_catalogue_and_listens_on_no_port(serve):
    with tempfile.TemporaryDirectory() as folder:
        server = serve(
            ready=False, EDGE_ADDRESS=f"unix:{folder}/qdrant", EDGE_METRICS_PORT="9", QDRANT_API_KEY="secret"
        )
        settings = CatalogueSettings(url=f"unix://{folder}/qdrant", api_key="secret", timeout_seconds=60)
        wait_for(Path(folder, "qdrant").exists)
        catalogue = Catalogue(settings, "main")
        catalogue.ping()
        state = ClusterReader(Connection(settings), settings).read()
        assert (len(state.nodes), state.problem) == (1, "")
        with httpx.Client(transport=httpx.HTTPTransport(uds=f"{folder}/qdrant-9")) as client:
            assert "sightline_edge_calls_total" in client.get("http://edge/metrics").text
        listening = [
            one for one in psutil.Process(server.process.pid).net_connections("inet") if one.status == "LISTEN"
        ]
        assert listening == []
        with pytest.raises(CatalogueError, match="QDRANT_API_KEY"):
            Catalogue(settings.model_copy(update={"api_key": None}), "main").current()
        catalogue.close()


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_a_key_is_required_where_one_is_set(serve, refused):
    server = serve(QDRANT_API_KEY="secret")
    refused("UNAUTHENTICATED", server.client().get_collections)
    refused("UNAUTHENTICATED", server.client(api_key="guess").get_collections)
    assert server.client(api_key="secret").get_collections().collections == []


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
def test_a_read_only_key_reads_and_is_refused_every_write(serve, create, refused):
    server = serve(QDRANT_API_KEY="secret", QDRANT_READ_ONLY_API_KEY="look")
    create(server.client(api_key="secret"), "a")
    reader = server.client(api_key="look")
    assert [one.name for one in reader.get_collections().collections] == ["a"]
    assert reader.get_collection("a").points_count == 0
    assert reader.get_aliases().aliases == []
    assert reader.count("a").count == 0
    assert reader.scroll("a")[0] == reader.retrieve("a", [1]) == []
    assert reader.query_points("a", [1, 0, 0, 0], using="image").points == []
    point = models.PointStruct(id=1, vector={"image": [1, 0, 0, 0]})
    for write, *arguments in (
        (reader.upsert, "a", [point]),
        (reader.delete, "a", [1]),
        (reader.set_payload, "a", {"label": "cat"}, [1]),
        (reader.create_payload_index, "a", "label", models.PayloadSchemaType.KEYWORD),
        (reader.delete_payload_index, "a", "label"),
        (reader.update_collection_aliases, []),
        (reader.delete_collection, "a"),
    ):
        assert "manage access is required" in refused("PERMISSION_DENIED", write, *arguments)
    refused("PERMISSION_DENIED", create, reader, "b")
    refused("UNAUTHENTICATED", server.client().get_collections)
    refused("UNAUTHENTICATED", server.client(api_key="guess").get_collections)


def test_a_second_process_is_told_who_has_the_folder(serve):
    server = serve()
    status, said = run(EDGE_DATA_DIR=str(server.folder), EDGE_PORT="0")
    assert status == 1
    assert f"held by process {server.process.pid}" in said
    assert "EDGE_DATA_DIR" in said
    assert "Traceback" not in said
    assert server.client().get_collections().collections == []


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = run(EDGE_DATA_DIR=str(tmp_path), EDGE_PORT=str(port))
    assert status == 1
    assert str(port) in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_named(tmp_path):
    status, said = run(EDGE_DATA_DIR=str(tmp_path), EDGE_PORT="seven")
    assert status == 2
    assert "EDGE_PORT=seven" in said


def test_help_says_where_settings_are_documented():
    status, said = run("--help")
    assert status == 0
    assert "README.md" in said


def test_a_stop_is_clean_and_keeps_everything(serve, create):
    server = serve()
    client = server.client()
    create(client, "a")
    client.upsert("a", [models.PointStruct(id=1, vector={"image": [1, 0, 0, 0]})])
    assert server.terminate() == 0
    server.restart()
    assert server.client().count("a").count == 1


def test_ctrl_c_stops_too(serve):
    server = serve()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(timeout=30) == 0


def test_a_message_over_the_limit_is_refused(serve, create, refused):
    server = serve()
    client = server.client()
    create(client, "a")
    large = [models.PointStruct(id=1, vector={}, payload={"text": "x" * (MAX_MESSAGE_BYTES + 1)})]
    refused("RESOURCE_EXHAUSTED", client.upsert, "a", large)
    assert client.count("a").count == 0


def test_metrics_count_calls(serve, create, refused):
    port = free_port()
    server = serve(EDGE_METRICS_PORT=str(port))
    client = server.client()
    create(client, "a")
    refused("NOT_FOUND", client.count, "b")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        text = response.read().decode()
    assert 'sightline_edge_calls_total{code="OK",method="Collections.Create"} 1.0' in text
    assert 'sightline_edge_calls_total{code="NOT_FOUND",method="Points.Count"} 1.0' in text


def test_bytes_that_are_no_request(serve):
    server = serve()
    wrong = [
        ("Points/Query", b"\xff"),
        # The name of the collection is not UTF-8.
        ("Points/Query", b"\x0a\x02a\xff"),
        ("Points/SearchMatrixPairs", b"\xff"),
        ("Qdrant/HealthCheck", b"\xff"),
    ]
    before = len(server.log.read_text().splitlines())
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for method, data in wrong:
            with pytest.raises(grpc.RpcError) as refusal:
                channel.unary_unary(f"/qdrant.{method}")(data, timeout=10)
            assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "no request of" in refusal.value.details()
    said = server.log.read_text().splitlines()[before:]
    assert [json.loads(line)["event"] for line in said] == ["a request cannot be read"] * len(wrong)
