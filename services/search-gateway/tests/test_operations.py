from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sightline.encoder.client import Unavailable
from sightline_catalogue import CatalogueDiskFull, CatalogueUnavailable
from sightline_search_gateway.clients.watcher import QueueUnavailable
from sightline_search_gateway.settings import GatewaySettings
from sightline_search_gateway.write_openapi import DOCUMENT, document
from sightline_service.disk_space import Disk, DiskSpace
from sightline_service.queues import DatabaseStatus
from sightline_service.service_starts import RestartingService

AWAY = Unavailable("connection refused")


def test_ingest(world):
    world.add("bad.jpg", b"text", state="failed", reason="not an image")
    world.add("new.jpg", state="pending")
    assert world.client.get("/api/v1/ingest").json == {
        "pending": 1,
        "indexed": 5,
        "failed": 1,
        "ignored": 3,
        "queued": 2,
        "scanning": False,
        "last_scan_at": "2026-01-01T00:00:00Z",
        "database": None,
        "model_change": None,
        "bucket": None,
        "held": None,
        "services": None,
        "disk": None,
        "writable": False,
    }


ONE = DatabaseStatus(
    nodes=1, nodes_alive=1, shards=1, shards_unavailable=0, copies_wanted=1, copies_alive=1, transfers=0
)
MESSAGE = "1 of 3 database nodes does not answer: searches go on from the copies that are left."
DEGRADED = DatabaseStatus(
    nodes=3,
    nodes_alive=2,
    dead_nodes=["qdrant-2"],
    shards=6,
    shards_unavailable=0,
    copies_wanted=12,
    copies_alive=8,
    transfers=0,
    message=MESSAGE,
)


def test_a_service_that_keeps_restarting_is_told_by_ingest_readiness_and_metric(world):
    assert world.client.get("/readyz").json["services"] is None
    assert 'sightline_service_restarts{service="encoder"} 0.0' in world.client.get("/metrics").text
    world.watcher.restarts = [RestartingService("watcher", "a", 4), RestartingService("encoder", "b", 2)]
    for path in ("/readyz", "/api/v1/ingest"):
        said = world.client.get(path).json["services"]
        assert said.startswith("watcher (a) was restarted 4 times in 6 minutes"), path
    metrics = world.client.get("/metrics").text
    assert 'sightline_service_restarts{service="watcher"} 4.0' in metrics
    assert 'sightline_service_restarts{service="encoder"} 2.0' in metrics
    world.encoder.error = AWAY
    answer = world.client.get("/readyz")
    assert answer.status_code == 503
    assert "the encoder does not answer" in answer.json["detail"]
    assert "encoder (b) was restarted 2 times" in answer.json["detail"]
    world.watcher.restarts = []
    assert 'sightline_service_restarts{service="watcher"} 0.0' in world.client.get("/metrics").text


def test_a_full_disk_is_told_by_ingest_readiness_and_metric_and_searches_go_on(world, monkeypatch):
    monkeypatch.setattr("sightline_search_gateway.ingest.status.FRESH_SECONDS", 0)
    assert world.client.get("/api/v1/ingest").json["disk"] is None
    assert 'sightline_disk_full{disk="database"} 0.0' in world.client.get("/metrics").text
    database, queue = "the disk of the database is full: 3 MB are free", "the disk of the queue (Redis) is full"
    world.watcher.full = {"database": database, "queue": queue}
    free = [10 * 2**20]
    world.thumbnails.disk = Disk("thumbnails", Path("/x"), 512, lambda _: DiskSpace(10**12, free[0]))
    for path in ("/readyz", "/api/v1/ingest"):
        said = world.client.get(path).json["disk"]
        assert said.startswith(f"{database}; {queue}; the disk of the thumbnails is full: 10 MB are free"), path
    metrics = world.client.get("/metrics").text
    assert all(f'sightline_disk_full{{disk="{name}"}} 1.0' in metrics for name in ("database", "thumbnails", "queue"))
    assert world.client.get("/api/v1/search?q=red").status_code == 200
    world.watcher.full, free[0] = {}, 10**11
    assert world.client.get("/api/v1/ingest").json["disk"] is None
    assert 'sightline_disk_full{disk="thumbnails"} 0.0' in world.client.get("/metrics").text


def test_what_cannot_be_written_says_that_the_disk_is_full(world, problem, monkeypatch):
    def refuse(error):
        def refuse(*_, **__):
            raise error

        return refuse

    with monkeypatch.context() as patch:
        full = QueueUnavailable("the disk of the queue (Redis) is full")
        patch.setattr(world.watcher, "request_scan", refuse(full))
        problem(world.client.post("/api/v1/ingest/rescan", json={}), 503, "disk-full")
    image = world.add("broken.jpg", b"", state="failed")
    words = "the disk of the database is full: 3 MB are free"
    monkeypatch.setattr(world.collection, "set_state", refuse(CatalogueDiskFull(words)))
    answer = world.client.post("/api/v1/ingest/rescan", json={"ids": [image.id]})
    assert problem(answer, 503, "disk-full")["detail"] == "The disk of the database is full: 3 MB are free."


