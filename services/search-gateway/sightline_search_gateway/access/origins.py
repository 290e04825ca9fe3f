"""Which host names and which origins are accepted."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

from flask import request

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.settings import GatewaySettings

# Names that cannot be registered in the public DNS, so that no other site can point one at this machine.
PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc", ".test")
DEFAULT_PORTS = {"http": "80", "https": "443"}
# Probes ask for these under any host name; the answers reveal nothing.
PROBE_PATHS = {"/healthz", "/readyz"}
HOST = re.compile(
    r"(?:(?P<name>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?|\[(?P<ipv6>[0-9a-f:.]+)\])(?::[0-9]{0,5})?",
    re.ASCII | re.IGNORECASE,
)


def check_host(settings: GatewaySettings) -> None:
    """Refuse a request that was sent to a host name that is not this gateway's.

    A page of another site can point its own name at 127.0.0.1 and is then, to the browser, of the same origin as the
    gateway (DNS rebinding); only the name in the Host header tells.

    Raises:
        ServiceError: 421.
    """
    # Not `request.host`, which is empty for what werkzeug takes for no name.
    name = host_name(request.headers.get("Host", request.host))
    if request.path in PROBE_PATHS or is_known_host(name, settings):
        return
    raise ServiceError(
        "unknown-host",
        f"This gateway does not answer to the name {name[:100]!r}. Whoever runs Sightline can allow it with "
        "GATEWAY_TRUSTED_HOSTS.",
    )


def host_name(host: str) -> str:
    """Return the name of HOST or HOST:PORT, in lower case, without brackets; empty for what is neither."""
    match = HOST.fullmatch(host)
    if match is None:
        return ""
    if match["ipv6"] is None:
        return match["name"].lower()
    try:
        return str(IPv6Address(match["ipv6"]))
    except ValueError:
        return ""


def is_known_host(name: str, settings: GatewaySettings) -> bool:
    """Return whether a name is an address, cannot be public, or is among the trusted ones."""
    if not name:
        return False
    for trusted in settings.trusted_host_list:
        if trusted in ("*", name) or (trusted.startswith("*.") and name.endswith(trusted[1:])):
            return True
    if name in {host_name(origin.partition("://")[2]) for origin in settings.trusted_origin_list}:
        return True
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(PRIVATE_ENDINGS)
    return True


def check_same_origin(settings: GatewaySettings) -> None:
    """Refuse what a page of another site sends.

    Raises:
        ServiceError: 403.
    """
    if not is_same_origin(settings):
        raise ServiceError("cross-origin", "Pages of other sites may not send anything here.")


def is_same_origin(settings: GatewaySettings) -> bool:
    """Return whether a request comes from this gateway's page, from a trusted origin, or from a program.

    Programs send no Origin.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        origin = origin.lower()
        if origin in settings.trusted_origin_list:
            return True
        scheme, _, authority = origin.partition("://")
        port = DEFAULT_PORTS.get(scheme)
        if port is None or authority.removesuffix(f":{port}") != request.host.lower().removesuffix(f":{port}"):
            return False
    # Sent by browsers even where Origin is not; `none` is the user's own doing.
    return request.headers.get("Sec-Fetch-Site", "none").lower() in ("same-origin", "none")
