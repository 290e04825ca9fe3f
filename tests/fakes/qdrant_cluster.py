"""A Qdrant cluster in this process, which plays a script: nodes that are killed, hang, lose their disk and join again.

Each node has a loopback address of its own, and REST and gRPC on the same two ports, as nodes of a real one have.
"""

from __future__ import annotations

import contextlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import grpc
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings
from sightline_local.stack import free_port

HOSTS = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
NAME = "images-model"
KEY = "secret"


@dataclass
class Transfer:
    """A transfer under way: it ends once it has been seen so many times, as one that worked or did not."""

    name: str
    shard: int
    source: int
    target: int
    sync: bool
    looks: int


@dataclass
class Script:
    """What all nodes agree on, and how they behave.

    Attributes:
        peers: Host by peer id.
        replicas: Of each collection the states by shard and peer.
        wanted: The replication factor by collection.
        unreachable: Peers that the leader cannot send to.
        calls: What was changed, in order.
        joins: Hosts of nodes that come back empty once their peer was removed, after so many looks.
        looks: How often a transfer is seen before it ends; a negative one never ends.
        failing: How many transfers still end without a copy.
    """

    peers: dict[int, str]
    replicas: dict[str, dict[int, dict[int, str]]]
    wanted: dict[str, int]
    leader: int | None = 1
    transfers: list[Transfer] = field(default_factory=list)
    unreachable: set[int] = field(default_factory=set)
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    joins: dict[str, int] = field(default_factory=dict)
    looks: int = 2
    failing: int = 0
    distributed: bool = True
    old: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def look(self) -> None:
        """Go on: what is under way ends, and who may join joins."""
        with self.lock:
            for transfer in list(self.transfers):
                transfer.looks -= 1
                if transfer.looks == 0:
                    self._end(transfer)
            for host, looks in list(self.joins.items()):
                if host in self.peers.values():
                    continue
                self.joins[host] = looks - 1
                if looks <= 1:
                    del self.joins[host]
                    self.peers[max(self.peers) + 100] = host

    def _end(self, transfer: Transfer) -> None:
        self.transfers.remove(transfer)
        copies = self.replicas[transfer.name][transfer.shard]
        if self.failing:
            self.failing -= 1
            del copies[transfer.target]
            return
        copies[transfer.target] = "Active"
        if not transfer.sync:
            del copies[transfer.source]

    def remove_peer(self, peer: int) -> None:
        with self.lock:
            self.calls.append(("remove", peer))
            self.peers.pop(peer)
            self.unreachable.discard(peer)
            for shards in self.replicas.values():
                for copies in shards.values():
                    copies.pop(peer, None)

    def transfer(self, name: str, operation: str, body: dict[str, int]) -> str:
        """Begin a transfer as Qdrant would; return why not."""
        with self.lock:
            shard, source, target = body["shard_id"], body["from_peer_id"], body["to_peer_id"]
            if source not in self.peers or target not in self.peers:
                return "Peer does not exist"
            if self.replicas[name][shard].get(source) != "Active":
                return f"Shard {shard} is not active on peer {source}"
            if any((one.name, one.shard) == (name, shard) for one in self.transfers):
                return f"Shard {shard} is already involved in transfer"
            self.calls.append((operation, name, shard, source, target))
            self.replicas[name][shard][target] = "Partial"
            self.transfers.append(Transfer(name, shard, source, target, operation == "replicate_shard", self.looks))
            return ""


