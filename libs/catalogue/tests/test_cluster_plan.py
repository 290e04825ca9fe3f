"""Plans of repairs and of moves: what they end in, whatever they begin with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightline_catalogue.cluster import ClusterState, Node, Replica, Shard, Transfer, replicas_by_node
from sightline_catalogue.cluster_plan import Move, RemovePeer, Replicate, plan_rebalance, plan_repair, words


def nodes(count: int, dead: tuple[int, ...] = ()) -> tuple[Node, ...]:
    return tuple(
        Node(number, f"qdrant-{number}", number not in dead, "" if number not in dead else "gone", number in dead)
        for number in range(1, count + 1)
    )


def shard(number: int, *on: int, wanted: int = 2, name: str = "images", state: str = "Active") -> Shard:
    return Shard(name, number, wanted, tuple(Replica(one, state) for one in on))


def carried_out(state: ClusterState, steps) -> ClusterState:
    """Return the state after steps, each of which must be one that Qdrant does not refuse."""
    for step in steps:
        if isinstance(step, RemovePeer):
            kept = tuple(one for one in state.nodes if one.id != step.node.id)
            shards = tuple(
                replace(one, replicas=tuple(r for r in one.replicas if r.node_id != step.node.id))
                for one in state.shards
            )
            state = replace(state, nodes=kept, shards=shards)
            continue
        key = step.shard.collection, step.shard.id
        now = next(one for one in state.shards if (one.collection, one.id) == key)
        assert now.on(step.from_id).state == "Active"
        assert now.on(step.to_id) is None or now.on(step.to_id).state != "Active"
        others = [one for one in now.replicas if one.node_id != step.to_id]
        if isinstance(step, Move):
            others = [one for one in others if one.node_id != step.from_id]
        changed = replace(now, replicas=(*others, Replica(step.to_id, "Active")))
        state = replace(state, shards=tuple(changed if one is now else one for one in state.shards))
    return state


def test_nothing_is_to_be_done_where_all_is_well():
    state = ClusterState(True, nodes(3), (shard(0, 1, 2), shard(1, 2, 3)), leader_id=1)
    assert plan_repair(state).steps == plan_rebalance(state).steps == ()


def test_a_lost_node_is_removed_and_its_copies_are_made_where_fewest_are():
    state = ClusterState(True, nodes(4, (3,)), (shard(0, 1, 3), shard(1, 1, 2), shard(2, 2, 3)), leader_id=1)
    plan = plan_repair(state)
    assert [type(step) for step in plan.steps] == [RemovePeer, Replicate, Replicate]
    assert [(step.shard.id, step.to_id) for step in plan.steps[1:]] == [(0, 4), (2, 4)] or {
        step.to_id for step in plan.steps[1:]
    } <= {1, 2, 4}
    assert words(plan.steps[0], state).endswith(
        "Remove qdrant-3 from the cluster (gone) with its copies, of which every shard has others."
    )
    assert words(plan.steps[1], state) == "Copy shard 0 of images from qdrant-1 to qdrant-4."
    assert carried_out(state, plan.steps).summary() == ""


def test_the_last_copy_is_never_removed_without_being_told_to():
    state = ClusterState(True, nodes(3, (3,)), (shard(0, 3), shard(1, 1, 3)), leader_id=1)
    plan = plan_repair(state)
    assert not any(isinstance(step, RemovePeer) for step in plan.steps)
    assert "has the only copies of 1 of 2 shards" in plan.refused[0]
    told = plan_repair(state, give_up_shards=True)
    assert words(told.steps[0], state).endswith("of which 1 is the last: what is in them is lost.")


def test_a_copy_that_is_not_up_to_date_is_none():
    dead = Shard("images", 0, 2, (Replica(1, "Dead"), Replica(3, "Active")))
    state = ClusterState(True, nodes(3, (3,)), (dead,), leader_id=1)
    assert "has the only copies" in plan_repair(state).refused[0]


def test_a_node_that_may_live_is_not_removed():
    unsure = replace(nodes(3, (3,))[2], certainly_dead=False)
    state = ClusterState(True, (*nodes(2), unsure), (shard(0, 1, 3),), leader_id=1)
    plan = plan_repair(state)
    assert not any(isinstance(step, RemovePeer) for step in plan.steps)
    assert "It is not certain that qdrant-3 is lost" in plan.refused[0]


@pytest.mark.parametrize(("dead", "leader"), [((2, 3), 1), ((3,), None)])
def test_nothing_is_removed_that_the_nodes_could_not_agree_on(dead, leader):
    state = ClusterState(True, nodes(3, dead), (shard(0, 1, 3),), leader_id=leader)
    assert not any(isinstance(step, RemovePeer) for step in plan_repair(state).steps)
    assert "more than half" in plan_repair(state).refused[0]


def test_a_copy_that_does_not_answer_is_mended_where_it_is():
    stale = Shard("images", 0, 2, (Replica(1, "Active"), Replica(2, "Dead")))
    [step] = plan_repair(ClusterState(True, nodes(3), (stale,), leader_id=1)).steps
    assert (step.from_id, step.to_id) == (1, 2)


def test_what_is_on_its_way_is_not_begun_again():
    state = ClusterState(True, nodes(3), (shard(0, 1), shard(1, 2)), (Transfer("images", 0, 1, 2),), leader_id=1)
    [step] = plan_repair(state).steps
    assert step.shard.id == 1


def test_copies_without_a_place_are_told():
    plan = plan_repair(ClusterState(True, nodes(1), (shard(0, 1), shard(1, 1)), leader_id=1))
    assert plan.steps == ()
    assert plan.refused[0].startswith("2 more copies have no place: there are 1 nodes")


def test_a_new_node_gets_its_share():
    state = ClusterState(True, nodes(4), tuple(shard(n, n % 3 + 1, (n + 1) % 3 + 1) for n in range(6)), leader_id=1)
    after = carried_out(state, plan_rebalance(state).steps)
    assert sorted(replicas_by_node(after.shards).values()) == [3, 3, 3, 3]
    assert plan_rebalance(after).steps == ()


@pytest.mark.parametrize(
    "state",
    [
        ClusterState(True, nodes(3, (3,)), (shard(0, 1, 2),), leader_id=1),
        ClusterState(True, nodes(3), (shard(0, 1),), leader_id=1),
        ClusterState(True, nodes(3), (shard(0, 1, 2),), leader_id=1, outsiders=("qdrant-4",)),
    ],
    ids=["dead", "missing", "outsider"],
)
def test_nothing_is_moved_before_it_is_repaired(state):
    plan = plan_rebalance(state)
    assert plan.steps == ()
    assert "repair" in plan.refused[0]


@st.composite
def states(draw):
    count = draw(st.integers(2, 5))
    wanted = draw(st.integers(1, min(3, count)))
    shards = []
    for name in ("images-a", "images-b")[: draw(st.integers(1, 2))]:
        for number in range(draw(st.integers(1, 7))):
            on = draw(st.lists(st.integers(1, count), min_size=1, max_size=wanted, unique=True))
            shards.append(shard(number, *on, wanted=wanted, name=name))
    return ClusterState(True, nodes(count), tuple(shards), leader_id=1)


@given(states())
def test_a_repair_ends_with_every_copy_and_moves_end_evenly(state):
    repaired = carried_out(state, plan_repair(state).steps)
    assert repaired.copies_alive == repaired.copies_wanted
    assert plan_repair(repaired).steps == ()
    even = carried_out(repaired, plan_rebalance(repaired).steps)
    assert even.copies_alive == even.copies_wanted
    assert plan_rebalance(even).steps == ()
    everywhere = Counter({node.id: 0 for node in even.nodes})
    for name in {one.collection for one in even.shards}:
        own = Counter(everywhere)
        own.update(replicas_by_node([one for one in even.shards if one.collection == name]))
        assert max(own.values()) - min(own.values()) <= 1


@given(states(), st.data())
def test_a_lost_node_is_survived(state, data):
    whole = carried_out(state, plan_repair(state).steps)
    lost = data.draw(st.sampled_from(whole.nodes)).id
    told = tuple(
        replace(one, alive=False, reason="gone", certainly_dead=True) if one.id == lost else one for one in whole.nodes
    )
    broken = replace(whole, nodes=told, leader_id=next((one.id for one in told if one.alive), None))
    plan = plan_repair(broken)
    after = carried_out(broken, plan.steps)
    assert after.shards_unavailable == broken.shards_unavailable
    if not plan.refused:
        assert after.copies_alive == after.copies_wanted
