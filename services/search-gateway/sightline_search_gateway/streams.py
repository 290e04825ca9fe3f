"""Server-sent events: how many listen at once, and how a stream of them goes on and ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore
from typing import Any

from flask import Response, request

from sightline_search_gateway.answers import dump_json
from sightline_search_gateway.problems import Problem, retry_after

HEARTBEAT_SECONDS = 15.0
LOOK_SECONDS = 0.25
"""How often a stream sees whether the server stops or its client is gone."""
MIME_TYPE = "text/event-stream"
# nginx would gather what is said until it has a buffer full of it.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
HEARTBEAT = b": still here\n\n"


class Streams:
    """The streams of a process. Safe to use from several threads.

    Args:
        most: So many may be open at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._places = BoundedSemaphore(most)
        self._stopping = False

    @property
    def stopping(self) -> bool:
        """Whether the server is about to end, so that all streams do."""
        return self._stopping

    def stop(self) -> None:
        """Have all streams end within a moment. May be called by a signal's handler."""
        self._stopping = True

    def open(self, messages: Iterator[bytes | None]) -> Response:
        """Return an answer that sends messages as they come.

        Args:
            messages: What to send; None gives the stream the opportunity to see whether anybody listens. It must come
                at least every quarter of a second or so. Closed when the stream ends.

        Raises:
            Problem: Too many streams are open.
        """
        if self._stopping or not self._places.acquire(blocking=False):
            raise Problem(
                "too-many-streams",
                f"{self._most} pages listen already (GATEWAY_STREAMS); ask now and then instead.",
                headers=retry_after(10),
            )
        response = Response(self._body(messages, request.environ.get("gunicorn.socket")), content_type=MIME_TYPE)
        response.headers.extend(HEADERS)
        response.call_on_close(_once(self._places.release))
        return response

    def _body(self, messages: Iterator[bytes | None], client: socket.socket | None) -> Iterator[bytes]:
        said_at = time.monotonic()
        for message in messages:
            if self._stopping or _is_gone(client):
                return
            now = time.monotonic()
            if message is None and now - said_at >= HEARTBEAT_SECONDS:
                message = HEARTBEAT
            if message is not None:
                said_at = now
                yield message


def event(name: str, value: Any) -> bytes:
    """Return an event whose data is a value as JSON."""
    return b"event: " + name.encode("ascii") + b"\ndata: " + dump_json(value) + b"\n\n"


def _is_gone(client: socket.socket | None) -> bool:
    """Return whether a client has hung up: else that is seen only when something has been sent twice."""
    if client is None:
        return False
    try:
        return client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _once(call: Callable[[], None]) -> Callable[[], None]:
    left = [call]

    def run() -> None:
        if left:
            left.pop()()

    return run
