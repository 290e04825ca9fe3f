"""Asks the database's nodes for their state: by REST which of them answer, by gRPC which shards they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from qdrant_client import grpc as api
from sightline.grpc_client.channels import is_unix, look_up

from sightline_catalogue.cluster import ClusterState, Node, Replica, Shard, Transfer
from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import CatalogueError, CatalogueUnavailable
from sightline_catalogue.methods import COLLECTION_CLUSTER_INFO, GET_COLLECTION, LIST_COLLECTIONS
from sightline_catalogue.rest import NO_SUCH_NAME, SLOW, NoAnswer, NodeView, RestClient, host_of
from sightline_catalogue.settings import CatalogueSettings

THREADS = 16
FAILURES_IN_A_ROW = 3
"""A node that answers is taken as cut off from the others once so many of the leader's messages to it have failed."""
Key = TypeVar("Key")
Value = TypeVar("Value")


class ClusterReader:
    """Reads the state of the database; a node that hangs costs `attempt_seconds` of the settings at each of two steps.

    Args:
        connection: For gRPC.
        settings: Where the nodes are.
    """

    def __init__(self, connection: Connection, settings: CatalogueSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._seconds = settings.attempt_seconds
        self._copies_wanted: dict[str, int] = {}

    def read(self) -> ClusterState:
        """Ask all nodes.

        Raises:
            CatalogueError: None answers, or the key is refused.
        """
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="cluster")
        try:
            views = pool.submit(self._views, pool)
            placements = self._placements(pool)
            return self._state(views.result(), placements)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _views(self, pool: ThreadPoolExecutor) -> dict[str, NodeView | CatalogueError]:
        """Ask the hosts of the settings, and the peers that they name, by REST."""
        rest = RestClient(self._settings)
        try:
            hosts: set[str] = set()
            for address, found in self._all(pool, self._settings.addresses, self._hosts).items():
                hosts |= {_host(address)} if isinstance(found, CatalogueError) else set(found)
            answers = self._all(pool, hosts, rest.view)
            known = _cluster(answers)
            if known is not None:
                answering = {view.peer_id for view in _answered(answers)}
                unheard = {host_of(known.peers[peer]) for peer in known.peers if peer not in answering}
                answers |= self._all(pool, unheard - answers.keys(), rest.view)
            return answers
        finally:
            rest.close()

    def _hosts(self, address: str) -> list[str]:
        """Return the hosts that HOST:PORT stands for; its name itself where a certificate is made out to it.

        A Unix socket stands for none: what is behind it has no REST.
        """
        if is_unix(address):
            return []
        if self._settings.encrypted:
            return [_host(address)]
        try:
            return [_host(one.target) for one in look_up(address, tls=False)]
        except OSError:
            return [_host(address)]

    def _placements(self, pool: ThreadPoolExecutor) -> dict[str, list[api.CollectionClusterInfoResponse]]:
        """Return what the nodes say of the place of each collection's shards."""
        replies = self._connection.call_each(LIST_COLLECTIONS, api.ListCollectionsRequest(), seconds=self._seconds)
        listed = _succeeded(replies.values())
        names = sorted({one.name for reply in listed for one in reply.collections})
        wanted = pool.submit(self._all, pool, names, self._read_copies_wanted)
        placements = self._all(pool, names, self._placement)
        wanted.result()
        return {name: found for name, found in placements.items() if isinstance(found, list)}

    def _read_copies_wanted(self, name: str) -> None:
        asked = api.GetCollectionInfoRequest(collection_name=name)
        params = self._connection.call(GET_COLLECTION, asked, seconds=2 * self._seconds).result.config.params
        self._copies_wanted[name] = max(params.replication_factor, 1)

    def _placement(self, name: str) -> list[api.CollectionClusterInfoResponse]:
        request = api.CollectionClusterInfoRequest(collection_name=name)
        replies = self._connection.call_each(COLLECTION_CLUSTER_INFO, request, seconds=self._seconds)
        return [reply for reply in replies.values() if not isinstance(reply, CatalogueError)]

    def _all(
        self, pool: ThreadPoolExecutor, keys: Iterable[Key], ask: Callable[[Key], Value]
    ) -> dict[Key, Value | CatalogueError]:
        """Ask for each key at the same time; a key of which that fails has its error."""
        futures = {key: pool.submit(ask, key) for key in keys}
        # Above what one call takes at most: looking up a name has no time-out of its own.
        done, _ = wait(futures.values(), timeout=3 * self._seconds)
        found: dict[Key, Value | CatalogueError] = {}
        for key, future in futures.items():
            if future not in done:
                found[key] = NoAnswer(str(key), SLOW)
                continue
            error = future.exception()
            if error is not None and not isinstance(error, CatalogueError):
                raise error
            found[key] = error if isinstance(error, CatalogueError) else future.result()
        return found

    def _state(
        self,
        answers: Mapping[str, NodeView | CatalogueError],
        placements: Mapping[str, list[api.CollectionClusterInfoResponse]],
    ) -> ClusterState:
        cluster = _cluster(answers)
        answered = _answered(answers)
        if cluster is None:
            return self._without_peers(answered, answers, placements)
        nodes = _nodes(cluster, answers)
        shards, transfers = self._shards(placements, cluster.leader_id, set(cluster.peers))
        # By name, where it was asked by name and by address.
        outside = {
            view.peer_id: host
            for host, view in sorted(answers.items(), key=lambda one: one[0][-1:].isalpha())
            if isinstance(view, NodeView) and view.peer_id not in cluster.peers
        }
        return ClusterState(True, nodes, shards, transfers, cluster.leader_id, tuple(sorted(outside.values())))

    def _without_peers(
        self,
        answered: list[NodeView],
        answers: Mapping[str, NodeView | CatalogueError],
        placements: Mapping[str, list[api.CollectionClusterInfoResponse]],
    ) -> ClusterState:
        """Return the state of one server, or of a cluster of which no node answers by REST."""
        ids = {reply.peer_id for replies in placements.values() for reply in replies}
        ids |= {
            remote.peer_id for replies in placements.values() for reply in replies for remote in reply.remote_shards
        }
        if answered or len(ids) <= 1:
            node = Node(next(iter(ids), 0), _host(self._settings.addresses[0]))
            shards, transfers = self._shards(placements, None, ids, alone=True)
            return ClusterState(False, (node,), shards, transfers)
        reasons = sorted(str(answer) for answer in answers.values())
        shards, transfers = self._shards(placements, None, ids)
        nodes = tuple(Node(peer, f"node {peer}") for peer in sorted(ids))
        return ClusterState(True, nodes, shards, transfers, problem=f"{reasons[0]} (QDRANT_REST_PORT)")

    def _shards(
        self,
        placements: Mapping[str, list[api.CollectionClusterInfoResponse]],
        leader_id: int | None,
        peers: set[int],
        *,
        alone: bool = False,
    ) -> tuple[tuple[Shard, ...], tuple[Transfer, ...]]:
        """Return shards and transfers as the leader knows them, or another peer where it does not answer."""
        shards: list[Shard] = []
        transfers: list[Transfer] = []
        for name, replies in placements.items():
            ours = [reply for reply in replies if reply.peer_id in peers]
            if not ours:
                continue
            reply = min(ours, key=lambda one: one.peer_id != leader_id)
            wanted = 1 if alone else self._copies_wanted.get(name)
            shards += _shards_of(name, reply, wanted)
            transfers += [
                Transfer(name, one.shard_id, getattr(one, "from"), one.to, is_move=not one.sync)
                for one in reply.shard_transfers
            ]
        return tuple(shards), tuple(transfers)


