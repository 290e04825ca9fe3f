"""Spreads calls over several servers, and passes over those that do not answer.

gRPC's own round robin notices a server that has died and not one that hangs (a stuck disk, a cut network, a stopped
process), and its hedging asks the same connection again. The methods here have names: outlier ejection (as in Envoy and
gRFC A50), by health checks, and hedged requests (Dean and Barroso, The Tail at Scale, 2013).
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import grpc
from sightline.grpc_client.channels import Address, ChannelConfig, open_channel, resolve

Stubs = TypeVar("Stubs")
Request = TypeVar("Request")
Reply = TypeVar("Reply")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
"""The pauses before a call that failed is tried again double from the first to the longest."""
FIRST_EJECTION_SECONDS = 1.0
LONGEST_EJECTION_SECONDS = 10.0
"""For how long a server is passed over; it doubles each time that the server fails again."""
SHARE_OF_DEADLINE = 3.0
RESOLVE_SECONDS = 10.0
"""How often names are resolved again, while there are calls."""

_ANY_TRIES = 10**6
_HEALTH_METHOD = "/grpc.health.v1.Health/Check"
_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)


class Hedging(Enum):
    """When a call that has not been answered is made to a second server, while it goes on at the first."""

    ON_SILENCE = "after attempt_seconds"
    """For short reads."""
    ON_EJECTION = "when the server does not answer a health check either"
    """For what may well take longer, and would be much work twice."""
    NEVER = "never"
    """For writes: one that hangs might be done last, after a later one."""


class _Server(Generic[Stubs]):
    """One server, and whether calls go there; the load balancer's lock guards what changes."""

    def __init__(self, address: Address, config: ChannelConfig, stubs: Callable[[grpc.Channel], Stubs]) -> None:
        self.address = address
        self.channel = open_channel(address, config)
        self.stubs = stubs(self.channel)
        # Without serialisers: an empty request asks for the server as a whole, and any answer will do.
        self.health: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(_HEALTH_METHOD)
        self.ejected = False
        self.checking = False
        self.pause_seconds = 0.0
        self.try_at = 0.0


