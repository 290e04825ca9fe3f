"""The command `sightline-catalogue` on a cluster that plays what nodes do."""

from __future__ import annotations

import pytest
from fakes.qdrant_cluster import NAME, Script, ScriptedCluster, Transfer, three
from sightline_catalogue import cluster_repair
from sightline_catalogue.command import app
from typer.testing import CliRunner


class Shell:
    """A cluster, and the command's last run on it."""

    def __init__(self, script: Script, nodes: int = 3, **options: object) -> None:
        self.script = script
        self.cluster = ScriptedCluster(script, nodes, **options)
        self.environment = self.cluster.environment()

    def run(self, *arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(arguments), env=self.environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, " ".join(result.output.split())

    @property
    def copies(self) -> dict[int, set[int]]:
        return {shard: set(copies) for shard, copies in self.script.replicas[NAME].items()}


@pytest.fixture
def shell(monkeypatch):
    monkeypatch.setattr(cluster_repair, "POLL_SECONDS", 0.01)
    made = []

    def make(script: Script, nodes: int = 3, **options: object) -> Shell:
        made.append(Shell(script, nodes, **options))
        return made[-1]

    yield make
    for one in made:
        one.cluster.close()


@pytest.fixture
def lost(shell):
    """Three nodes, of which one lost its disk: it restarts for ever, and joins once its peer was removed."""
    made = shell(three())
    made.cluster.nodes[2].kill()
    for copies in made.script.replicas[NAME].values():
        if 3 in copies:
            copies[3] = "Dead"
    return made


def comes_back(shell: Shell) -> None:
    """Let the node that was killed start with an empty disk; it joins once it may."""
    old = shell.cluster.nodes[2]
    shell.cluster.nodes[2] = type(old)(shell.script, old.host, shell.cluster.rest_port, shell.cluster.grpc_port)
    old.pool.shutdown()


def test_status_of_a_healthy_cluster(shell):
    code, said = shell(three()).run("status")
    assert code == 0
    assert "127.0.0.1 1 answers, leads" in said
    assert f"{NAME} 0 2 of 2 127.0.0.1, 127.0.0.2" in said
    assert said.endswith("3 of 3 nodes answer, 6 shards, 12 of 12 copies.")


def test_status_of_a_lost_node(lost):
    code, said = lost.run("status")
    assert code == 3
    assert "127.0.0.3 3 does not answer: nothing listens there" in said
    assert f"{NAME} 1 1 of 2 127.0.0.2, 127.0.0.3 (does not answer)" in said
    assert "2 of 3 nodes answer, 6 shards, 8 of 12 copies." in said
    assert "1 of 3 database nodes does not answer: searches go on from the copies that are left." in said
    assert said.endswith("What to do: sightline-catalogue repair")


def test_status_of_a_transfer(shell):
    script = three()
    script.replicas[NAME][1] = {2: "Active", 3: "Partial"}
    script.transfers = [Transfer(NAME, 1, 2, 3, sync=True, looks=-1)]
    code, said = shell(script).run("status")
    assert code == 3
    assert f"Shard 1 of {NAME} is copied from 127.0.0.2 to 127.0.0.3." in said
    assert "127.0.0.3 (partial)" in said


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(lost):
    code, said = lost.run("repair")
    assert code == 3
    assert "127.0.0.3 does not answer (nothing listens there). If it only stands still, start it" in said
    assert "1. Remove 127.0.0.3 from the cluster" in said
    assert "Wait until the removed node has joined again, with an empty disk." in said
    assert f"2. Copy shard 1 of {NAME} from 127.0.0.2 to the node that has the fewest." in said
    assert said.endswith("Nothing was changed. To do it: sightline-catalogue repair --yes")
    assert lost.script.calls == []
    assert lost.script.peers[3] == "127.0.0.3"


def test_a_repair_removes_the_peer_waits_for_the_empty_node_and_copies_to_it(lost):
    code, said = lost.run("repair", "--yes", "--join-seconds", "0")
    assert code == 1
    assert "Stopped: 3 nodes were expected, and 2 answer" in said
    assert lost.script.calls == [("remove", 3)]
    comes_back(lost)
    lost.script.joins["127.0.0.3"] = 3
    code, said = lost.run("repair", "--yes", "--nodes", "3")
    assert code == 0, said
    moved = lost.script.calls[1:]
    assert [(call[0], call[2], call[4]) for call in moved] == [("replicate_shard", n, 102) for n in (1, 2, 4, 5)]
    assert {call[3] for call in moved} == {1, 2}
    assert lost.copies == {0: {1, 2}, 1: {2, 102}, 2: {1, 102}, 3: {1, 2}, 4: {2, 102}, 5: {1, 102}}
    assert said.endswith("Done: 3 of 3 nodes answer, 6 shards, 12 of 12 copies.")


def test_a_repair_that_is_done_has_nothing_to_do(shell):
    made = shell(three())
    assert made.run("repair", "--yes") == (
        0,
        "There is nothing to do. Done: 3 of 3 nodes answer, 6 shards, 12 of 12 copies.",
    )
    assert made.script.calls == []


def test_a_repair_in_one_go(lost, monkeypatch):
    """The empty node comes up while the command waits for it."""
    removed = lost.script.remove_peer

    def remove(peer: int) -> None:
        removed(peer)
        comes_back(lost)
        lost.script.joins["127.0.0.3"] = 4

    monkeypatch.setattr(lost.script, "remove_peer", remove)
    code, said = lost.run("repair", "--yes")
    assert code == 0, said
    assert "docker compose up --detach 127.0.0.3" in said
    assert "Waiting for 1 more of 3 nodes" in said
    assert [call[0] for call in lost.script.calls] == ["remove"] + ["replicate_shard"] * 4


@pytest.mark.parametrize("after", range(1, 6))
def test_a_repair_that_was_killed_is_gone_on_with(lost, monkeypatch, after):
    lost.script.remove_peer(3)
    comes_back(lost)
    lost.script.peers[103] = "127.0.0.3"
    calls = 0
    begun = lost.script.transfer

    def transfer(*arguments: object) -> str:
        nonlocal calls
        calls += 1
        refusal = begun(*arguments)
        if calls == after:
            raise KeyboardInterrupt
        return refusal

    monkeypatch.setattr("sightline_catalogue.cluster_repair.ClusterRepair._until", interrupted(after))
    code, said = lost.run("repair", "--yes")
    assert code == (1 if after <= 4 else 0), said
    monkeypatch.undo()
    monkeypatch.setattr(cluster_repair, "POLL_SECONDS", 0.01)
    code, said = lost.run("repair", "--yes")
    assert code == 0, said
    assert len(lost.script.calls) == 5
    assert all(len(copies) == 2 for copies in lost.copies.values())


def interrupted(after: int):
    """Return `_until` as it is, which Ctrl-C ends at its call of that number."""
    until = cluster_repair.ClusterRepair._until
    calls = 0

    def wait(self, *arguments: object) -> None:
        nonlocal calls
        calls += 1
        if calls == after:
            raise KeyboardInterrupt
        until(self, *arguments)

    return wait


def test_a_transfer_under_way_is_waited_for_and_not_begun_again(shell):
    script = three()
    script.replicas[NAME][1] = {2: "Active", 3: "Partial"}
    script.transfers = [Transfer(NAME, 1, 2, 3, sync=True, looks=4)]
    code, said = shell(script).run("repair", "--yes")
    assert code == 0
    assert f"Shard 1 of {NAME} is on its way to 127.0.0.3 (11 of 12 copies answer)" in said
    assert script.calls == []


def test_a_transfer_that_fails_is_tried_again_and_given_up_with_its_reason(shell):
    script = three()
    script.replicas[NAME][1] = {2: "Active"}
    script.failing = 2
    made = shell(script)
    assert made.run("repair", "--yes")[0] == 0
    assert len(script.calls) == 3
    script.replicas[NAME][1] = {2: "Active"}
    script.failing = 9
    code, said = made.run("repair", "--yes")
    assert code == 1
    assert "3 times that ended without a copy that answers" in said


def test_the_last_copy_of_a_shard_is_kept_unless_it_is_given_up(shell):
    made = shell(three(copies=1))
    made.cluster.nodes[2].kill()
    code, said = made.run("repair", "--yes")
    assert code == 1
    assert "127.0.0.3 has the only copies of 2 of 6 shards" in said
    assert made.script.calls == []
    code, said = made.run("repair", "--yes", "--give-up-shards", "--nodes", "2")
    assert made.script.calls == [("remove", 3)]
    assert "2 of 6 parts of the collection have no copy left" in said


def at_the_fourth_look(lost, monkeypatch, change):
    """Have something change before the nodes are looked at for the fourth time."""
    looks = 0
    look = lost.script.look

    def counted() -> None:
        nonlocal looks
        looks += 1
        if looks == 4:
            change()
        look()

    monkeypatch.setattr(lost.script, "look", counted)


def test_a_node_that_the_others_reach_again_meanwhile_is_not_removed(lost, monkeypatch):
    monkeypatch.setattr(cluster_repair, "MOST_LOOKS", 3)
    at_the_fourth_look(lost, monkeypatch, lost.script.unreachable.clear)
    comes_back(lost)
    lost.script.unreachable.add(3)
    lost.cluster.nodes[2].freeze()
    lost.environment["QDRANT_ATTEMPT_SECONDS"] = "1"
    code, said = lost.run("repair", "--yes")
    assert code == 1
    assert "it is not certain that 127.0.0.3 is lost" in said
    assert lost.script.calls == []


def test_a_node_that_answers_again_meanwhile_is_not_removed(lost, monkeypatch):
    def start() -> None:
        comes_back(lost)
        lost.script.unreachable.clear()

    at_the_fourth_look(lost, monkeypatch, start)
    code, said = lost.run("repair", "--yes")
    assert "127.0.0.3 is not lost" in said
    assert ("remove", 3) not in lost.script.calls
    assert code == 0


def test_an_outsider_is_told_of(shell):
    made = shell(three())
    made.cluster.nodes[2].alone = 900
    code, said = made.run("repair")
    assert code == 3
    assert "127.0.0.3 runs outside of the cluster, alone" in said
    assert "--bootstrap" in said


def test_a_new_node_gets_its_share_and_no_shard_has_fewer_copies(shell):
    script = three()
    script.peers[4] = "127.0.0.4"
    made = shell(script, nodes=4)
    code, said = made.run("rebalance")
    assert code == 3
    assert "Move shard" in said
    assert script.calls == []
    code, said = made.run("rebalance", "--yes")
    assert code == 0, said
    assert {call[0] for call in script.calls} == {"move_shard"}
    on = [sum(peer in copies for copies in made.copies.values()) for peer in (1, 2, 3, 4)]
    assert on == [3, 3, 3, 3]
    assert all(len(copies) == 2 for copies in made.copies.values())
    assert made.run("rebalance", "--yes")[1].startswith("There is nothing to do. Done")


def test_nothing_is_moved_before_it_is_repaired(lost):
    code, said = lost.run("rebalance", "--yes")
    assert code == 1
    assert "run `sightline-catalogue repair` first" in said


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("command", ["repair", "rebalance"])
def test_one_server_is_no_cluster(shell, command, rest):
    script = Script({1: "127.0.0.1"}, {NAME: {0: {1: "Active"}}}, {NAME: 1}, distributed=False)
    made = shell(script, nodes=1, rest=rest)
    code, said = made.run(command)
    assert code == 1
    assert said.startswith("This is one server and no cluster")
    assert made.run("status")[0] == 0


def test_a_cluster_whose_rest_cannot_be_reached_is_not_changed(shell):
    made = shell(three(), rest=False)
    code, said = made.run("status")
    assert code == 3
    assert "(QDRANT_REST_PORT)" in said
    code, said = made.run("repair", "--yes")
    assert code == 1
    assert said.startswith("Which nodes answer is not known:")


def test_errors_are_one_line(shell):
    made = shell(three())
    made.environment["QDRANT_API_KEY"] = "wrong"
    code, said = made.run("status")
    assert code == 1
    assert "refuses QDRANT_API_KEY" in said
    made.environment["QDRANT_URL"] = "http://127.0.0.1:1"
    code, said = made.run("repair")
    assert code == 1
    assert "cannot be reached" in said
    made.environment["QDRANT_URL"] = "no address"
    assert made.run("status")[0] == 2
