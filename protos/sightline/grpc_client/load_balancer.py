"""Spreads calls over several servers, and passes over those that do not answer.

gRPC's own round robin notices a server that has died and not one that hangs (a stuck disk, a cut network, a stopped
process), and its hedging asks the same connection again. The methods here have names: outlier ejection (as in Envoy and
gRFC A50), by health checks, and hedged requests (Dean and Barroso, The Tail at Scale, 2013).
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Generic

import grpc
from sightline.grpc_client.channels import Address, ChannelConfig
from sightline.grpc_client.servers import Metadata, Reply, Request, Server, ServerPool, Stubs

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
"""The pauses before a call that failed is tried again double from the first to the longest."""
SHARE_OF_DEADLINE = 3.0
"""Of a short deadline a third is the time to answer, so that another server may be asked within it."""
HEDGES = 10.0
HEDGES_PER_CALL = 0.1
"""So many calls in a row may be made twice though their server lives, and a tenth of them for ever: servers that are
all slow, since there is too much to do, do not get more to do for it."""

_ANY_TRIES = 10**6
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
"""What a server ends calls with that is not there, or stops."""
_ITS_OWN = (
    *_GONE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
)
"""Errors that may be one server's own, so that a read is asked of another."""


class Hedging(Enum):
    """When a call that has not been answered is made to a second server, while it goes on at the first."""

    ON_SILENCE = "after attempt_seconds"
    """For short reads."""
    ON_EJECTION = "when the server does not answer a health check either"
    """For reads that may well take longer, and would be much work twice."""
    NEVER = "never"
    """For writes: one that hangs might be done last, after a later one."""


class _Closed(Exception):
    """The channel was closed between choosing and calling its server."""


