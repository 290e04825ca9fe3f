"""What is read of a database's nodes in every state of theirs, and the words for it."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from fakes.qdrant_cluster import KEY, NAME, Script, ScriptedCluster, Transfer, three
from sightline_catalogue import Catalogue, CatalogueError, CatalogueUnavailable


@pytest.fixture
def cluster():
    """Make clusters, and read their state; the pages' and alerts' words come from it."""
    made = []

    def make(script: Script, nodes: int = 3, **options: object) -> ScriptedCluster:
        made.append(ScriptedCluster(script, nodes, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def read():
    """Read a cluster's state."""
    made = []

    def state(cluster: ScriptedCluster, **settings: object):
        made.append(Catalogue(cluster.settings(**settings), "main"))
        return made[-1].cluster_state()

    yield state
    for one in made:
        one.close()


def figures(state) -> tuple[int, ...]:
    return len(state.living), len(state.nodes), len(state.shards), state.copies_alive, state.copies_wanted


def test_three_nodes_that_answer(cluster, read):
    state = read(cluster(three()))
    assert figures(state) == (3, 3, 6, 12, 12)
    assert (state.distributed, state.leader_id, state.transfers, state.summary()) == (True, 1, (), "")
    assert [node.address for node in state.nodes] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]


def test_a_node_that_was_killed_though_its_copies_are_said_to_be_active(cluster, read):
    made = cluster(three())
    made.nodes[2].kill()
    state = read(made)
    assert figures(state) == (2, 3, 6, 8, 12)
    assert state.summary() == "1 of 3 database nodes does not answer: searches go on from the copies that are left."
    [dead] = state.dead
    assert (dead.address, dead.reason, dead.certainly_dead) == ("127.0.0.3", "nothing listens there", True)


def test_a_node_that_hangs(cluster, read):
    made = cluster(three())
    made.nodes[1].freeze()
    [dead] = read(made, attempt_seconds=1).dead
    assert (dead.address, dead.reason, dead.certainly_dead) == ("127.0.0.2", "it takes too long", True)


def test_a_node_that_only_this_machine_cannot_ask_is_not_certainly_dead(cluster, read):
    made = cluster(three())
    made.nodes[1].freeze()
    made.script.unreachable.clear()
    [dead] = read(made, attempt_seconds=1).dead
    assert not dead.certainly_dead


def test_what_a_follower_remembers_counts_only_without_the_leader(cluster, read):
    made = cluster(three())
    made.nodes[0].kill()
    made.script.leader = 1
    [dead] = read(made).dead
    assert (dead.id, dead.certainly_dead) == (1, False)
    made.script.leader = 2
    [dead] = read(made).dead
    assert (dead.id, dead.certainly_dead) == (1, True)


def test_a_node_that_answers_here_and_that_the_others_do_not_reach(cluster, read):
    made = cluster(three())
    made.script.unreachable.add(3)
    [dead] = read(made).dead
    assert (dead.id, dead.reason, dead.certainly_dead) == (3, "the other nodes cannot reach it", False)


def test_the_only_copies_are_on_nodes_that_do_not_answer(cluster, read):
    made = cluster(three(copies=1))
    made.nodes[0].kill()
    made.script.leader = 2
    state = read(made)
    assert state.shards_unavailable == 2
    assert state.summary() == (
        "1 of 3 database nodes does not answer, and 2 of 6 parts of the collection have no copy left that answers: "
        "searches fail."
    )


def test_a_copy_that_is_dead_or_being_made_does_not_answer(cluster, read):
    script = three()
    script.replicas[NAME][0] = {1: "Active", 2: "Dead"}
    script.replicas[NAME][1] = {2: "Active", 3: "Partial"}
    # Of a version that is not known here.
    script.replicas[NAME][2] = {3: "Active", 1: 99}
    script.replicas[NAME][3] = {1: "Active", 2: "ActiveRead"}
    script.transfers = [Transfer(NAME, 1, 2, 3, sync=True, looks=-1)]
    state = read(cluster(script))
    assert figures(state) == (3, 3, 6, 9, 12)
    [transfer] = state.transfers
    assert (transfer.shard_id, transfer.from_id, transfer.to_id, transfer.is_move) == (1, 2, 3, False)
    assert state.summary() == "3 of 12 copies in the database are missing, 1 is being made now: searches go on."
    assert {replica.state for replica in state.shards[2].replicas} == {"Active", "state 99"}


