"""Carries out plans on a cluster, step by step.

Every step is planned from what the nodes say then, so the next run goes on from wherever one was stopped.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from sightline_catalogue.cluster import ClusterState
from sightline_catalogue.cluster_plan import Move, Plan, RemovePeer, Replicate, words
from sightline_catalogue.errors import CatalogueError, CatalogueUnavailable
from sightline_catalogue.rest import RestClient

POLL_SECONDS = 1.0
CERTAIN_LOOKS = 5
"""A node is removed only if it was certainly dead at so many looks, POLL_SECONDS apart, and alive at none: it may just
be starting."""
MOST_LOOKS = 20
MOST_TRIES = 3
"""So often a copy is begun that ends without having become one."""
BEGIN_SECONDS = 10.0
"""How long a transfer that was begun may take to be seen."""

LEADER_SECONDS = 15.0
"""How long the nodes may take to choose a leader."""


class RepairFailed(CatalogueError):
    """A step failed; those before it are done, and the next run goes on after them."""


@dataclass
class ClusterRepair:
    """Carries out plans.

    Attributes:
        read: Returns the state now.
        rest: Makes the changes.
        say: Takes a line that says what is done or waited for.
        join_seconds: How long to wait for a node that was removed to come back empty.
        nodes_wanted: How many nodes to wait for before copying; None means as many as there were.
    """

    read: Callable[[], ClusterState]
    rest: RestClient
    say: Callable[[str], None]
    join_seconds: float = 300.0
    nodes_wanted: int | None = None
    _tries: Counter[tuple[str, int, int]] = field(default_factory=Counter)

    def run(self, plan: Callable[[ClusterState], Plan]) -> ClusterState:
        """Do the first step of the plan of what there is, until a plan has none; return the state then.

        Raises:
            RepairFailed: A step failed.
        """
        while True:
            state = self._settled()
            steps = plan(state).steps
            if not steps:
                return state
            step = steps[0]
            if isinstance(step, RemovePeer):
                self._remove(step, state, plan)
                continue
            if self._wait_for_nodes(state):
                continue
            self._transfer(step, state)

    def _remove(self, step: RemovePeer, state: ClusterState, plan: Callable[[ClusterState], Plan]) -> None:
        """Remove a node once it is certain that it is lost."""
        self.say(f"Making sure that {step.node.address} is lost")
        seen = 1
        for _ in range(MOST_LOOKS):
            if seen == CERTAIN_LOOKS:
                break
            time.sleep(POLL_SECONDS)
            state = self._settled()
            node = state.node(step.node.id)
            if node is None or node.alive:
                self.say(f"{step.node.address} is not lost")
                return
            seen += step.node.id in {one.node.id for one in plan(state).steps if isinstance(one, RemovePeer)}
        if seen < CERTAIN_LOOKS:
            raise RepairFailed(f"it is not certain that {step.node.address} is lost: {' '.join(plan(state).refused)}")
        self.say(words(step, state))
        self.nodes_wanted = self.nodes_wanted or len(state.nodes)
        self._change(lambda host: self.rest.remove_peer(host, step.node.id), state)
        self._until(lambda now: now.node(step.node.id) is None, BEGIN_SECONDS, f"{step.node.address} is still there")
        self.say(
            f"{step.node.address} may come back now, with an empty disk. A container that restarts by itself does so "
            f"within a minute; else start it: docker compose up --detach {step.node.address}"
        )

    def _wait_for_nodes(self, state: ClusterState) -> bool:
        """Wait until there are as many nodes as there should be; return whether that took any time."""
        wanted = self.nodes_wanted
        if wanted is None or len(state.living) >= wanted:
            return False
        self.say(f"Waiting for {wanted - len(state.living)} more of {wanted} nodes, {self.join_seconds:g} s at most")
        message = (
            f"{wanted} nodes were expected, and {len(state.living)} answer. Start the one that is missing and run this "
            f"again with --nodes {wanted}; or run it with --nodes {len(state.living)}, and the copies are made on the "
            "nodes that are left"
        )
        self._until(lambda now: len(now.living) >= wanted, self.join_seconds, message)
        return True

    def _transfer(self, step: Replicate | Move, state: ClusterState) -> None:
        key = step.shard.collection, step.shard.id
        self._tries[*key, step.to_id] += 1
        if self._tries[*key, step.to_id] > MOST_TRIES:
            raise RepairFailed(
                f"{words(step, state)[:-1]}: {MOST_TRIES} times that ended without a copy that answers; see the logs "
                "of both nodes"
            )
        self.say(words(step, state))
        begin = self.rest.replicate_shard if isinstance(step, Replicate) else self.rest.move_shard
        before = step.shard.replicas
        self._change(lambda host: begin(host, *key, step.from_id, step.to_id), state)

        def is_seen(now: ClusterState) -> bool:
            shard = next((one for one in now.shards if (one.collection, one.id) == key), None)
            moving = any((one.collection, one.shard_id) == key for one in now.transfers)
            return moving or shard is None or shard.replicas != before

        self._until(is_seen, BEGIN_SECONDS, f"{words(step, state)[:-1]}: it was not begun")

    def _settled(self) -> ClusterState:
        """Return the state once no transfer between living nodes is under way, and there is a leader.

        Raises:
            RepairFailed: The nodes do not choose a leader.
        """
        said = ""
        leaderless_until = time.monotonic() + LEADER_SECONDS
        while True:
            state = self.read()
            living = {node.id for node in state.living}
            transfers = [one for one in state.transfers if {one.from_id, one.to_id} <= living]
            if state.leader_id is None and 2 * len(living) > len(state.nodes):
                if time.monotonic() > leaderless_until:
                    raise RepairFailed("the nodes have no leader: see their logs")
                time.sleep(POLL_SECONDS)
                continue
            if not transfers:
                return state
            one = transfers[0]
            saying = (
                f"Shard {one.shard_id} of {one.collection} is on its way to {state.name(one.to_id)} "
                f"({state.copies_alive} of {state.copies_wanted} copies answer)"
            )
            if saying != said:
                self.say(saying)
                said = saying
            time.sleep(POLL_SECONDS)

    def _change(self, change: Callable[[str], None], state: ClusterState) -> None:
        """Ask for a change: the leader, or another node where it does not answer."""
        nodes = sorted(state.living, key=lambda node: node.id != state.leader_id)
        failure: CatalogueError = CatalogueUnavailable("no node answers")
        for node in nodes:
            try:
                change(node.host)
            except CatalogueUnavailable as error:
                failure = error
            except CatalogueError as error:
                raise RepairFailed(str(error)) from error
            else:
                return
        raise RepairFailed(str(failure))

    def _until(self, is_so: Callable[[ClusterState], bool], seconds: float, otherwise: str) -> None:
        """Wait until the state is as it should be.

        Raises:
            RepairFailed: It takes too long.
        """
        deadline = time.monotonic() + seconds
        while not is_so(self.read()):
            if time.monotonic() > deadline:
                raise RepairFailed(otherwise)
            time.sleep(POLL_SECONDS)