class LoadBalancer(Generic[Stubs]):
    """Calls one or several servers that give the same answers.

    Each call goes to the server with the fewest calls under way. One that is UNAVAILABLE is passed over at once, for
    the call and for a while; so is one that does not answer within `attempt_seconds` and fails a health check, or that
    another one overtook. It comes back after its time, once it answers a health check. Where all are passed over, all
    are tried.

    Channels open on the first call of each process, so an object that was made, or used, before a fork works after it.
    Safe to share between threads.

    Args:
        names: HOST:PORT of each server; a name may stand for several addresses, which are looked up again while there
            are calls.
        config: How channels are opened.
        stubs: Makes the stubs of a channel.
        metadata: Of every call.
        attempt_seconds: How long a server has to answer before another one may be asked.

    Raises:
        ValueError: A name is not HOST:PORT, or there is none.
        OSError: The certificate cannot be read.
    """

    def __init__(
        self,
        names: Sequence[str],
        config: ChannelConfig,
        stubs: Callable[[grpc.Channel], Stubs],
        *,
        metadata: Metadata = (),
        attempt_seconds: float = 1.0,
    ) -> None:
        self._pool = ServerPool(names, config, stubs)
        self._metadata = metadata
        self._attempt_seconds = attempt_seconds
        self._hedges = HEDGES

    def call(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        *,
        seconds: float,
        hedging: Hedging = Hedging.NEVER,
        tries: int = _ANY_TRIES,
        repeat: Callable[[grpc.RpcError], bool] = lambda error: False,
        metadata: Metadata = (),
    ) -> Reply:
        """Make a call, and try again while all servers are UNAVAILABLE.

        Args:
            method: Picks the method from the stubs.
            request: Its request.
            seconds: The deadline of all tries together.
            hedging: When to ask a second server.
            tries: At most so many, each of all servers.
            repeat: Which other errors pass by themselves.
            metadata: Of this call, besides that of every call.

        Raises:
            grpc.RpcError: What the last try ended with.
        """
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._try(method, request, deadline, hedging, self._metadata + metadata)
            except _Closed:
                # The next try opens other channels.
                continue
            except grpc.RpcError as error:
                tries -= 1
                # Jitter, so that the clients of a restarted server do not come back all at once.
                now_pause = pause * random.uniform(0.5, 1.5)
                passes = error.code() in _GONE or repeat(error)
                if not passes or tries <= 0 or time.monotonic() + now_pause >= deadline:
                    raise
            self._pool.look_up_soon()
            time.sleep(now_pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def call_each(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        *,
        seconds: float,
    ) -> dict[Address, Reply | grpc.RpcError]:
        """Make a call to every server at the same time, once; return what each answered."""
        started = {
            server.address: server.start(method, request, seconds, self._metadata) for server in self._pool.servers()
        }
        replies: dict[Address, Reply | grpc.RpcError] = {}
        for address, future in started.items():
            try:
                replies[address] = future.result()
            except grpc.RpcError as error:
                replies[address] = error
        return replies

    def stubs(self) -> Stubs:
        """Return the stubs of a server, for streams: they are neither tried again nor hedged."""
        return self._in_order()[0].stubs

    def close(self) -> None:
        """Close the channels; a later call opens others."""
        self._pool.close()

    def _try(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        deadline: float,
        hedging: Hedging,
        metadata: Metadata,
    ) -> Reply:
        """Make a call to one server after the other, until one answers."""
        waiting = deque(self._in_order())
        attempt_seconds = min(self._attempt_seconds, (deadline - time.monotonic()) / SHARE_OF_DEADLINE)
        several = len(waiting) > 1
        running: dict[grpc.Future[Reply], Server[Stubs]] = {}
        silent: set[Server[Stubs]] = set()
        ended: SimpleQueue[grpc.Future[Reply]] = SimpleQueue()
        ask_next = True
        try:
            while True:
                if ask_next:
                    server = waiting.popleft()
                    try:
                        future = server.start(method, request, max(deadline - time.monotonic(), 0.001), metadata)
                    except ValueError:
                        raise _Closed from None
                    running[future] = server
                    future.add_done_callback(ended.put)
                    checked = ask_next = False
                # A call ends at its deadline by itself.
                watched = several and (server not in silent or (bool(waiting) and hedging is Hedging.ON_EJECTION))
                try:
                    done = ended.get(timeout=max(attempt_seconds / 2, 0.001) if watched else None)
                except Empty:
                    if checked:
                        silent.add(server)
                        ask_next = bool(waiting) and self._may_hedge(server, hedging)
                    if not ask_next:
                        server.check(self._check_seconds, self._metadata)
                    checked = True
                    continue
                answered = running.pop(done)
                error = done.exception()
                if error is None:
                    if answered not in silent:
                        answered.answered()
                    for slow in silent.intersection(running.values()):
                        slow.eject()
                    return done.result()
                assert isinstance(error, grpc.RpcError)
                code = error.code()
                if code in _GONE or answered in silent:
                    answered.eject()
                elsewhere = _GONE if hedging is Hedging.NEVER else _ITS_OWN
                if code not in elsewhere or not (waiting or running) or time.monotonic() >= deadline:
                    raise error
                ask_next = bool(waiting)
        finally:
            for future in running:
                future.cancel()

    def _may_hedge(self, server: Server[Stubs], hedging: Hedging) -> bool:
        if server.ejected:
            return hedging is not Hedging.NEVER
        if hedging is not Hedging.ON_SILENCE or self._hedges < 1:
            return False
        self._hedges -= 1
        return True

    def _in_order(self) -> list[Server[Stubs]]:
        """Return all servers in the order in which to try them: the least busy first, ejected ones last."""
        servers = self._pool.servers()
        if len(servers) == 1:
            return servers
        self._hedges = min(self._hedges + HEDGES_PER_CALL, HEDGES)
        for server in servers:
            server.check_if_due(self._check_seconds, self._metadata)
        # Not in turn: a search is two calls, and every second one would always go to the same of two servers.
        return sorted(servers, key=lambda server: (server.ejected, server.calls, random.random()))

    @property
    def _check_seconds(self) -> float:
        return self._attempt_seconds / 2