def test_a_peer_that_was_removed_and_an_empty_one_that_joined(cluster, read):
    script = three()
    script.remove_peer(3)
    state = read(cluster(script, nodes=2))
    assert figures(state) == (2, 2, 6, 8, 12)
    assert state.summary() == "4 of 12 copies in the database are missing: if another node is lost, searches may fail."
    script.peers[103] = "127.0.0.3"
    state = read(cluster(script))
    assert figures(state) == (3, 3, 6, 8, 12)


def test_a_node_that_started_empty_as_a_cluster_of_its_own(cluster, read):
    made = cluster(three())
    made.nodes[2].alone = 900
    state = read(made)
    assert figures(state) == (2, 3, 6, 8, 12)
    assert state.outsiders == ("127.0.0.3",)
    [dead] = state.dead
    assert (dead.id, dead.reason, dead.certainly_dead) == (3, "another server answers in its place", True)
    made.script.remove_peer(3)
    assert "127.0.0.3 runs outside of the cluster" in read(made).summary()


def test_a_shard_of_which_no_copy_is_left(cluster, read):
    script = three()
    script.replicas[NAME][4] = {}
    state = read(cluster(script))
    assert state.shards_unavailable == 1
    assert state.summary() == "1 of 6 parts of the collection has no copy left that answers: searches fail."


@pytest.mark.parametrize("rest", [True, False], ids=["disabled", "no-rest"])
def test_one_server_is_one_of_one_whatever_its_collection_wants(cluster, read, rest):
    script = Script({1: "127.0.0.1"}, {NAME: {0: {1: "Active"}}}, {NAME: 3}, distributed=False)
    state = read(cluster(script, nodes=1, rest=rest))
    assert figures(state) == (1, 1, 1, 1, 1)
    assert (state.distributed, state.summary()) == (False, "")


@pytest.mark.parametrize(("status", "body"), [(200, b"# HELP up"), (404, b"{}"), (401, b"who?"), (200, b"[1]")])
def test_what_is_not_qdrants_rest_is_no_cluster(cluster, read, status, body):
    script = Script({1: "127.0.0.1"}, {NAME: {0: {1: "Active"}}}, {NAME: 1}, distributed=False)
    made = cluster(script, nodes=1, rest=False)

    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", made.rest_port), Other) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        state = read(made)
        server.shutdown()
        thread.join()
    assert figures(state) == (1, 1, 1, 1, 1)
    assert (state.distributed, state.summary()) == (False, "")


def test_an_empty_server(cluster, read):
    state = read(cluster(Script({1: "127.0.0.1"}, {}, {}, distributed=False), nodes=1))
    assert figures(state) == (1, 1, 0, 0, 0)
    assert state.summary() == ""


def test_a_cluster_whose_rest_cannot_be_reached(cluster, read):
    state = read(cluster(three(), rest=False))
    assert figures(state) == (3, 3, 6, 12, 12)
    assert state.summary() == ""
    assert "QDRANT_REST_PORT" in state.problem


def test_peers_whose_names_are_not_known_here_are_taken_for_alive(cluster, read, monkeypatch):
    """As those of a hosted cluster, which is reached by one name."""
    look_up = socket.getaddrinfo

    def knows_no_peer(host: str, *arguments: object, **options: object):
        if str(host).startswith("peer-"):
            raise socket.gaierror("Name or service not known")
        return look_up(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", knows_no_peer)
    script = three()
    script.peers |= {2: "peer-2", 3: "peer-3"}
    for leader in (1, 2):
        script.leader = leader
        assert figures(read(cluster(script, nodes=1))) == (3, 3, 6, 12, 12)
    script.leader = 1
    script.unreachable.add(3)
    [dead] = read(cluster(script, nodes=1)).dead
    assert (dead.address, dead.reason, dead.certainly_dead) == ("peer-3", "no machine has that name", True)


def test_old_versions_lack_fields(cluster, read):
    script = three()
    script.old = True
    made = cluster(script)
    made.nodes[2].kill()
    [dead] = read(made).dead
    assert (dead.id, dead.certainly_dead) == (3, False)


def test_a_wrong_key_is_said(cluster, read):
    with pytest.raises(CatalogueError, match="refuses QDRANT_API_KEY"):
        read(cluster(three()), api_key=f"not {KEY}")


def test_nobody_answers(cluster, read):
    made = cluster(three())
    for node in made.nodes:
        node.kill()
    with pytest.raises(CatalogueUnavailable, match="QDRANT_URL"):
        read(made)
