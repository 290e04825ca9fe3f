"""Decides for each request whether its visitor may make it, before its body is parsed."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Request, Response, request
from werkzeug.routing import Map

from sightline_search_gateway.access.attempts import WrongKeys
from sightline_search_gateway.access.keyring import Keyring, Right
from sightline_search_gateway.access.origins import check_same_origin, is_same_origin
from sightline_search_gateway.access.proxies import TrustedProxies
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.settings import GatewaySettings

COOKIE = "sightline_session"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
OPEN_BLUEPRINTS = {"docs", "session"}
OPEN_CALLS = {"system.get_health", "system.get_readiness", "system.get_metrics"}
"""Every other call needs the right to read if its method is GET, and the right to change if not."""
READING_CALLS = {"search.search"}
"""Calls by POST that change nothing."""
EVERYBODY = "*"
log = structlog.get_logger()


@dataclass(frozen=True)
class Visitor:
    """Who makes a request.

    Attributes:
        held: What a key, session or user allows; NONE where there is none of these.
        signed_in: Whether by a session.
        user: As a trusted proxy names the user.
    """

    held: Right = Right.NONE
    signed_in: bool = False
    user: str | None = None


class AccessControl:
    """The keys, the sessions and the users of a gateway. Safe to use from several threads."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.keyring = Keyring(settings.api_key_list, settings.read_key_list)
        self.proxies = TrustedProxies(settings.trusted_networks, settings.trusted_user_header)
        self.wrong_keys = WrongKeys()
        self.session_days = settings.session_days
        self.can_change = bool(settings.api_key_list or settings.editor_list)
        if settings.read_key_list or settings.trusted_user_header:
            self.everyone = Right.NONE
        else:
            self.everyone = Right.READ if settings.api_key_list else Right.CHANGE

    def visitor(self, request: Request, needed: Right = Right.CHANGE) -> Visitor:
        """Return who makes a request; a key in a header counts where nothing else gives the right that is needed.

        Raises:
            ServiceError: 429, for a wrong key in a header where too many came from.
        """
        # A browser sends the cookie for pages of other ports of this host, too.
        session = self.keyring.right_of_token(sent_token(request)) if is_same_origin(self.settings) else Right.NONE
        user = self.proxies.user(request)
        held = max(session, Right.NONE if user is None else self._right_of_user(user))
        # A bearer token beside a user is the proxy's.
        if held < needed and (sent := sent_key(request, bearer=user is None)):
            held = max(held, self.try_key(request, sent))
        return Visitor(held, signed_in=session > Right.NONE, user=user)

    def try_key(self, request: Request, sent: bytes) -> Right:
        """Return what a key allows; a wrong one allows NONE, and is counted.

        A right key is one however many wrong ones came before it: else strangers could lock its owner out.

        Raises:
            ServiceError: 429, for a wrong key where too many came from.
        """
        if not self.keyring:
            return Right.NONE
        right = self.keyring.right_of(sent)
        if right is Right.NONE:
            sources, digest = self.proxies.sources(request), self.keyring.digest(sent)
            self.wrong_keys.check(sources, digest)
            self.wrong_keys.add(sources, digest)
            log.warning("a wrong key was sent", client=sources[0].name)
        return right

    def _right_of_user(self, user: str) -> Right:
        editors = self.settings.editor_list
        return Right.CHANGE if user in editors or EVERYBODY in editors else Right.READ


def sent_token(request: Request) -> str:
    """Return the token of a request's cookie; empty where there is none, or one that cannot be read."""
    try:
        return request.cookies.get(COOKIE, "")
    except UnicodeError:
        return ""


def sent_key(request: Request, *, bearer: bool) -> bytes:
    """Return the key in a request's headers; empty where there is none."""
    sent = request.headers.get("X-API-Key", "")
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if bearer and not sent and scheme.lower() == "bearer":
        sent = token.strip()
    # WSGI has the header's bytes as Latin-1.
    return sent.encode("latin-1", "replace")


def needed_right(endpoint: str, method: str) -> Right:
    """Return what a visitor needs for a call."""
    if endpoint in OPEN_CALLS or endpoint.partition(".")[0] in OPEN_BLUEPRINTS or method == "OPTIONS":
        return Right.NONE
    return Right.READ if method in SAFE_METHODS or endpoint in READING_CALLS else Right.CHANGE


def open_paths(routes: Map) -> set[str]:
    """Return the paths of the calls that never need a key."""
    return {rule.rule for rule in routes.iter_rules() if needed_right(rule.endpoint, "GET") is Right.NONE}


def check_access(access: AccessControl) -> None:
    """Refuse a request that its visitor may not make, and changes that a page of another site asks for.

    Raises:
        ServiceError: 401 without a right, 403 without enough of it or from another site, 429 after too many wrong keys.
    """
    if request.url_rule is None:
        return
    if request.method not in SAFE_METHODS:
        check_same_origin(access.settings)
    needed = needed_right(request.endpoint or "", request.method)
    if access.everyone >= needed:
        return
    visitor = access.visitor(request, needed)
    if visitor.user is not None:
        structlog.contextvars.bind_contextvars(user=visitor.user)
    if visitor.held < needed:
        raise _refusal(access, visitor, needed)


def _refusal(access: AccessControl, visitor: Visitor, needed: Right) -> ServiceError:
    if visitor.held > Right.NONE:
        who = "This key" if visitor.user is None else f"The user {visitor.user}"
        nobody = "" if access.can_change else " Whoever runs Sightline can allow it: GATEWAY_API_KEYS."
        return ServiceError("not-allowed", f"{who} may look at everything and change nothing.{nobody}")
    if not access.keyring:
        return ServiceError(
            "key-required", "Nobody is signed in. Reload the page to sign in, as far as a proxy asks for it."
        )
    names = "GATEWAY_API_KEYS" if needed is Right.CHANGE else "GATEWAY_API_KEYS or GATEWAY_READ_KEYS"
    return ServiceError(
        "key-required", f"Send one of the keys of {names} as X-API-Key or as bearer token, or sign in on the page."
    )


def keep_private(access: AccessControl, response: Response) -> Response:
    """Keep what not everybody may read out of shared caches, and have other caches tell visitors apart."""
    if access.everyone is Right.NONE and request.url_rule and needed_right(request.endpoint or "", request.method):
        response.vary.update(["Cookie", "Authorization", "X-API-Key"])
        kept = response.headers.get("Cache-Control", "")
        if "no-store" not in kept and "private" not in kept:
            response.headers["Cache-Control"] = f"private, {kept}" if kept else "private, no-cache"
    return response
