"""Qdrant's REST calls on a cluster: what the nodes know of each other, and changes. gRPC has no such calls."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from sightline_catalogue.errors import CatalogueError, CatalogueUnavailable
from sightline_catalogue.settings import CatalogueSettings

SLOW = "it takes too long"
NO_SUCH_NAME = "no machine has that name"
CHANGE_SECONDS = 30
"""How long a change may take until the nodes have agreed on it."""


class NoAnswer(CatalogueUnavailable):
    """A node does not answer; `reason` is why, without its address."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where} does not answer: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class NodeView:
    """What a node says of the cluster.

    Attributes:
        peer_id: Its own id; None on a server that is no cluster.
        peers: Address by id, as the nodes know each other.
        leader_id: The leader that it follows.
        failures: By such an address, how often in a row messages to it have failed. The leader's are up to date; those
            of another node may be old, since it sends few.
    """

    peer_id: int | None = None
    peers: Mapping[int, str] = field(default_factory=dict)
    leader_id: int | None = None
    failures: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> NodeView:
        """Read the answer of `GET /cluster`, of old versions too."""
        if answer.get("status") != "enabled":
            return cls()
        raft = answer.get("raft_info") or {}
        failures = answer.get("message_send_failures") or {}
        return cls(
            int(answer["peer_id"]),
            {int(peer): str(info["uri"]) for peer, info in (answer.get("peers") or {}).items()},
            int(raft["leader"]) if raft.get("leader") else None,
            {str(address): int((what or {}).get("count") or 1) for address, what in failures.items()},
        )


class RestClient:
    """Calls the nodes of a Qdrant cluster by REST. Raises CatalogueError, CatalogueUnavailable where none answers.

    Args:
        settings: The port, the key, how long a node is waited for, and whether to use TLS; `url` is not looked at.
    """

    def __init__(self, settings: CatalogueSettings) -> None:
        self._port = settings.rest_port
        self._scheme = "https" if settings.encrypted else "http"
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        ca_file = str(settings.ca_file) if settings.ca_file else None
        self._client = httpx.Client(
            headers={"api-key": key} if key else {},
            verify=ssl.create_default_context(cafile=ca_file) if settings.encrypted else False,
            timeout=settings.attempt_seconds,
            # A node of the same network is asked itself, and no proxy for it.
            trust_env=settings.encrypted,
        )

    def view(self, host: str) -> NodeView:
        """Ask a node for its view of the cluster.

        Raises:
            NoAnswer: It does not answer, or something else than Qdrant does.
        """
        try:
            return NodeView.read(self._call("GET", host, "/cluster"))
        except NoAnswer:
            raise
        except CatalogueError as error:
            raise NoAnswer(f"{host}:{self._port}", str(error)) from error

    def remove_peer(self, host: str, peer_id: int) -> None:
        """Remove a peer from the cluster, with the copies that it has."""
        self._change("DELETE", host, f"/cluster/peer/{peer_id}", {"force": "true"})

    def replicate_shard(self, host: str, collection: str, shard_id: int, from_id: int, to_id: int) -> None:
        """Begin to copy a shard from one peer to another; returns before it is done."""
        self._transfer(host, collection, "replicate_shard", shard_id, from_id, to_id)

    def move_shard(self, host: str, collection: str, shard_id: int, from_id: int, to_id: int) -> None:
        """Begin to move a shard from one peer to another; its copy there goes once the new one is complete."""
        self._transfer(host, collection, "move_shard", shard_id, from_id, to_id)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _transfer(self, host: str, collection: str, operation: str, shard_id: int, from_id: int, to_id: int) -> None:
        body = {operation: {"shard_id": shard_id, "from_peer_id": from_id, "to_peer_id": to_id}}
        self._change("POST", host, f"/collections/{collection}/cluster", {}, body)

    def _change(self, method: str, host: str, path: str, query: dict[str, str], body: Any = None) -> None:
        query = query | {"timeout": str(CHANGE_SECONDS)}
        self._call(method, host, path, params=query, json=body, timeout=CHANGE_SECONDS + 5)

    def _call(self, method: str, host: str, path: str, **options: Any) -> Mapping[str, Any]:
        """Return the `result` of a call, as far as it is an object."""
        where = f"{host}:{self._port}"
        try:
            response = self._client.request(method, f"{self._scheme}://{where}{path}", **options)
        except httpx.HTTPError as error:
            raise NoAnswer(where, _reason(error)) from error
        if response.status_code in (401, 403):
            raise CatalogueError(f"Qdrant at {where} refuses QDRANT_API_KEY: {_message(response)}")
        if response.status_code != 200:
            raise CatalogueError(f"Qdrant at {where} answered {response.status_code}: {_message(response)}")
        try:
            result = response.json()["result"]
        except (ValueError, KeyError, TypeError):
            # Such as the metrics of qdrant-edge.
            raise NoAnswer(where, "what is there is not Qdrant's REST") from None
        return cast("Mapping[str, Any]", result) if isinstance(result, dict) else {}


def _reason(error: httpx.HTTPError) -> str:
    """Say why a node did not answer, without the library's words."""
    if isinstance(error, httpx.TimeoutException):
        return SLOW
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return NO_SUCH_NAME
        if isinstance(cause, ConnectionRefusedError):
            return "nothing listens there"
        cause = cause.__cause__ or cause.__context__
    return str(error) or type(error).__name__


def _message(response: httpx.Response) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return str(response.json()["status"]["error"])
    return " ".join(response.text.split())[:200]


def host_of(address: str) -> str:
    """Return the host of a peer's address; an IPv6 address is in brackets."""
    host = urlsplit(address).hostname or address
    return f"[{host}]" if ":" in host else host
