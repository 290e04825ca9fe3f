"""Calls of Qdrant: spread over its nodes, with retries, and its errors in words."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import grpc
from sightline.grpc_client import Address, ChannelConfig, Hedging, LoadBalancer
from sightline_service.disk_space import says_disk_full

from sightline_catalogue.errors import (
    CatalogueDiskFull,
    CatalogueError,
    CatalogueReadOnly,
    CatalogueUnavailable,
    NotFound,
    NotYet,
)
from sightline_catalogue.methods import Method, Reply, Request, Stubs
from sightline_catalogue.settings import CatalogueSettings

MOST_TRIES = 8
"""With the pauses between them some four seconds: enough for a restart of the server."""
NODE_SECONDS = 2.0
NODE_PAUSE_SECONDS = 0.05
"""How long each node has to answer, and the pause between two rounds, while a change reaches them all."""

_REST_PORT = 6333
_KEEPALIVE_SECONDS = 30.0
# What a node of a cluster answers while a collection or a copy of a shard is being made, or moved.
_PASSING = re.compile(r"\d+ of \d+ \w+ operations failed|active replicas|consensus|[Pp]lease retry", re.ASCII)


class Connection:
    """Calls Qdrant by the stubs of `qdrant_client`, over channels of its own: no call goes through an interceptor.

    Channels open on the first call of each process, so an object that was made, or used, before a fork works after it.
    Safe to share between threads.

    Args:
        settings: Where the server's nodes are and how long to wait for them.
    """

    def __init__(self, settings: CatalogueSettings) -> None:
        self._settings = settings
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        config = ChannelConfig(
            tls=settings.encrypted,
            ca_file=settings.ca_file,
            compression=settings.compression,
            keepalive_seconds=_KEEPALIVE_SECONDS,
        )
        self._nodes = LoadBalancer(
            settings.addresses,
            config,
            Stubs.over,
            metadata=(("api-key", key),) if key else (),
            attempt_seconds=settings.attempt_seconds,
        )

    def call(
        self, method: Method[Request, Reply], request: Request, *, tries: int = MOST_TRIES, seconds: float | None = None
    ) -> Reply:
        """Call a method of Qdrant; retry while the server is unavailable, and ask a second node where one is silent.

        Every call is idempotent: points are replaced, and states set, by id.

        Args:
            method: The method.
            request: Its request.
            tries: The most tries, each of all nodes.
            seconds: The timeout of all tries together, if shorter than that of the settings.

        Raises:
            CatalogueError: CatalogueUnavailable or NotFound among them.
        """
        seconds = self._seconds(seconds)
        hedging = Hedging.NEVER if method.writes else Hedging.ON_SILENCE
        try:
            return self._nodes.call(
                method.of, request, seconds=seconds, hedging=hedging, tries=tries, repeat=_passes_by_itself
            )
        except grpc.RpcError as error:
            raise self._catalogue_error(error, seconds) from None

    def call_each(
        self, method: Method[Request, Reply], request: Request, *, seconds: float | None = None
    ) -> dict[Address, Reply | CatalogueError]:
        """Call a method of every node at the same time, once; return what each answered."""
        seconds = self._seconds(seconds)
        replies = self._nodes.call_each(method.of, request, seconds=seconds)
        return {
            address: self._catalogue_error(reply, seconds) if isinstance(reply, grpc.RpcError) else reply
            for address, reply in replies.items()
        }

    def wait_for_nodes(
        self, state: str, method: Method[Request, Reply], request: Request, reached: Callable[[Reply], bool]
    ) -> None:
        """Wait until every node that answers has come to a state: each learns of a change when consensus reaches it.

        Args:
            state: In words, of a node: "has the collection".
            method: What to ask.
            request: Its request; NOT_FOUND means that the state is not reached.
            reached: Whether a reply shows the state.

        Raises:
            CatalogueUnavailable: A node has not come to it within the time of a call, or no node answers.
            CatalogueError: A node refuses to answer.
        """
        seconds = self._settings.timeout_seconds
        deadline = time.monotonic() + seconds
        while True:
            behind, answered = [], False
            left = max(deadline - time.monotonic(), 0.1)
            for address, reply in self.call_each(method, request, seconds=min(NODE_SECONDS, left)).items():
                if isinstance(reply, NotFound | NotYet):
                    behind.append(str(address))
                elif isinstance(reply, CatalogueUnavailable):
                    continue
                elif isinstance(reply, CatalogueError):
                    raise reply
                elif not reached(reply):
                    behind.append(str(address))
                answered = True
            if answered and not behind:
                return
            if time.monotonic() + NODE_PAUSE_SECONDS >= deadline:
                late = f"Qdrant at {', '.join(behind)}" if behind else "none that answers"
                raise CatalogueUnavailable(f"{seconds:g} s are over, and not every node {state}: {late}")
            time.sleep(NODE_PAUSE_SECONDS)

    def close(self) -> None:
        """Close the channels; a later call opens others."""
        self._nodes.close()

    def _seconds(self, seconds: float | None) -> float:
        return min(seconds or self._settings.timeout_seconds, self._settings.timeout_seconds)

    def _catalogue_error(self, error: grpc.RpcError, seconds: float) -> CatalogueError:
        code, details = error.code(), error.details() or ""
        where = f"{self._settings.url} (QDRANT_URL)"
        if code is grpc.StatusCode.NOT_FOUND:
            return NotFound(details)
        # Qdrant's server answers INTERNAL, or refuses by its quotas.
        if code is not grpc.StatusCode.UNAVAILABLE and (problem := disk_problem(details)) is not None:
            return CatalogueDiskFull(problem)
        # CANCELLED comes from one that stops.
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            rest = any(address.endswith(f":{_REST_PORT}") for address in self._settings.addresses)
            hint = "; that is the port of REST, gRPC has 6334" if rest else ""
            return CatalogueUnavailable(f"Qdrant at {where} cannot be reached{hint}: {details}")
        if code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return CatalogueUnavailable(f"Qdrant at {where} did not answer within {seconds:g} s")
        if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return CatalogueUnavailable(f"Qdrant at {where} is busy: {details}")
        if _passes_by_itself(error):
            return NotYet(f"Qdrant at {where} cannot answer at the moment: {details}")
        if code is grpc.StatusCode.UNAUTHENTICATED:
            return CatalogueError(f"Qdrant at {where} refuses QDRANT_API_KEY: {details}")
        if code is grpc.StatusCode.PERMISSION_DENIED:
            return CatalogueReadOnly(f"Qdrant at {where} allows no write with this QDRANT_API_KEY: {details}")
        return CatalogueError(f"Qdrant at {where} answered {code.name}: {details}")


def disk_problem(said: str) -> str | None:
    """Return what Qdrant says of its full disk as a sentence for a person; None where it says nothing of one."""
    if not says_disk_full(said):
        return None
    known = said.startswith("the disk of the database is full")
    return said if known else f"the disk of the database is full: {' '.join(said.split())[:200]}"


def _passes_by_itself(error: grpc.RpcError) -> bool:
    return error.code() is grpc.StatusCode.INTERNAL and _PASSING.search(error.details() or "") is not None
