"""Reads requests: waitress's parser, made strict, and told once the headers are there whether to take the body."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest
from werkzeug.exceptions import RequestEntityTooLarge

from sightline_search_gateway.access.origins import host_name
from sightline_search_gateway.http.problems import no_room

if TYPE_CHECKING:
    from sightline_search_gateway.connection import Channel

MAX_HEADER_BYTES = 32 * 1024
SMALL_BODY = 64 * 1024
"""Bytes; a body of so many waits for no room: it is in memory, and there are only so many connections."""
CODINGS = re.compile(rb"^transfer-encoding[ \t]*:(.*)$", re.IGNORECASE | re.MULTILINE)


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses what waitress's own lets pass, or fails at.

    Attributes:
        refusal: The error that the application answers with, since the body was not taken.
    """

    def __init__(self, adjustments: Adjustments, channel: Channel) -> None:
        super().__init__(adjustments)
        self.refusal: Exception | None = None
        self._channel = channel
        self._limit = 0
        self._taken = 0

    def received(self, data: bytes) -> int:
        """Take data of a request; return how many bytes of it belong to the request."""
        try:
            consumed: int = super().received(data)
        except OSError:
            # The folder of temporary files is full.
            self._refuse(no_room())
            return len(data)
        body = self.body_rcv
        if isinstance(body, ChunkedReceiver):
            # Else it would grow to the size of the largest body, each time copied as a whole.
            if len(body.control_line) + len(body.trailer) > MAX_HEADER_BYTES:
                self.error = BadRequest("A chunk's size or the trailer is too long")
                self.completed = True
            elif len(body) > self._limit:
                self._refuse(RequestEntityTooLarge())
            elif not self._has_room(len(body)):
                self._refuse(no_room())
        if self.error is not None:
            # Else the channel would ask for the body of what is refused.
            self.expect_continue = False
            self._channel.discards = True
        if self.completed and not self.empty:
            self._channel.completed += 1
        return len(data) if self.refusal is not None else consumed

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the first line and the headers, and decide about the body.

        Raises:
            ParsingError: They cannot be read.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # Of a number of thousands of digits, or of an address with half a bracket.
            raise ParsingError("The address or Content-Length is invalid") from error
        self._check_framing(header_plus)
        if self.proxy_netloc:
            # It is what counts where the address has it, too.
            self.headers["HOST"] = self.proxy_netloc
        host = self.headers.get("HOST")
        if host is None and self.version == "1.1":
            raise ParsingError("HTTP/1.1 needs a Host header")
        # Two of them arrive here as one, with a comma in between.
        if host is not None and not host_name(host):
            raise ParsingError("The Host header is no name, or there are several")
        if self.body_rcv is not None:
            self._admit()

    def close(self) -> None:
        """Free what the body takes."""
        super().close()
        self._channel.budget.give_back(self._taken)
        self._taken = 0

    def _check_framing(self, header_plus: bytes) -> None:
        """Refuse what another server on the way could read as ending elsewhere."""
        codings = CODINGS.findall(header_plus)
        if not codings:
            return
        if self.version != "1.1" or "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Transfer-Encoding goes with HTTP/1.1, and not with Content-Length")
        if [coding.strip().lower() for coding in codings] != [b"chunked"]:
            raise ParsingError("Transfer-Encoding is given more than once")

    def _admit(self) -> None:
        environ = dict(self._channel.environment_of(self))
        if self.chunked:
            # How long it will be is not known; a body is there.
            environ["CONTENT_LENGTH"] = "1"
        decision = self._channel.server.admit(environ)
        if isinstance(decision, Exception):
            self._refuse(decision)
            return
        self._limit = decision
        if not self._has_room(self.content_length):
            self._refuse(no_room())

    def _has_room(self, size: int) -> bool:
        """Take the room for a body of so many bytes; return whether there is enough."""
        more = size - self._taken
        if size <= SMALL_BODY or more <= 0:
            return True
        if not self._channel.budget.take(more):
            return False
        self._taken = size
        return True

    def _refuse(self, error: Exception) -> None:
        """Have a request answered with an error, without its body."""
        self.close()
        self.refusal = error
        self.body_rcv = None
        self.content_length = 0
        self.headers.pop("CONTENT_LENGTH", None)
        # What comes of the body yet would be taken for the next request.
        self.headers["CONNECTION"] = "close"
        self.connection_close = True
        self.expect_continue = False
        self.completed = True
        self._channel.discards = True
