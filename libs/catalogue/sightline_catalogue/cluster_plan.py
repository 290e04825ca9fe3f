"""Plans what brings a cluster back to the copies that it should have, and what spreads them evenly. Does no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sightline_catalogue.cluster import SOURCE, ClusterState, Node, Replica, Shard, replicas_by_node


@dataclass(frozen=True)
class RemovePeer:
    """Take a node that is lost out of the cluster, with the copies that it had."""

    node: Node


@dataclass(frozen=True)
class Replicate:
    """Copy a shard to a node that has none, or none that answers."""

    shard: Shard
    from_id: int
    to_id: int


@dataclass(frozen=True)
class Move:
    """Move a copy of a shard to another node."""

    shard: Shard
    from_id: int
    to_id: int


Step = RemovePeer | Replicate | Move


@dataclass(frozen=True)
class Plan:
    """Steps in their order, and what cannot be done, as sentences."""

    steps: tuple[Step, ...] = ()
    refused: tuple[str, ...] = ()


def plan_repair(state: ClusterState, *, give_up_shards: bool = False) -> Plan:
    """Plan the removal of lost nodes, then a copy for each that is missing.

    Args:
        state: The cluster; what is being transferred counts as done.
        give_up_shards: Remove a node even where it has the only copies of some shards: what is in them is lost.
    """
    removals, refused = _removals(state, give_up_shards=give_up_shards)
    gone = {step.node.id for step in removals}
    after = replace(
        state,
        nodes=tuple(node for node in state.nodes if node.id not in gone),
        shards=tuple(
            replace(shard, replicas=tuple(one for one in shard.replicas if one.node_id not in gone))
            for shard in state.shards
        ),
        transfers=tuple(one for one in state.transfers if not {one.from_id, one.to_id} & gone),
    )
    # A node that stays may only stand still: what it has is not copied meanwhile.
    copies = () if after.dead else tuple(_copies(after, refused))
    return Plan((*removals, *copies), tuple(refused))


def _removals(state: ClusterState, *, give_up_shards: bool) -> tuple[list[RemovePeer], list[str]]:
    """Return which nodes to remove, and why others cannot be."""
    removals: list[RemovePeer] = []
    refused: list[str] = []
    if state.dead and (state.leader_id is None or 2 * len(state.living) <= len(state.nodes)):
        refused.append(
            f"Only {len(state.living)} of {len(state.nodes)} nodes answer, and more than half of them have to agree on "
            "any change: start those that only stand still. Where too many disks are lost, restore a snapshot."
        )
        return removals, refused
    for node in state.dead:
        only = [one for one in state.shards if one.on(node.id) is not None and not state.living_replicas(one)]
        if not node.certainly_dead:
            refused.append(
                f"It is not certain that {node.address} is lost: {node.reason}, but it is not known that the other "
                "nodes cannot reach it either. See that it can be reached from here, or run this again in a minute."
            )
        elif only and not give_up_shards:
            refused.append(
                f"{node.address} has the only copies of {len(only)} of {len(state.shards)} shards: removing it would "
                "lose what is in them. Start it with its disk if there is one; otherwise give them up by "
                "--give-up-shards, and restore a snapshot or delete the collection, which is then indexed anew."
            )
        else:
            removals.append(RemovePeer(node))
    return removals, refused


def _copies(state: ClusterState, refused: list[str]) -> Iterator[Replicate]:
    """Yield the copies to make: each from a node that has one to the node that has the fewest."""
    living = [node.id for node in state.living]
    load = Counter(dict.fromkeys(living, 0))
    load.update({node_id: count for node_id, count in replicas_by_node(state.shards).items() if node_id in living})
    sources: Counter[int] = Counter()
    busy = {(one.collection, one.shard_id): one.to_id for one in state.transfers}
    unplaced = 0
    for shard in state.shards:
        alive = [one.node_id for one in state.living_replicas(shard)]
        origins = [one.node_id for one in shard.replicas if one.state == SOURCE and one.node_id in alive]
        missing = shard.copies_wanted - len(alive)
        if missing <= 0 or not origins or (shard.collection, shard.id) in busy:
            continue
        # A copy that does not answer is brought up to date where it is.
        targets = sorted(
            (node_id for node_id in living if node_id not in alive),
            key=lambda node_id: (shard.on(node_id) is None, load[node_id], node_id),
        )
        unplaced += max(missing - len(targets), 0)
        for target in targets[:missing]:
            origin = min(origins, key=lambda node_id: (sources[node_id], node_id))
            sources[origin] += 1
            load[target] += shard.on(target) is None
            yield Replicate(shard, origin, target)
    if unplaced:
        refused.append(
            f"{unplaced} more copies have no place: there are {len(living)} nodes, and each has one of its own. "
            "Add a node, and run this again."
        )


def plan_rebalance(state: ClusterState) -> Plan:
    """Plan moves until every node has as many copies as the others, of each collection and in all, one apart at most.

    A move is made from a copy that answers to a node that has none of that shard, so no shard ever has fewer copies,
    nor two on one node.
    """
    refused = []
    if state.dead or state.copies_alive < state.copies_wanted or state.outsiders:
        refused.append("Not before every node answers and no copy is missing: run `sightline-catalogue repair` first.")
        return Plan((), tuple(refused))
    shards = {(one.collection, one.id): one for one in state.shards}
    for one in state.transfers:
        # As it will be.
        shard = shards.get((one.collection, one.shard_id))
        if shard is not None and one.is_move:
            shards[one.collection, one.shard_id] = _moved(shard, one.from_id, one.to_id)
    busy = {(one.collection, one.shard_id) for one in state.transfers}
    steps: list[Step] = []
    while (step := _next_move([node.id for node in state.nodes], list(shards.values()), busy)) is not None:
        key = step.shard.collection, step.shard.id
        shards[key] = _moved(step.shard, step.from_id, step.to_id)
        steps.append(Move(step.shard, step.from_id, step.to_id))
    return Plan(tuple(steps))


def _moved(shard: Shard, from_id: int, to_id: int) -> Shard:
    kept = (one for one in shard.replicas if one.node_id not in (from_id, to_id))
    return replace(shard, replicas=(*kept, Replica(to_id, SOURCE)))


def _next_move(node_ids: Sequence[int], shards: Sequence[Shard], busy: set[tuple[str, int]]) -> Move | None:
    """Return a move that evens out a collection, or all of them together without making one more uneven."""
    in_all = replicas_by_node(shards)
    by_collection: dict[str, list[Shard]] = {}
    for shard in shards:
        by_collection.setdefault(shard.collection, []).append(shard)
    for least in (2, 1):
        for own in by_collection.values():
            counts = replicas_by_node(own)
            for from_id in sorted(node_ids, key=lambda one: (-counts[one], -in_all[one], one)):
                for to_id in sorted(node_ids, key=lambda one: (counts[one], in_all[one], one)):
                    apart = counts[from_id] - counts[to_id]
                    if apart < least or (apart == 1 and in_all[from_id] - in_all[to_id] < 2):
                        continue
                    for shard in own:
                        here = shard.on(from_id)
                        if (shard.collection, shard.id) in busy or here is None or here.state != SOURCE:
                            continue
                        if shard.on(to_id) is None:
                            return Move(shard, from_id, to_id)
    return None


def words(step: Step, state: ClusterState, target: str = "") -> str:
    """Return what a step does as a sentence; `target` takes the place of the name of the node that is copied to."""
    if isinstance(step, RemovePeer):
        only = sum(one.on(step.node.id) is not None and not state.living_replicas(one) for one in state.shards)
        last = f"of which {only} {'is' if only == 1 else 'are'} the last: what is in them is lost"
        rest = last if only else "of which every shard has others"
        return f"Remove {step.node.address} from the cluster ({step.node.reason}) with its copies, {rest}."
    verb = "Copy" if isinstance(step, Replicate) else "Move"
    return (
        f"{verb} shard {step.shard.id} of {step.shard.collection} from {state.name(step.from_id)} to "
        f"{target or state.name(step.to_id)}."
    )