def test_one_server_is_one_of_one(world):
    world.watcher.said = replace(world.watcher.said, database=ONE)
    database = world.client.get("/api/v1/ingest").json["database"]
    assert (database["nodes_alive"], database["nodes"], database["copies_alive"], database["copies_wanted"]) == (1,) * 4
    assert (database["message"], database["command"]) == (None, None)


def test_a_lost_node_is_told_and_searches_go_on(world):
    world.watcher.said = replace(world.watcher.said, database=DEGRADED)
    database = world.client.get("/api/v1/ingest").json["database"]
    assert database["dead_nodes"] == ["qdrant-2"]
    assert database["message"] == MESSAGE
    assert database["command"] == "docker compose exec watcher sightline-catalogue repair"
    assert world.client.get("/readyz").json == {
        "ready": True,
        "collection": world.collection.name,
        "database": MESSAGE,
        "bucket": None,
        "services": None,
        "disk": None,
    }


def test_ingest_without_redis_and_without_a_collection(world, problem, monkeypatch):
    monkeypatch.setattr("sightline_search_gateway.ingest.status.FRESH_SECONDS", 0)
    world.watcher.away = True
    body = world.client.get("/api/v1/ingest").json
    assert body["indexed"] == 5
    assert body["ignored"] is None
    assert body["queued"] is None
    world.catalogue.collection = None
    assert world.client.get("/api/v1/ingest").json["indexed"] == 0
    world.catalogue.error = CatalogueUnavailable("away")
    problem(world.client.get("/api/v1/ingest"), 503, "catalogue-unavailable")


def test_failures_say_why(world):
    bad = world.add("bad.jpg", b"text", state="failed", reason="not an image (text?)", attempts=3)
    body = world.client.get("/api/v1/ingest/failures").json
    assert body == {
        "failures": [
            {"id": bad.id, "key": "bad.jpg", "reason": "not an image (text?)", "attempts": 3, "next_try_at": None}
        ],
        "cursor": None,
    }
    world.catalogue.collection = None
    assert world.client.get("/api/v1/ingest/failures").json == {"failures": [], "cursor": None}


def test_rescan(world, problem):
    response = world.client.post("/api/v1/ingest/rescan", json={})
    assert response.status_code == 202
    assert response.json == {"queued": True, "retried": 0}
    assert world.watcher.hints == [None]
    world.watcher.away = True
    problem(world.client.post("/api/v1/ingest/rescan", json={}), 503, "queue-unavailable")


def test_models(world):
    body = world.client.get("/api/v1/models").json
    [model] = body["models"]
    assert model["id"] == "embedded"
    assert model["serving"] is True
    assert model["context_length"] == 77
    assert body["collection"]["fingerprint"] == model["fingerprint"]


def test_models_that_nobody_serves(world):
    world.encoder.fingerprint = "0" * 64
    models = world.client.get("/api/v1/models").json["models"]
    assert [(model["fingerprint"][0], model["serving"]) for model in models] == [("0", True), ("f", False)]
    world.encoder.error = AWAY
    [model] = world.client.get("/api/v1/models").json["models"]
    assert model["serving"] is False
    assert model["runtime"] is None
    world.catalogue.collection = None
    assert world.client.get("/api/v1/models").json == {"models": [], "collection": None}


def test_stats(world):
    assert world.client.get("/api/v1/stats").json == {
        "images": {"pending": 0, "indexed": 5, "failed": 0, "total": 5},
        "labels": [{"label": "animals", "count": 3}, {"label": "red", "count": 1}],
    }
    world.catalogue.collection = None
    assert world.client.get("/api/v1/stats").json["labels"] == []


def test_alive_and_ready(world):
    assert world.client.get("/healthz").json == {"status": "ok"}
    assert world.client.get("/readyz").json == {
        "ready": True,
        "collection": world.collection.name,
        "database": None,
        "bucket": None,
        "services": None,
        "disk": None,
    }
    world.watcher.said = replace(world.watcher.said, database=ONE)
    assert world.client.get("/readyz").json["database"] is None
    world.watcher.away = True
    assert world.client.get("/readyz").json["ready"] is True


def test_not_ready_says_what_is_missing(world, problem):
    def reason():
        body = problem(world.client.get("/readyz"), 503, "not-ready")
        assert body["ready"] is False
        assert world.client.get("/healthz").status_code == 200
        return body["detail"]

    world.encoder.fingerprint = "0" * 64
    assert "ffffffffffff" in reason()
    world.encoder.error = AWAY
    assert "encoder" in reason()
    world.catalogue.collection = None
    assert "nothing has been indexed" in reason()
    world.catalogue.error = CatalogueUnavailable("away")
    assert "catalogue" in reason()


def test_metrics_count_requests_by_route_not_by_path(world):
    image = next(iter(world.collection.images.values()))
    world.client.get(f"/api/v1/images/{image.id}")
    world.client.get("/api/v1/search?q=cat")
    world.client.get("/api/v1/search?q=cat")
    world.client.get("/nowhere/at/all")
    world.client.open("/api/v1/stats", method="BREW")
    text = world.client.get("/metrics").text
    assert 'route="/api/v1/images/<uuid:image_id>",status="200"} 1.0' in text
    assert 'sightline_gateway_request_seconds_count{method="GET",route="none",status="404"} 1.0' in text
    assert "BREW" not in text
    assert 'sightline_gateway_step_seconds_count{step="encode"} 2.0' in text
    assert 'sightline_gateway_query_cache_total{result="hit"} 1.0' in text
    assert image.id not in text


