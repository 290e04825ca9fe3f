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
        target: Where to connect: `IP:PORT`, or `HOST:PORT` where a proxy resolves the name.
        name: `HOST:PORT` as it was given, for which a certificate has to be valid.
    """

    target: str
    name: str

    @property
    def host(self) -> str:
        """The name without its port."""
        return self.name.rpartition(":")[0]

    def __str__(self) -> str:
        return self.target if self.target == self.name else f"{self.target} ({self.host})"


def resolve(names: Sequence[str], *, tls: bool) -> list[Address]:
    """Return all servers that some names stand for, each once.

    Of a name with addresses of both families the IPv4 ones count: the others lead to the same servers.

    Args:
        names: HOST:PORT; an IPv6 address is in brackets.
        tls: Whether connections are encrypted: such ones may go through a proxy, which then resolves the name.

    Raises:
        OSError: No name could be resolved; where some can be, the others are left out.
    """
    found: dict[str, Address] = {}
    failure: OSError | None = None
    for name in names:
        try:
            for target in _targets(name, tls):
                found.setdefault(target, Address(target, name))
        except OSError as error:
            failure = error
    if failure is not None and not found:
        raise failure
    return list(found.values())


def open_channel(address: Address, config: ChannelConfig) -> grpc.Channel:
    """Return a channel to a server; it connects on its first call."""
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
        "grpc.keepalive_timeout_ms": 10_000,
    }
    if not config.compression:
        options["grpc.compression_enabled_algorithms_bitset"] = IDENTITY_ONLY
    if address.target != address.name:
        options["grpc.default_authority"] = address.name
    if not config.tls:
        options["grpc.enable_http_proxy"] = 0
        return grpc.insecure_channel(address.target, list(options.items()))
    if address.target != address.name:
        options["grpc.ssl_target_name_override"] = address.host
    authority = config.ca_file.read_bytes() if config.ca_file is not None else None
    return grpc.secure_channel(address.target, grpc.ssl_channel_credentials(authority), list(options.items()))


def _targets(name: str, tls: bool) -> list[str]:
    host, _, port = name.rpartition(":")
    if _is_ip(host) or (tls and _has_proxy(host)):
        return [name]
    found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
    inet = [str(where[0]) for family, _, _, _, where in found if family == socket.AF_INET]
    inet6 = [f"[{where[0]}]" for family, _, _, _, where in found if family == socket.AF_INET6]
    return [f"{one}:{port}" for one in inet or inet6]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _has_proxy(host: str) -> bool:
    return "https" in urllib.request.getproxies() and not urllib.request.proxy_bypass(host)
