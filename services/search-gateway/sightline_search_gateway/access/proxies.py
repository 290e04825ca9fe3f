"""What proxies say of a request: its user, its client's address, and whether it came by TLS."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from flask import Request

from sightline_search_gateway.access.attempts import Source

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
MAX_USER = 256
MAX_HOPS = 16
"""Proxies one behind another; what is said of more is not looked at."""
KEYS_A_CLIENT = 10
KEYS_A_PEER = 100
"""The limit for all clients together behind a proxy that is not trusted: what it says of them may be invented."""


class TrustedProxies:
    """The proxies that are believed.

    Args:
        networks: Where they connect from.
        user_header: The header that names the user who is signed in; empty for none.
    """

    def __init__(self, networks: list[Network], user_header: str) -> None:
        self._networks = networks
        self._user_header = user_header

    def user(self, request: Request) -> str | None:
        """Return the user that a trusted proxy names; None where there is none."""
        if not self._user_header or not self.trusts(peer_of(request)):
            return None
        name = request.headers.get(self._user_header, "").encode("latin-1").decode("utf-8", "replace").strip()
        # A comma means that it was sent twice: by the proxy, and by a client before it.
        if not name or len(name) > MAX_USER or "," in name or not name.isprintable():
            return None
        return name

    def sources(self, request: Request) -> list[Source]:
        """Return the sources that a request's wrong keys are counted for."""
        peer = peer_of(request)
        parts = request.headers.get("X-Forwarded-For", "").rsplit(",", MAX_HOPS)[-MAX_HOPS:]
        forwarded = [parse_address(part) for part in parts]
        if not self.trusts(peer):
            if forwarded[-1] is None:
                return [Source(group(peer), KEYS_A_CLIENT)]
            client = f"{group(peer)} for {group(forwarded[-1])}"
            return [Source(client, KEYS_A_CLIENT), Source(group(peer), KEYS_A_PEER)]
        # The last entry is what the nearest proxy saw; what the client itself wrote comes before.
        while forwarded and self.trusts(peer) and (before := forwarded.pop()) is not None:
            peer = before
        return [Source(group(peer), KEYS_A_CLIENT)]

    def trusts(self, address: Address | None) -> bool:
        """Return whether what comes from an address is a trusted proxy's."""
        return address is not None and any(address in network for network in self._networks)


def is_https(request: Request) -> bool:
    """Return whether the browser reaches this gateway by TLS, itself or through proxies.

    Anybody may say so, since nobody else's cookie depends on it. Browsers send Origin with whatever changes something.
    """
    forwarded = request.headers.get("X-Forwarded-Proto", "").lower().split(",")
    return (
        request.is_secure
        or "https" in [part.strip() for part in forwarded]
        or request.headers.get("Origin", "").lower().startswith("https://")
    )


def peer_of(request: Request) -> Address | None:
    """Return the address that a request's connection comes from."""
    return parse_address(request.remote_addr or "")


def parse_address(text: str) -> Address | None:
    """Return an address, one of IPv4 as such even where it is written as IPv6; None for what is not one."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def group(address: Address | None) -> str:
    """Return what identifies a client: its IPv4 address, or the /64 of its IPv6 one, since a client has a whole /64."""
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False))
    return str(address)