def _shards_of(name: str, reply: api.CollectionClusterInfoResponse, wanted: int | None) -> list[Shard]:
    replicas: dict[int, list[Replica]] = {}
    for local in reply.local_shards:
        replicas.setdefault(local.shard_id, []).append(Replica(reply.peer_id, _state_name(local.state)))
    for remote in reply.remote_shards:
        replicas.setdefault(remote.shard_id, []).append(Replica(remote.peer_id, _state_name(remote.state)))
    # A shard of which no copy is left is counted, and not listed.
    for number in range(reply.shard_count):
        if len(replicas) < reply.shard_count:
            replicas.setdefault(number, [])
    if wanted is None:
        # The collection's description could not be read, not even once.
        wanted = max((len(some) for some in replicas.values()), default=1)
    return [Shard(name, number, wanted, tuple(replicas[number])) for number in sorted(replicas)]


def _state_name(state: int) -> str:
    # A newer server may have others.
    known = api.ReplicaState.DESCRIPTOR.values_by_number.get(state)
    return known.name if known is not None else f"state {state}"


def _answered(answers: Mapping[str, NodeView | CatalogueError]) -> list[NodeView]:
    return [answer for answer in answers.values() if isinstance(answer, NodeView)]


def _cluster(answers: Mapping[str, NodeView | CatalogueError]) -> NodeView | None:
    """Return the view that most of the nodes in it share, the leader's own if it answers; None where no cluster is.

    A node that lost its disk may have started as a cluster of its own, and one that was removed may not know it.
    """
    views = [view for view in _answered(answers) if view.peer_id is not None]
    votes = Counter(frozenset(view.peers) for view in {view.peer_id: view for view in views}.values())
    if not votes:
        return None
    peers = max(votes, key=lambda one: (votes[one], len(one)))
    agreeing = [view for view in views if frozenset(view.peers) == peers]
    return min(agreeing, key=lambda view: (view.leader_id is None, view.peer_id != view.leader_id))


