"""What the watcher tells of the database's nodes: in Redis, in its metrics and in its log."""

from __future__ import annotations

import pytest
from fakes.qdrant_cluster import NAME, ScriptedCluster, Transfer, three
from prometheus_client import REGISTRY
from sightline_catalogue import Catalogue
from sightline_ingest_worker.watcher import database_check, metrics
from sightline_ingest_worker.watcher.database_check import DatabaseCheck
from sightline_service.queues import DATABASE_KEY, DatabaseStatus, QueueSettings, redis_client
from structlog.testing import CapturingLogger
from waiting import wait_for


@pytest.fixture
def cluster():
    made = ScriptedCluster(three())
    yield made
    made.close()


@pytest.fixture
def check(cluster, redis_server):
    catalogue, client = Catalogue(cluster.settings(), "main"), redis_client(QueueSettings(redis_url=redis_server.url))
    yield DatabaseCheck(catalogue, client)
    catalogue.close()
    client.close()
    metrics.clear()


def told(redis_server) -> DatabaseStatus | None:
    return DatabaseStatus.read(redis_server.client.get(DATABASE_KEY))


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"sightline_database_{name}", labels)


def test_a_healthy_cluster(check, redis_server):
    check.check()
    status = told(redis_server)
    assert (status.nodes, status.nodes_alive, status.shards, status.copies_wanted, status.copies_alive) == (
        3,
        3,
        6,
        12,
        12,
    )
    assert status.message == ""
    assert [gauge("nodes", state=state) for state in ("alive", "dead")] == [3, 0]
    assert [gauge("shards", state=state) for state in ("available", "unavailable")] == [6, 0]
    assert [gauge("copies", state=state) for state in ("wanted", "alive")] == [12, 12]
    assert gauge("transfers") == 0


def test_a_lost_node_and_a_transfer(check, cluster, redis_server):
    cluster.nodes[2].kill()
    cluster.script.replicas[NAME][0] = {1: "Active", 2: "Partial"}
    cluster.script.transfers = [Transfer(NAME, 0, 1, 2, sync=True, looks=-1)]
    check.check()
    status = told(redis_server)
    assert (status.nodes_alive, status.dead_nodes, status.copies_alive, status.transfers) == (2, ["127.0.0.3"], 7, 1)
    assert status.message.startswith("1 of 3 database nodes does not answer")
    assert gauge("nodes", state="dead") == 1
    assert gauge("copies", state="alive") == 7
    assert gauge("transfers") == 1


def test_a_state_that_is_not_known_is_not_told(check, cluster, redis_server):
    check.check()
    for node in cluster.nodes:
        node.kill()
    check.check()
    assert gauge("nodes", state="alive") is None
    assert gauge("copies", state="wanted") is None
    redis_server.client.delete(DATABASE_KEY)
    assert told(redis_server) is None


def test_what_is_wrong_is_logged_once_and_that_it_is_over(check, cluster, monkeypatch):
    logger = CapturingLogger()
    monkeypatch.setattr(database_check, "log", logger)
    check.check()
    cluster.script.replicas[NAME][0] = {1: "Active"}
    check.check()
    check.check()
    cluster.script.replicas[NAME][0] = {1: "Active", 2: "Active"}
    check.check()
    assert [(call.method_name, call.args) for call in logger.calls] == [
        ("warning", ("1 of 12 copies in the database is missing: if another node is lost, searches may fail.",)),
        ("info", ("all nodes of the database answer again, and no copy is missing",)),
    ]


def test_the_thread_goes_on_whatever_happens_and_ends(check, redis_server, monkeypatch):
    monkeypatch.setattr(database_check, "CHECK_SECONDS", 0.01)
    calls = []
    read = check._catalogue.cluster_state

    def fail_once():
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("unexpected")
        return read()

    monkeypatch.setattr(check._catalogue, "cluster_state", fail_once)
    check.start()
    wait_for(lambda: told(redis_server))
    check.stop()
    assert not check._thread.is_alive()
