"""The servers behind some names: a channel to each, which of them answer, and where the names lead now."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import grpc
from sightline.grpc_client.channels import Address, ChannelConfig, check_names, look_up, open_channel

Stubs = TypeVar("Stubs")
Request = TypeVar("Request")
Reply = TypeVar("Reply")

Metadata = tuple[tuple[str, str | bytes], ...]

FIRST_EJECTION_SECONDS = 1.0
LONGEST_EJECTION_SECONDS = 10.0
"""For how long a server is passed over; it doubles each time that the server fails again."""
LOOK_UP_SECONDS = 10.0
"""How often names are looked up again, while there are calls."""
SOON_SECONDS = 1.0
"""How often they are while one of them is not known, or no server answers."""

_HEALTH_METHOD = "/grpc.health.v1.Health/Check"
_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED)


class Server(Generic[Stubs]):
    """One server. Safe to share between threads.

    Attributes:
        address: Where it is.
        stubs: Of its channel.
        ejected: Whether calls pass it over.
        calls: How many are under way.
    """

    def __init__(self, address: Address, channel: grpc.Channel, stubs: Stubs) -> None:
        self.address = address
        self.stubs = stubs
        self.ejected = False
        self.calls = 0
        self._channel = channel
        # Without serialisers: an empty request asks for the server as a whole, and any answer will do.
        self._health: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_HEALTH_METHOD)
        self._lock = threading.Lock()
        self._checking = False
        self._ejection_seconds = 0.0
        self._ejected_until = 0.0

    def start(
        self,
        method: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]],
        request: Request,
        seconds: float,
        metadata: Metadata,
    ) -> grpc.Future[Reply]:
        """Begin a call.

        Raises:
            ValueError: The channel was closed meanwhile.
        """
        future: grpc.Future[Reply] = method(self.stubs).future(request, timeout=seconds, metadata=metadata)
        with self._lock:
            self.calls += 1
        future.add_done_callback(self._ended)
        return future

    def check(self, seconds: float, metadata: Metadata) -> None:
        """Begin a health check, which ejects the server, or lets calls go there again once its time is over."""
        with self._lock:
            if self._checking:
                return
            self._checking = True
        try:
            self._health.future(b"", timeout=seconds, metadata=metadata).add_done_callback(self._checked)
        except ValueError:
            # The channel was closed meanwhile.
            self._checking = False

    def check_if_due(self, seconds: float, metadata: Metadata) -> None:
        """Begin a health check if the server is ejected, and its time is over."""
        if self.ejected and time.monotonic() >= self._ejected_until:
            self.check(seconds, metadata)

    def eject(self) -> None:
        """Have calls pass it over, for longer each time; while it is ejected, no longer than it is already."""
        with self._lock:
            now = time.monotonic()
            if not self.ejected or now >= self._ejected_until:
                longer = min(2 * self._ejection_seconds, LONGEST_EJECTION_SECONDS)
                self._ejection_seconds = max(longer, FIRST_EJECTION_SECONDS)
                self._ejected_until = now + self._ejection_seconds
            self.ejected = True

    def answered(self) -> None:
        """Note that it has answered a call: it is as good as new."""
        with self._lock:
            self.ejected = False
            self._ejection_seconds = 0.0

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _ended(self, _: object) -> None:
        with self._lock:
            self.calls -= 1

    def _checked(self, future: grpc.Future[bytes]) -> None:
        error = future.exception()
        if isinstance(error, grpc.RpcError) and error.code() in _NO_ANSWER:
            self.eject()
        with self._lock:
            self._checking = False
            # One whose disk hangs answers health checks: it is passed over for its time all the same.
            if time.monotonic() >= self._ejected_until:
                self.ejected = False


class ServerPool(Generic[Stubs]):
    """The servers that some names stand for, in this process.

    A forked child cannot use its parent's channels, and closing them would end the parent's connections: it keeps them,
    never touches them, and opens others.

    Args:
        names: HOST:PORT of each.
        config: How channels are opened.
        stubs: Makes the stubs of a channel.

    Raises:
        ValueError: A name is not HOST:PORT, or there is none.
        OSError: The certificate cannot be read.
    """

    def __init__(self, names: Sequence[str], config: ChannelConfig, stubs: Callable[[grpc.Channel], Stubs]) -> None:
        check_names(names)
        self._names = list(names)
        self._config = config
        self._stubs = stubs
        self._ca_certificate = config.ca_file.read_bytes() if config.ca_file is not None else None
        self._inherited: list[Server[Stubs]] = []
        self._servers: list[Server[Stubs]] = []
        self._lock = threading.Lock()
        self._looking_up = False
        self._looked_up_at = self._look_up_at = float("-inf")
        _pools.add(self)

    def servers(self) -> list[Server[Stubs]]:
        """Return all servers; channels are opened on the first call of each process."""
        with self._lock:
            servers = self._servers
            is_due = bool(servers) and time.monotonic() >= self._look_up_at and not self._looking_up
            self._looking_up = self._looking_up or is_due
        if not servers:
            return self._look_up()
        if is_due:
            threading.Thread(target=self._look_up_again, name="look-up", daemon=True).start()
        return servers

    def look_up_soon(self) -> None:
        """Look the names up at the next call, but not more often than once a second."""
        with self._lock:
            self._look_up_at = min(self._look_up_at, self._looked_up_at + SOON_SECONDS)

    def close(self) -> None:
        """Close the channels; a later call opens others."""
        with self._lock:
            servers, self._servers = self._servers, []
        for server in servers:
            server.close()

    def begin_child(self) -> None:
        """Forget the parent's channels, and its lock: another thread that held it would never release it here."""
        self._inherited += self._servers
        self._servers = []
        self._lock = threading.Lock()
        self._looking_up = False

    def _look_up_again(self) -> None:
        try:
            self._look_up()
        finally:
            self._looking_up = False

    def _look_up(self) -> list[Server[Stubs]]:
        """Find out where the names lead, and return the servers there; those that are known keep their channels."""
        before = {server.address: server for server in self._servers}
        addresses: dict[Address, None] = {}
        complete = True
        for name in self._names:
            try:
                found = look_up(name, tls=self._config.tls)
            except OSError:
                # Those that are known may live. Else gRPC tries by itself, and says so in the error of a call.
                complete = False
                found = [address for address in before if address.name == name] or [Address(name, name)]
            addresses |= dict.fromkeys(found)
        opened = {address: before.get(address) or self._open(address) for address in addresses}
        now = time.monotonic()
        with self._lock:
            # Another thread may have opened some meanwhile.
            known = {server.address: server for server in self._servers}
            self._servers = [known.get(address, server) for address, server in opened.items()]
            self._looked_up_at = now
            self._look_up_at = now + (LOOK_UP_SECONDS if complete else SOON_SECONDS)
            if all(address.is_fixed for address in opened):
                self._look_up_at = self._looked_up_at = float("inf")
            return self._servers

    def _open(self, address: Address) -> Server[Stubs]:
        channel = open_channel(address, self._config, self._ca_certificate)
        return Server(address, channel, self._stubs(channel))


_pools: weakref.WeakSet[ServerPool[Any]] = weakref.WeakSet()


def _begin_child() -> None:
    for pool in _pools:
        pool.begin_child()


os.register_at_fork(after_in_child=_begin_child)
