"""How many requests are in hand at once, besides those that only listen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any

from werkzeug.wsgi import ClosingIterator

STREAMS = "/events"
"""What ends so is a stream; it keeps its thread for minutes and is counted by `Streams`."""
WsgiApp = Callable[..., Iterable[bytes]]


class Turns:
    """A WSGI application of which at most so many requests run at once; the others wait.

    The server has a thread for each of them and one for each stream, so that streams take none from searches, and
    where there are no streams there are not more searches at once than the encoder is prepared for.
    """

    def __init__(self, app: WsgiApp, most: int) -> None:
        self._app = app
        self._turns = BoundedSemaphore(most)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request when its turn comes; the turn lasts until the answer is sent."""
        if environ.get("PATH_INFO", "").endswith(STREAMS):
            return self._app(environ, start_response)
        self._turns.acquire()
        try:
            return ClosingIterator(self._app(environ, start_response), self._turns.release)
        except BaseException:
            self._turns.release()
            raise
