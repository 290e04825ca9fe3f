"""A client's connection: waitress's channel, with deadlines, and answers to what never reaches the application."""

from __future__ import annotations

import socket
import time
from http import HTTPStatus
from typing import Any

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import BadRequest

from sightline_search_gateway.access.proxies import group, parse_address
from sightline_search_gateway.body_budget import BodyBudget
from sightline_search_gateway.http.admission import REFUSAL
from sightline_search_gateway.http.json_body import dump_json
from sightline_search_gateway.http.problems import MIME_TYPE
from sightline_search_gateway.http.static_files import CLOSED_POLICY, COMMON_HEADERS
from sightline_search_gateway.request_parser import RequestParser

LEAST_RATE = 4096
"""Bytes a second that a body, or an answer, moves at least."""
LINGER_SECONDS = 5.0
"""How long more of a body is thrown away: a connection that is closed at once can lose the answer on its way."""
MAX_REASON = 200
DETAILS = {
    408: "The request did not arrive in time.",
    413: "The request is larger than this gateway accepts.",
    431: "The address or the headers are too large.",
    500: "The server cannot answer this request.",
}


class RequestTimeout(BadRequest):  # type: ignore[misc]
    """A client began a request and sent nothing more, or too little."""

    code = 408
    reason = "Request Timeout"


class ProblemTask(ErrorTask):  # type: ignore[misc]
    """Answers a request that never reaches the application with a problem."""

    def execute(self) -> None:
        """Send the problem and close the connection."""
        error = self.request.error
        status = error.code
        title = HTTPStatus(status).phrase
        detail = DETAILS.get(status) or f"The request cannot be read: {error.body[:MAX_REASON]}."
        body = dump_json({"type": "about:blank", "title": title, "status": status, "detail": detail})
        self.status = f"{status} {title}"
        self.response_headers += [("Content-Type", MIME_TYPE), ("Content-Security-Policy", CLOSED_POLICY)]
        self.response_headers += COMMON_HEADERS.items()
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)


class Task(WSGITask):  # type: ignore[misc]
    """Hands a request to the application."""

    def get_environment(self) -> dict[str, Any]:
        """Return the WSGI environment; it tells why a body was not taken."""
        environ: dict[str, Any] = super().get_environment()
        if self.request.refusal is not None:
            environ[REFUSAL] = self.request.refusal
        return environ


class Channel(HTTPChannel):  # type: ignore[misc]
    """A client's connection.

    Attributes:
        peer: Whose it is, as connections are counted.
        discards: Whether what arrives yet is thrown away, since the connection closes after the next answer.
        completed: How many requests have arrived.
    """

    error_task_class = ProblemTask
    task_class = Task
    request: HTTPRequestParser | None = None
    close_when_flushed: bool

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Adjustments, map: Any = None) -> None:
        self.peer = group(parse_address(addr[0]))
        self.discards = False
        self.completed = 0
        self._began: float | None = None
        self._window: tuple[float, int] | None = None
        self._moved = 0
        self._lingers_until: float | None = None
        super().__init__(server, sock, addr, adj, map=map)

    @property
    def budget(self) -> BodyBudget:
        """The room for bodies."""
        budget: BodyBudget = self.server.budget
        return budget

    @property
    def has_request(self) -> bool:
        """Whether a request is arriving, waits, or is being answered."""
        return bool(self.requests or self.request is not None or self.total_outbufs_len)

    def parser_class(self, adj: Adjustments) -> RequestParser:
        """Return the parser of the next request."""
        return RequestParser(adj, self)

    def environment_of(self, request: RequestParser) -> dict[str, Any]:
        """Return the WSGI environment of a request, whose body is perhaps not there yet."""
        return Task(self, request).get_environment()

    def received(self, data: bytes) -> bool:
        """Take what has arrived."""
        completed = self.completed
        if self._began is None:
            self._began = time.monotonic()
        self._moved += len(data)
        taken: bool = super().received(data)
        if self.completed > completed:
            self._began = None if self.request is None else time.monotonic()
        return taken

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what can be sent; return how many bytes."""
        sent: int = super().send(data, do_close=do_close)
        self._moved += sent
        return sent

    def readable(self) -> bool:
        """Return whether what arrives is read now."""
        return self._lingers_until is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Read what has arrived."""
        if self._lingers_until is None:
            super().handle_read()
            return
        try:
            # At the end of what a client sends, this closes the connection.
            self.recv(self.adj.recv_bytes)
        except OSError:
            self.handle_close()

    def handle_write(self) -> None:
        """Send what waits; close the connection after the last answer."""
        if not self.discards or self.will_close:
            super().handle_write()
            return
        if not self.requests:
            self._flush_exception(self._flush_some)
        if self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed = False
            self._linger()
        if self.will_close:
            self.handle_close()

    def handle_close(self) -> None:
        """Close the connection, and free what a request takes that has not arrived in full."""
        with self.requests_lock:
            request, self.request = self.request, None
        if request is not None:
            request.close()
        super().handle_close()

    def check_pace(self, now: float, seconds: float) -> None:
        """Cut off a client that takes more than `seconds` for headers, or moves too little in as many."""
        if self._lingers_until is not None:
            if now > self._lingers_until:
                self.handle_close()
            return
        request = self.request
        if self._began is not None and not self.requests and (request is None or not request.headers_finished):
            # Blank lines before a request are none.
            if now - self._began > seconds:
                self.time_out()
            return
        is_sending = self.total_outbufs_len > (self.adj.send_bytes if self.requests else 0)
        if request is None and not is_sending:
            self._window = None
        elif self._window is None:
            self._window = (now, self._moved)
        elif now - self._window[0] >= seconds:
            if self._moved - self._window[1] >= LEAST_RATE * seconds:
                self._window = (now, self._moved)
            elif is_sending:
                self.handle_close()
            else:
                self.time_out()

    def time_out(self) -> None:
        """Answer a request that has stopped arriving with 408; close a connection without one."""
        with self.requests_lock:
            if self.requests:
                return
            if self.request is None:
                self.will_close = True
                return
            self.request.error = RequestTimeout("")
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)

    def _linger(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True
            return
        self._lingers_until = time.monotonic() + LINGER_SECONDS
