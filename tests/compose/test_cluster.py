"""deploy/cluster.yml: three nodes of a Qdrant server, of which any one may die or hang while searches go on."""

from __future__ import annotations

import json
import subprocess

import pytest
from engine import System, has_server_image, kill_and_see_it_come_back, server_image, wait_for
from images import drawn

NODES = ("qdrant", "qdrant-2", "qdrant-3")
# The image has no curl.
ASK = (
    "exec 3<>/dev/tcp/127.0.0.1/6333; "
    r"printf 'GET %s HTTP/1.0\r\napi-key: %s\r\n\r\n' {path} $QDRANT__SERVICE__API_KEY >&3; cat <&3"
)

pytestmark = [
    pytest.mark.skipif(not has_server_image(), reason=f"there is no image {server_image()}"),
    pytest.mark.parametrize("system", ["cluster"], indirect=True, scope="session"),
]


def ask(system: System, node: str, path: str) -> dict:
    answer = system.execute(node, "bash", "-c", ASK.format(path=path)).stdout
    return json.loads(answer.partition("\n\n")[2])["result"]


def test_the_three_nodes_are_healthy_and_know_each_other(system):
    for node in NODES:
        assert system.healthy(node)
        assert len(ask(system, node, "/cluster")["peers"]) == len(NODES)


@pytest.mark.parametrize("node", NODES)
def test_no_search_fails_while_a_node_is_killed_and_comes_back(system, node):
    with system.searching() as statuses:
        kill_and_see_it_come_back(system, node)
    assert len(statuses) > 20
    assert set(statuses) == {200}


@pytest.mark.parametrize("node", NODES)
def test_no_search_fails_while_a_node_hangs(system, node):
    [container] = system.inspect(node)
    name = f"while-{node}-hangs.jpg"
    with system.searching() as statuses:
        subprocess.run(["docker", "pause", container["Id"]], check=True, capture_output=True)
        try:
            system.bucket.put(name, drawn(400 + NODES.index(node)))
            before = len(statuses)
            wait_for("searches go on", lambda: len(statuses) > before + 100)
            wait_for("the new picture is found", lambda: name in system.indexed())
        finally:
            subprocess.run(["docker", "unpause", container["Id"]], check=True, capture_output=True)
        wait_for(f"{node} is healthy", lambda: system.healthy(node))
        assert name in system.indexed()
    assert set(statuses) == {200}


def repair(system: System, *options: str) -> subprocess.CompletedProcess[str]:
    [watcher] = system.inspect("watcher")
    command = ["docker", "exec", watcher["Id"], "sightline-catalogue", "repair", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.parametrize("node", NODES)
def test_a_node_that_loses_its_disk_is_replaced_while_searches_go_on(system, node):
    def database() -> dict:
        return system.get("/ingest")["database"] or {}

    def planned() -> bool:
        dry = repair(system)
        return dry.returncode == 3 and f"Remove {node} from the cluster" in dry.stdout

    wait_for("all nodes are alive", lambda: database().get("copies_alive") == 12)
    with system.searching() as statuses:
        system.compose("rm", "--stop", "--force", node)
        subprocess.run(["docker", "volume", "rm", f"{system.project}_{node}"], check=True, capture_output=True)
        system.compose("up", "--detach", "--no-deps", node)
        wait_for("the page is told", lambda: database().get("dead_nodes") == [node])
        assert database()["message"].startswith("1 of 3 database nodes does not answer")
        wait_for("it is certain that the node is lost", planned)
        done = repair(system, "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for("all is well", lambda: database().get("copies_alive") == 12 and not database()["message"])
    assert set(statuses) == {200}
    assert len(ask(system, node, "/cluster")["peers"]) == len(NODES)
    assert repair(system).returncode == 0