class ScriptedNode(api.CollectionsServicer, api.QdrantServicer):
    """A node: both servers, which may be stopped, or hang."""

    def __init__(self, script: Script, host: str, rest_port: int, grpc_port: int, *, rest: bool = True) -> None:
        self.script, self.host, self.hangs, self.stopped = script, host, threading.Event(), False
        self.alone: int | None = None
        self.go_on = threading.Event()
        self.rest = ThreadingHTTPServer((host, rest_port), self._handler()) if rest else None
        if self.rest is not None:
            self.rest.daemon_threads = True
            threading.Thread(target=self.rest.serve_forever, args=(0.02,), daemon=True).start()
        self.pool = ThreadPoolExecutor(8)
        self.server = grpc.server(self.pool, options=[("grpc.so_reuseport", 0)])
        api.add_CollectionsServicer_to_server(self, self.server)
        api.add_QdrantServicer_to_server(self, self.server)
        assert self.server.add_insecure_port(f"{host}:{grpc_port}") == grpc_port
        self.server.start()

    @property
    def peer(self) -> int:
        """Its peer id, by the script; 0 while it is none."""
        if self.alone is not None:
            return self.alone
        return next((peer for peer, host in self.script.peers.items() if host == self.host), 0)

    def kill(self) -> None:
        """End both servers; the others notice."""
        self.stopped = True
        if self.rest is not None:
            self.rest.shutdown()
            self.rest.server_close()
        self.server.stop(None).wait()
        self.script.unreachable.add(self.peer)

    def freeze(self) -> None:
        """Take connections, and answer nothing."""
        self.hangs.set()
        self.script.unreachable.add(self.peer)

    def close(self) -> None:
        """End everything."""
        self.go_on.set()
        if not self.stopped:
            self.kill()
        self.pool.shutdown()

    def wait(self) -> None:
        """Hang, while it is frozen."""
        if self.hangs.is_set():
            self.go_on.wait()

    # REST

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                node.wait()
                if self.path != "/cluster":
                    return self.answer(404, {"status": {"error": "Not found"}})
                return self.allowed() and self.answer(200, {"result": node.cluster(), "status": "ok", "time": 0.0})

            def do_DELETE(self) -> None:
                node.wait()
                path = urlsplit(self.path)
                if self.allowed():
                    assert "force=true" in path.query
                    node.script.remove_peer(int(path.path.rpartition("/")[2]))
                    self.answer(200, {"result": True, "status": "ok", "time": 0.0})

            def do_POST(self) -> None:
                node.wait()
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.allowed():
                    [(operation, arguments)] = body.items()
                    name = urlsplit(self.path).path.split("/")[2]
                    error = node.script.transfer(name, operation, arguments)
                    status = {"error": f"Bad request: {error}"} if error else "ok"
                    self.answer(400 if error else 200, {"result": not error, "status": status, "time": 0.0})

            def allowed(self) -> bool:
                if self.headers.get("api-key") == KEY:
                    return True
                self.answer(401, "Must provide an API key or an Authorization bearer token")
                return False

            def answer(self, code: int, body: object) -> None:
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                # Whoever asked may have given up.
                with contextlib.suppress(ConnectionError):
                    self.send_response(code)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def cluster(self) -> dict[str, Any]:
        """Answer GET /cluster."""
        script = self.script
        if not script.distributed:
            return {"status": "disabled"}
        with script.lock:
            peers = {self.alone: self.host} if self.alone is not None else script.peers
            leads = self.peer == script.leader or self.alone is not None
            told: dict[str, Any] = {
                "status": "enabled",
                "peer_id": self.peer,
                "peers": {str(peer): {"uri": f"http://{host}:6335/"} for peer, host in peers.items()},
                "raft_info": {
                    "term": 7,
                    "commit": 42,
                    "pending_operations": 0,
                    "leader": self.peer if self.alone is not None else script.leader,
                    "role": "Leader" if leads else "Follower",
                    "is_voter": True,
                },
                "consensus_thread_status": {
                    "consensus_thread_status": "working",
                    "last_update": "2026-01-01T00:00:00Z",
                },
            }
            if not script.old:
                told["message_send_failures"] = {
                    f"http://{script.peers[peer]}:6335/": {"count": 40, "latest_error": "Timeout expired"}
                    for peer in script.unreachable
                    if leads and peer in script.peers and self.alone is None
                }
            return told

    # gRPC

    def _allowed(self, context) -> None:
        self.wait()
        if dict(context.invocation_metadata()).get("api-key") != KEY:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Must provide an API key")

    def HealthCheck(self, request, context):
        return api.HealthCheckReply(title="qdrant - vector search engine", version="1.18.3")

    def List(self, request, context):
        self._allowed(context)
        if self.peer in (self.script.leader, 0):
            self.script.look()
        names = [] if self.alone is not None else self.script.replicas
        return api.ListCollectionsResponse(collections=[api.CollectionDescription(name=name) for name in names])

    def Get(self, request, context):
        self._allowed(context)
        response = api.GetCollectionInfoResponse()
        response.result.config.params.replication_factor = self.script.wanted[request.collection_name]
        return response

    def CollectionClusterInfo(self, request, context):
        self._allowed(context)
        name = request.collection_name
        if self.alone is not None or name not in self.script.replicas:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such collection")
        with self.script.lock:
            shards = self.script.replicas[name]
            response = api.CollectionClusterInfoResponse(peer_id=self.peer, shard_count=len(shards))
            for shard, copies in shards.items():
                for peer, state in copies.items():
                    value = api.ReplicaState.Value(state) if isinstance(state, str) else state
                    if peer == self.peer:
                        response.local_shards.add(shard_id=shard, points_count=10, state=value)
                    else:
                        response.remote_shards.add(shard_id=shard, peer_id=peer, state=value)
            for one in self.script.transfers:
                if one.name == name:
                    kept = {"shard_id": one.shard, "from": one.source, "to": one.target, "sync": one.sync}
                    response.shard_transfers.add(**kept)
            return response


class ScriptedCluster:
    """Nodes over one script, and the settings of a client of theirs."""

    def __init__(self, script: Script, nodes: int = 3, *, rest: bool = True) -> None:
        self.script = script
        self.rest_port, self.grpc_port = free_port(), free_port()
        self.nodes = [ScriptedNode(script, host, self.rest_port, self.grpc_port, rest=rest) for host in HOSTS[:nodes]]

    def environment(self, **values: str) -> dict[str, str]:
        """Return the settings of a client as variables: of a patient one, to which only what hangs is too slow."""
        urls = ",".join(f"http://{node.host}:{self.grpc_port}" for node in self.nodes)
        given = {"QDRANT_URL": urls, "QDRANT_REST_PORT": str(self.rest_port), "QDRANT_API_KEY": KEY}
        return given | {"QDRANT_ATTEMPT_SECONDS": "20", "QDRANT_TIMEOUT_SECONDS": "60"} | values

    def settings(self, **values: object) -> CatalogueSettings:
        """Return the settings of a client."""
        given = {name.removeprefix("QDRANT_").lower(): value for name, value in self.environment().items()}
        return CatalogueSettings(**(given | values))

    def close(self) -> None:
        """End all nodes."""
        for node in self.nodes:
            node.close()


def three(*, shards: int = 6, copies: int = 2) -> Script:
    """Return three nodes, of which each shard is on two, as Qdrant places them."""
    peers = {index + 1: host for index, host in enumerate(HOSTS[:3])}
    placed = {shard: {(shard + copy) % 3 + 1: "Active" for copy in range(copies)} for shard in range(shards)}
    return Script(peers, {NAME: placed}, {NAME: copies})
