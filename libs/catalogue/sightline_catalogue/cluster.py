"""The state of the database as a cluster: nodes, shards and their copies, transfers, and what to say of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

READABLE = frozenset(("Active", "ActiveRead", "ReshardingScaleDown"))
"""States of a replica that answers searches. `Active` is also what a node that was killed is left as until a write
fails, so that a replica counts as alive only on a node that is."""
SOURCE = "Active"
"""The state that a replica must be in to be copied or moved."""


@dataclass(frozen=True)
class Node:
    """One server of the database.

    Attributes:
        id: Qdrant's peer id.
        address: Its host, and its port where several share the host: its name for people.
        alive: Whether it takes part: it answers, and the others reach it.
        reason: Why it does not; empty while it does.
        certainly_dead: It does not answer, and the leader reports that it cannot reach it either.
        host: By which REST reaches it.
    """

    id: int
    address: str
    alive: bool = True
    reason: str = ""
    certainly_dead: bool = False
    host: str = ""


@dataclass(frozen=True)
class Replica:
    """A copy of a shard on a node; its state is Qdrant's: `Active`, `Dead`, `Partial` and others."""

    node_id: int
    state: str


@dataclass(frozen=True)
class Shard:
    """A part of a collection, with the number of copies that there should be and those that there are."""

    collection: str
    id: int
    copies_wanted: int
    replicas: tuple[Replica, ...]

    def on(self, node_id: int) -> Replica | None:
        """Return the copy on a node, whatever its state."""
        return next((replica for replica in self.replicas if replica.node_id == node_id), None)


@dataclass(frozen=True)
class Transfer:
    """A copy that is being made; a move removes the one that it is made from, a copy of another node's keeps it."""

    collection: str
    shard_id: int
    from_id: int
    to_id: int
    is_move: bool = False


@dataclass(frozen=True)
class ClusterState:
    """The database, as those of its nodes that answer describe it.

    Attributes:
        distributed: Whether it is a cluster: false for one server, and for qdrant-edge.
        leader_id: The leader, without which nothing can be changed; None where there is none.
        outsiders: Addresses of servers that are asked and are no part of the cluster: with an empty disk they started
            as clusters of their own, or they were removed.
        problem: Why the nodes could not be asked, where they could not.
    """

    distributed: bool
    nodes: tuple[Node, ...]
    shards: tuple[Shard, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    leader_id: int | None = None
    outsiders: tuple[str, ...] = ()
    problem: str = ""

    def node(self, node_id: int) -> Node | None:
        """Return a node."""
        return next((node for node in self.nodes if node.id == node_id), None)

    def name(self, node_id: int) -> str:
        """Return a node's address, or its id where it is not known any more."""
        node = self.node(node_id)
        return node.address if node is not None else f"node {node_id}"

    @property
    def living(self) -> tuple[Node, ...]:
        """The nodes that take part."""
        return tuple(node for node in self.nodes if node.alive)

    @property
    def dead(self) -> tuple[Node, ...]:
        """The nodes that do not."""
        return tuple(node for node in self.nodes if not node.alive)

    def living_replicas(self, shard: Shard) -> list[Replica]:
        """Return the copies of a shard that answer searches."""
        living = {node.id for node in self.living}
        return [one for one in shard.replicas if one.state in READABLE and one.node_id in living]

    @property
    def copies_wanted(self) -> int:
        """The copies that there should be, of all shards together."""
        return sum(shard.copies_wanted for shard in self.shards)

    @property
    def copies_alive(self) -> int:
        """The copies that answer searches; no shard counts for more than it should have."""
        return sum(min(len(self.living_replicas(shard)), shard.copies_wanted) for shard in self.shards)

    @property
    def shards_unavailable(self) -> int:
        """The shards of which no copy answers."""
        return sum(not self.living_replicas(shard) for shard in self.shards)

    def summary(self) -> str:
        """Return what is wrong as a sentence for whoever owns the pictures; empty while all is well."""
        dead, lost, missing = len(self.dead), self.shards_unavailable, self.copies_wanted - self.copies_alive
        said = f"{dead} of {len(self.nodes)} database nodes {'does' if dead == 1 else 'do'} not answer" if dead else ""
        if lost:
            told = f"{lost} of {len(self.shards)} parts of the collection {'has' if lost == 1 else 'have'} no copy left"
            return (
                f"{said}, and {told} that answers: searches fail." if said else f"{told} that answers: searches fail."
            )
        if said:
            rest = "searches go on from the copies that are left" if missing else "searches go on"
            return f"{said}: {rest}."
        if self.outsiders:
            return f"Database node {self.outsiders[0]} runs outside of the cluster, alone: searches may fail."
        if not missing:
            return ""
        told = f"{missing} of {self.copies_wanted} copies in the database {'is' if missing == 1 else 'are'} missing"
        if self.transfers:
            count = len(self.transfers)
            return f"{told}, {count} {'is' if count == 1 else 'are'} being made now: searches go on."
        return f"{told}: if another node is lost, searches may fail."


def replicas_by_node(shards: Iterable[Shard]) -> Counter[int]:
    """Count the copies on each node, whatever their state."""
    return Counter(replica.node_id for shard in shards for replica in shard.replicas)
