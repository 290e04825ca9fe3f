"""Signing the page in: a key is exchanged for a cookie, since a browser asks for pictures without our headers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from sightline_search_gateway.access.guard import COOKIE, Visitor
from sightline_search_gateway.access.keyring import Right
from sightline_search_gateway.access.proxies import is_https
from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.schemas.session import Session, SignIn

blueprint = APIBlueprint("session", __name__, tag="Session", url_prefix=f"{PREFIX}/session")
LONGEST_UNREMEMBERED = timedelta(days=1)
"""After so long a browser is signed out even if it is never closed."""


@blueprint.get("")
@blueprint.output(schema_of(Session), description="What this visitor may do.")
@blueprint.doc(operation_id="getSession", responses=problem_answers(429))
def get_session() -> Response:
    """Get what this visitor may do."""
    return json_response(_session(current().access.visitor(request)))


@blueprint.post("")
@blueprint.input(SignIn, location="json", arg_name="body")
@blueprint.output(schema_of(Session), description="What this visitor may do from now on; sets the cookie.")
@blueprint.doc(operation_id="signIn", responses=problem_answers(400, 401, 403, 413, 415, 422, 429))
def sign_in(body: dict[str, Any]) -> Response:
    """Exchange a key for a session's cookie, which programs do not need: they send the key itself.

    The cookie is good for requests of this gateway's own pages alone, until it expires or the key is no longer one.
    """
    access = current().access
    sent = body["key"].strip().encode("utf-8", "surrogatepass")
    right = access.try_key(request, sent)
    if right is Right.NONE:
        raise ServiceError("wrong-key", "This is none of the keys. Whoever runs Sightline has them.")
    lifetime = timedelta(days=access.session_days) if body["remember"] else LONGEST_UNREMEMBERED
    seconds = int(lifetime.total_seconds())
    response = json_response(_session(Visitor(right, signed_in=True, user=access.proxies.user(request))))
    response.set_cookie(
        COOKIE,
        access.keyring.open_session(sent, seconds),
        max_age=seconds if body["remember"] else None,
        **_attributes(),
    )
    return response


@blueprint.delete("")
@blueprint.output({}, 204, description="The cookie is taken back.")
@blueprint.doc(operation_id="signOut", responses=problem_answers(403))
def sign_out() -> Response:
    """Sign out: have the browser forget the cookie."""
    response = Response(status=204)
    response.delete_cookie(COOKIE, **_attributes())
    return response


def _attributes() -> dict[str, Any]:
    return {"path": "/", "secure": is_https(request), "httponly": True, "samesite": "Strict"}


def _session(visitor: Visitor) -> Session:
    access = current().access
    right = max(visitor.held, access.everyone)
    return Session(
        read=right >= Right.READ,
        change=right >= Right.CHANGE,
        keys=bool(access.keyring),
        signed_in=visitor.signed_in,
        user=visitor.user,
        days=access.session_days,
    )