def test_every_answer_has_a_request_id(world):
    given = world.client.get("/healthz", headers={"X-Request-ID": "from-nginx-1"})
    assert given.headers["X-Request-ID"] == "from-nginx-1"
    for wrong in ("x" * 65, "a b", "<script>"):
        assert world.client.get("/healthz", headers={"X-Request-ID": wrong}).headers["X-Request-ID"] != wrong


def test_what_is_not_there_and_what_is_not_done(world, problem):
    body = problem(world.client.get("/api/v1/nowhere"), 404, "blank")
    assert body["instance"] == "/api/v1/nowhere"
    problem(world.client.get("/api/v2/search"), 404, "blank")
    response = world.client.post("/api/v1/stats")
    problem(response, 405, "blank")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    problem(world.client.put("/api/v1/images"), 405, "blank")
    problem(world.client.delete("/nowhere"), 404, "blank")


def test_every_answer_is_fenced_in(world):
    for path in ("/api/v1/stats", "/healthz", "/nowhere", "/openapi.json"):
        headers = world.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_fault_of_ours_is_logged_and_not_told(world, problem, caplog):
    world.catalogue.error = RuntimeError("a secret")
    with caplog.at_level(logging.ERROR):
        body = problem(world.client.get("/api/v1/stats"), 500, "internal")
    assert "secret" not in json.dumps(body)


def test_the_document_in_the_tree_is_up_to_date():
    assert DOCUMENT.read_text(encoding="utf-8") == document()


def test_the_document_is_served(world):
    response = world.client.get("/openapi.json")
    assert response.json == json.loads(DOCUMENT.read_text(encoding="utf-8"))
    assert world.client.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


def test_every_call_documents_its_errors_as_problems():
    for operations in json.loads(DOCUMENT.read_text())["paths"].values():
        for operation in operations.values():
            assert operation["operationId"]
            for status, answer in operation["responses"].items():
                if status == "default" or int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


def test_the_drift_check_finds_a_difference(tmp_path):
    command = [sys.executable, "-m", "sightline_search_gateway.write_openapi", "--check", "--output"]
    assert subprocess.run([*command, DOCUMENT], check=False).returncode == 0
    changed = tmp_path / "openapi.json"
    changed.write_text("{}")
    result = subprocess.run([*command, changed], check=False, capture_output=True, text=True)
    assert result.returncode == 1
    assert "out of date" in result.stderr


@pytest.fixture
def swagger(tmp_path):
    folder = tmp_path / "swagger"
    folder.mkdir()
    for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "package.json"):
        (folder / name).write_text("content of " + name)
    return folder


def test_the_docs_page_loads_only_from_here(make_world, swagger):
    client = make_world(docs_dir=swagger).client
    page = client.get("/docs")
    assert page.status_code == 200
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "<script>" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    for name in ("swagger-ui.css", "swagger-ui-bundle.js"):
        response = client.get(f"/docs/{name}")
        assert response.text == f"content of {name}"
        response.close()
    assert "/openapi.json" in client.get("/docs/start.js").text
    for name in ("package.json", "../conftest.py", "..%2fconftest.py", "nothing"):
        assert client.get(f"/docs/{name}").status_code == 404


def test_docs_that_are_not_installed_say_so(make_world, tmp_path, problem):
    detail = problem(make_world(docs_dir=tmp_path / "none").client.get("/docs"), 404, "docs-missing")["detail"]
    assert "GATEWAY_DOCS_DIR" in detail
    assert "/openapi.json" in detail


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GATEWAY_PORT", "99999", "GATEWAY_PORT=99999"),
        ("GATEWAY_PAGE_DIR", "/nowhere", "index.html"),
        ("GATEWAY_TRUSTED_ORIGINS", "photos.example", "origin"),
        ("GATEWAY_TRUSTED_HOSTS", "https://photos.example", "host name"),
        ("GATEWAY_API_KEYS", "short-secret", "GATEWAY_API_KEYS: a key must have at least 16 characters"),
        ("GATEWAY_READ_KEYS", "long-enough-to-be-one,short-secret", "GATEWAY_READ_KEYS: a key must have at least 16"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "'proxy' is not an address"),
        ("GATEWAY_TRUSTED_USER_HEADER", "X-User", "needs GATEWAY_TRUSTED_PROXIES"),
        ("GATEWAY_TRUSTED_USER_HEADER", "X-User: alice", "GATEWAY_TRUSTED_USER_HEADER="),
        ("GATEWAY_EDITORS", "alice", "needs GATEWAY_TRUSTED_USER_HEADER"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, capsys, name, value, said):
    from sightline_service import load_settings

    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        load_settings(GatewaySettings)
    error = capsys.readouterr().err
    assert said in error
    assert "short-secret" not in error
