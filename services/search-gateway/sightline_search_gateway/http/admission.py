"""Decides about a request once its headers are there, so that no body is taken that would be refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING

from flask import Flask, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

REFUSAL = "sightline.refusal"
"""In a WSGI environment: the error that a request is to be answered with, whose body was not taken."""
Check = Callable[[], None]
Admit = Callable[["WSGIEnvironment"], "int | Exception"]


class Admission:
    """The checks that need no body. They run before it is taken, and again with the request itself.

    Args:
        checks: Each raises the error of a request that is refused; one of them sets the limit of the body.
    """

    def __init__(self, app: Flask, checks: Sequence[Check]) -> None:
        self._app = app
        self._checks = checks
        app.before_request(_raise_refusal)
        for check in checks:
            app.before_request(check)

    def __call__(self, environ: WSGIEnvironment) -> int | Exception:
        """Return how many bytes a request's body may have, or the error that it is refused with."""
        # What checks note for the log is of this request alone, and it is noted again when the request is answered.
        return copy_context().run(self._decide, environ)

    def _decide(self, environ: WSGIEnvironment) -> int | Exception:
        with self._app.request_context(environ):
            try:
                for check in (*self._checks, *self._app.before_request_funcs.get(request.blueprint, ())):
                    check()
                if request.routing_exception is not None:
                    return request.routing_exception
            except Exception as error:
                return error
            return request.max_content_length or 0


def _raise_refusal() -> None:
    if (refusal := request.environ.get(REFUSAL)) is not None:
        raise refusal
