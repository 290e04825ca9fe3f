"""Whether the client of a request still waits for its answer."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any


def client_is_gone(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """Return what says whether the client of a request has closed its connection.

    waitress says it only of connections that it reads while a request is answered, which it does not here. Without
    waitress nobody knows.
    """
    channel = getattr(environ.get("waitress.client_disconnected"), "__self__", None)

    def is_gone() -> bool:
        connection = getattr(channel, "socket", None)
        if connection is None:
            return False
        try:
            return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"")
        except BlockingIOError:
            return False
        except OSError:
            return True

    return is_gone
