"""Addresses of servers, and channels to them."""

from __future__ import annotations

import ipaddress
import socket
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc

IDENTITY_ONLY = 1
"""Bit 0 of gRPC's compression algorithms: none at all."""
PING_TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class ChannelConfig:
    """How channels are opened.

    Attributes:
        tls: Whether to use TLS.
        ca_file: The certificate authority of the servers; None for those that the system trusts.
        compression: Whether a server may compress its answers. Vectors hardly shrink, and on a local network packing
            and unpacking them takes longer than sending them.
        max_message_bytes: Of a message, sent or received; -1 for any.
        keepalive_seconds: Between pings of a connection; without them, one to a machine that has died counts as open
            for a quarter of an hour. A server may close the connection of a client that pings too often.
    """

    tls: bool = False
    ca_file: Path | None = None
    compression: bool = False
    max_message_bytes: int = -1
    keepalive_seconds: float = 60.0


@dataclass(frozen=True)
class Address:
    """One server.

    Attributes:
        target: Where to connect: `IP:PORT`, or `HOST:PORT` where gRPC or a proxy looks the name up, or `unix:/PATH`.
        name: `HOST:PORT` as it was given, for which a certificate has to be valid, or `unix:/PATH`.
    """

    target: str
    name: str

    @property
    def host(self) -> str:
        """The name without its port."""
        return self.name.rpartition(":")[0]

    @property
    def is_fixed(self) -> bool:
        """Whether nothing about it can change: it was given as an IP address, or as a path."""
        return is_unix(self.name) or _is_ip(self.host)

    def __str__(self) -> str:
        return self.target if self.target == self.name else f"{self.target} ({self.host})"


def check_names(names: Sequence[str]) -> None:
    """Check names of servers.

    Raises:
        ValueError: There is none, or one is neither HOST:PORT nor unix:/PATH.
    """
    if not names:
        raise ValueError("an address is needed")
    for name in names:
        if is_unix(name):
            continue
        host, _, port = name.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f"{name!r} is not HOST:PORT")


def is_unix(name: str) -> bool:
    """Return whether a name is the path of a Unix socket."""
    return name.startswith("unix:/")


def look_up(name: str, *, tls: bool) -> list[Address]:
    """Return all servers that a name stands for.

    Of several addresses those of one family count, IPv4 before IPv6: the others lead to the same servers. Where a name
    has one of each, which may be one machine that listens on one of them alone, gRPC itself tries both.

    Args:
        name: HOST:PORT; an IPv6 address is in brackets.
        tls: Whether connections are encrypted: such ones may go through a proxy, which then looks the name up.

    Raises:
        OSError: It is not known.
    """
    host, _, port = name.rpartition(":")
    if is_unix(name) or _is_ip(host) or (tls and _has_proxy(host)):
        return [Address(name, name)]
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host!r} is not a name: {error}") from error
    inet = [str(where[0]) for family, _, _, _, where in found if family == socket.AF_INET]
    inet6 = [f"[{where[0]}]" for family, _, _, _, where in found if family == socket.AF_INET6]
    if len(inet) == 1 and inet6:
        return [Address(name, name)]
    return [Address(f"{one}:{port}", name) for one in dict.fromkeys(inet or inet6)]


def open_channel(address: Address, config: ChannelConfig, ca_certificate: bytes | None) -> grpc.Channel:
    """Return a channel to a server; it connects on its first call.

    Args:
        address: The server.
        config: How to open it.
        ca_certificate: What `config.ca_file` holds.
    """
    options: dict[str, int | str] = {
        "grpc.max_send_message_length": config.max_message_bytes,
        "grpc.max_receive_message_length": config.max_message_bytes,
        # Retries are ours: gRPC's own try the same server.
        "grpc.enable_retries": 0,
        # gRPC's own pause grows to two minutes, which is how long a restarted server would go unnoticed.
        "grpc.initial_reconnect_backoff_ms": 100,
        "grpc.min_reconnect_backoff_ms": 1000,
        "grpc.max_reconnect_backoff_ms": 1000,
        "grpc.keepalive_time_ms": int(config.keepalive_seconds * 1000),
        "grpc.keepalive_timeout_ms": PING_TIMEOUT_SECONDS * 1000,
        # Without it, a ping waits for a minute whatever the line above says.
        "grpc.http2.ping_timeout_ms": PING_TIMEOUT_SECONDS * 1000,
    }
    if not config.compression:
        options["grpc.compression_enabled_algorithms_bitset"] = IDENTITY_ONLY
    looked_up = address.target != address.name
    if looked_up:
        options["grpc.default_authority"] = address.name
    if looked_up or not config.tls:
        options["grpc.enable_http_proxy"] = 0
    if not config.tls:
        return grpc.insecure_channel(address.target, list(options.items()))
    if looked_up:
        options["grpc.ssl_target_name_override"] = address.host
    return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(ca_certificate), list(options.items()))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _has_proxy(host: str) -> bool:
    """Return whether gRPC would go through a proxy: it takes that of any of these variables."""
    return bool({"grpc", "https", "http"} & set(urllib.request.getproxies())) and not urllib.request.proxy_bypass(host)