def _nodes(cluster: NodeView, answers: Mapping[str, NodeView | CatalogueError]) -> tuple[Node, ...]:
    """Return the peers of a cluster; `cluster` is the leader's view, if that answers."""
    by_id = {view.peer_id: view for view in _answered(answers)}
    leader = by_id.get(cluster.leader_id) if cluster.leader_id is not None else None
    failures = {_same(address): count for address, count in (leader or cluster).failures.items()}
    hosts = Counter(host_of(address) for address in cluster.peers.values())
    nodes = []
    for peer, address in sorted(cluster.peers.items(), key=lambda one: one[1]):
        host = host_of(address)
        name = host if hosts[host] == 1 else address.partition("//")[2].rstrip("/")
        failed = failures.get(_same(address), 0)
        node = Node(peer, name, host=host)
        answer = answers.get(host)
        reason = answer.reason if isinstance(answer, NoAnswer) else str(answer)
        if peer in by_id:
            if leader is not None and failed >= FAILURES_IN_A_ROW:
                node = replace(node, alive=False, reason="the other nodes cannot reach it")
        elif isinstance(answer, NodeView):
            node = replace(node, alive=False, reason="another server answers in its place", certainly_dead=True)
        elif failed or reason != NO_SUCH_NAME:
            node = replace(node, alive=False, reason=reason, certainly_dead=leader is not None and failed > 0)
        # Else only its name is not known here, as outside of the nodes' own network, and nobody says that it is lost.
        nodes.append(node)
    return tuple(nodes)


def _succeeded(replies: Iterable[Value | CatalogueError]) -> list[Value]:
    """Return the replies of those nodes that answered.

    Raises:
        CatalogueError: None did.
    """
    found: list[Value] = []
    failure: CatalogueError = CatalogueUnavailable("Qdrant (QDRANT_URL) has no address")
    for reply in replies:
        if isinstance(reply, CatalogueError):
            failure = reply
        else:
            found.append(reply)
    if not found:
        raise failure
    return found


def _same(address: str) -> str:
    return address.rstrip("/").lower()


def _host(address: str) -> str:
    return address.rpartition(":")[0]