class LoadBalancer(Generic[Stubs]):
    """Calls one or several servers that give the same answers.

    Each call goes to the next server in turn. One that is UNAVAILABLE is passed over at once, for the call and for a
    while; so is one that does not answer within `attempt_seconds` and fails a health check, or that another one
    overtook. It comes back once it answers a health check. Where all are passed over, all are tried.

    Channels open on the first call of each process, so an object that was made, or used, before a fork works after it.
    Safe to share between threads.

    Args:
        names: HOST:PORT of each server; a name may stand for several addresses, which are looked up again while there
            are calls.
        config: How channels are opened.
        stubs: Makes the stubs of a channel.
        metadata: Of every call.
        attempt_seconds: How long a server has to answer before another one may be asked.
    """

    def __init__(
        self,
        names: Sequence[str],
        config: ChannelConfig,
        stubs: Callable[[grpc.Channel], Stubs],
        *,
        metadata: Sequence[tuple[str, str]] = (),
        attempt_seconds: float = 1.0,
    ) -> None:
        if not names:
            raise ValueError("an address is needed")
        self._names = list(names)
        self._config = config
        self._stubs = stubs
        self._metadata = tuple(metadata)
        self._attempt_seconds = attempt_seconds
        self._lock = threading.Lock()
        self._servers: list[_Server[Stubs]] = []
        # A forked child cannot use its parent's channels, and closing them would end the parent's connections. So it
        # keeps them and never touches them.
        self._inherited: list[_Server[Stubs]] = []
        self._pid = 0
        self._next = random.randrange(len(names))
        self._resolve_at = 0.0
        self._resolving = False

    def call(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        *,
        seconds: float,
        hedging: Hedging = Hedging.NEVER,
        tries: int = _ANY_TRIES,
        repeat: Callable[[grpc.RpcError], bool] = lambda error: False,
    ) -> Reply:
        """Make a call, and try again while all servers are UNAVAILABLE.

        Args:
            method: Picks the method from the stubs.
            request: Its request.
            seconds: The deadline of all tries together.
            hedging: When to ask a second server.
            tries: At most so many, each of all servers.
            repeat: Which other errors pass by themselves.

        Raises:
            grpc.RpcError: What the last try ended with.
        """
        deadline = time.monotonic() + seconds
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._try(method, request, deadline, hedging)
            except grpc.RpcError as error:
                tries -= 1
                # Jitter, so that the clients of a restarted server do not come back all at once.
                now_pause = pause * random.uniform(0.5, 1.5)
                passes = error.code() is grpc.StatusCode.UNAVAILABLE or repeat(error)
                if not passes or tries <= 0 or time.monotonic() + now_pause >= deadline:
                    raise
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
            server.address: method(server.stubs).future(request, timeout=seconds, metadata=self._metadata)
            for server in self._open()
        }
        replies: dict[Address, Reply | grpc.RpcError] = {}
        for address, future in started.items():
            try:
                replies[address] = future.result()
            except grpc.RpcError as error:
                replies[address] = error
        return replies

    def stubs(self) -> Stubs:
        """Return the stubs of the next server in turn, for streams: they are neither tried again nor hedged."""
        return self._in_turn()[0].stubs

    def close(self) -> None:
        """Close the channels; a later call opens others."""
        with self._lock:
            servers, self._servers = self._servers, []
            self._resolve_at = 0.0
            if self._pid != os.getpid():
                self._inherited += servers
                return
        for server in servers:
            server.channel.close()

    def _try(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        deadline: float,
        hedging: Hedging,
    ) -> Reply:
        """Make a call to one server after the other, until one answers."""
        waiting = deque(self._in_turn())
        # Of a short deadline a part, so that there is time left for another server.
        attempt_seconds = min(self._attempt_seconds, (deadline - time.monotonic()) / SHARE_OF_DEADLINE)
        several = len(waiting) > 1
        running: dict[grpc.Future[Reply], _Server[Stubs]] = {}
        silent: set[_Server[Stubs]] = set()
        ended: SimpleQueue[grpc.Future[Reply]] = SimpleQueue()
        ask_next = True
        try:
            while True:
                if ask_next:
                    server = waiting.popleft()
                    left = max(deadline - time.monotonic(), 0.001)
                    future: grpc.Future[Reply] = method(server.stubs).future(
                        request, timeout=left, metadata=self._metadata
                    )
                    running[future] = server
                    future.add_done_callback(ended.put)
                    checked = False
                    ask_next = False
                # A call ends at its deadline by itself.
                watched = several and (server not in silent or (bool(waiting) and hedging is Hedging.ON_EJECTION))
                try:
                    done = ended.get(timeout=max(attempt_seconds / 2, 0.001) if watched else None)
                except Empty:
                    if checked:
                        silent.add(server)
                    ask_next = checked and bool(waiting) and self._may_hedge(server, hedging)
                    self._check(server)
                    checked = True
                    continue
                answered = running.pop(done)
                error = done.exception()
                if isinstance(error, grpc.RpcError) and error.code() is grpc.StatusCode.UNAVAILABLE:
                    self._eject(answered)
                    ask_next = bool(waiting)
                    if waiting or running:
                        continue
                if error is not None:
                    raise error
                self._answered(answered)
                for server in silent.intersection(running.values()):
                    self._eject(server)
                return done.result()
        finally:
            for future in running:
                future.cancel()

    @staticmethod
    def _may_hedge(server: _Server[Stubs], hedging: Hedging) -> bool:
        return hedging is Hedging.ON_SILENCE or (hedging is Hedging.ON_EJECTION and server.ejected)

    def _in_turn(self) -> list[_Server[Stubs]]:
        """Return all servers in the order in which to try them: the next in turn first, those passed over last."""
        servers = self._open()
        with self._lock:
            self._next = (self._next + 1) % len(servers)
            servers = servers[self._next :] + servers[: self._next]
        if len(servers) == 1:
            return servers
        for server in servers:
            if server.ejected and time.monotonic() >= server.try_at:
                self._check(server)
        return sorted(servers, key=lambda server: server.ejected)

    def _check(self, server: _Server[Stubs]) -> None:
        """Start a health check of a server, which ejects it or lets calls go there again."""
        with self._lock:
            if server.checking:
                return
            server.checking = True

        def settle(future: grpc.Future[bytes]) -> None:
            error = future.exception()
            server.checking = False
            if isinstance(error, grpc.RpcError) and error.code() in _NO_ANSWER:
                self._eject(server)
            else:
                server.ejected = False

        check = server.health.future(b"", timeout=self._attempt_seconds / 2, metadata=self._metadata)
        check.add_done_callback(settle)

    def _eject(self, server: _Server[Stubs]) -> None:
        with self._lock:
            now = time.monotonic()
            if not server.ejected or now >= server.try_at:
                longer = min(2 * server.pause_seconds, LONGEST_EJECTION_SECONDS)
                server.pause_seconds = max(longer, FIRST_EJECTION_SECONDS)
                server.try_at = now + server.pause_seconds
            server.ejected = True

    @staticmethod
    def _answered(server: _Server[Stubs]) -> None:
        server.ejected = False
        server.pause_seconds = 0.0

    def _open(self) -> list[_Server[Stubs]]:
        """Return the servers, whose channels are opened now where this process has none."""
        with self._lock:
            if self._pid != os.getpid():
                self._inherited += self._servers
                self._servers = []
                self._pid = os.getpid()
                self._resolving = False
            servers, due = list(self._servers), time.monotonic() >= self._resolve_at and not self._resolving
            self._resolving = self._resolving or due
        if not servers:
            self._resolve()
            with self._lock:
                return list(self._servers)
        if due:
            threading.Thread(target=self._resolve, name="resolve", daemon=True).start()
        return servers

    def _resolve(self) -> None:
        try:
            found = resolve(self._names, tls=self._config.tls)
        except OSError:
            # Names that cannot be resolved now: gRPC tries by itself, and says so in the error of a call.
            found = [] if self._servers else [Address(name, name) for name in self._names]
        with self._lock:
            known = {server.address: server for server in self._servers}
            if found:
                self._servers = [known.get(address) or _Server(address, self._config, self._stubs) for address in found]
            fixed = bool(found) and all(address.target == address.name for address in found)
            self._resolve_at = float("inf") if fixed else time.monotonic() + RESOLVE_SECONDS
            self._resolving = False
