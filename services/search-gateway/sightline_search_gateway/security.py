"""Which hosts, origins and keys are accepted."""

from __future__ import annotations

import hmac
from ipaddress import ip_address

from flask import request

from sightline_search_gateway.container import current
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.http.problems import read_only_problem
from sightline_search_gateway.settings import GatewaySettings

# Names that cannot be registered in the public DNS, so that no other site can point one at this machine.
PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".svc", ".test")
DEFAULT_PORTS = {"http": "80", "https": "443"}
# Probes ask for these under any host name; the answers reveal nothing.
OPEN_PATHS = {"/healthz", "/readyz"}


def check_host() -> None:
    """Refuse a request that was sent to a host name that is not this gateway's.

    A page of another site can point its own name at 127.0.0.1 and is then, to the browser, of the same origin as the
    gateway (DNS rebinding); only the name in the Host header tells.

    Raises:
        ServiceError: 421.
    """
    name = host_name(request.host)
    if request.path in OPEN_PATHS or is_known_host(name, current().settings.gateway):
        return
    raise ServiceError(
        "unknown-host",
        f"This gateway does not answer to the name {name[:100]!r}. Whoever runs Sightline can allow it with "
        "GATEWAY_TRUSTED_HOSTS.",
    )


def host_name(host: str) -> str:
    """Return the name of HOST or HOST:PORT, in lower case, without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def is_known_host(name: str, settings: GatewaySettings) -> bool:
    """Return whether a name is an address, cannot be public, or is among the trusted ones."""
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


def check_same_origin() -> None:
    """Refuse what a page of another site sends.

    Programs send no Origin and pass.

    Raises:
        ServiceError: 403.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        origin = origin.lower()
        if origin in current().settings.gateway.trusted_origin_list:
            return
        scheme, _, authority = origin.partition("://")
        port = DEFAULT_PORTS.get(scheme)
        if port is None or authority.removesuffix(f":{port}") != request.host.lower().removesuffix(f":{port}"):
            raise ServiceError("cross-origin", "Pages of other sites may not change anything here.")
    # Sent by browsers even where Origin is not; `none` is the user's own doing.
    if request.headers.get("Sec-Fetch-Site", "none").lower() not in ("same-origin", "none"):
        raise ServiceError("cross-origin", "Pages of other sites may not change anything here.")


def check_key() -> None:
    """Refuse a request without one of the configured keys, where there are any.

    Raises:
        ServiceError: 401.
    """
    keys = current().settings.gateway.api_key_list
    if not keys:
        return
    sent = request.headers.get("X-API-Key", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not sent and scheme.lower() == "bearer":
        sent = token.strip()
    # All are compared, so that the time taken tells nothing about them.
    matches = [hmac.compare_digest(sent.encode(), key.encode()) for key in keys]
    if not any(matches):
        raise ServiceError(
            "key-required",
            "Send one of the keys of GATEWAY_API_KEYS as X-API-Key or as bearer token.",
        )


def check_change() -> None:
    """Refuse a change of the bucket that is not allowed, before the body is read.

    Raises:
        ServiceError: 403 or 401.
    """
    check_same_origin()
    check_key()
    if not current().settings.bucket.writable:
        raise read_only_problem()
