"""Tries ports, sockets and files as whoever runs it: JSON of [kind, place] from stdin, and those it reached to stdout.

Run by `exposure.py` as a program of its own, by any Python, with nothing of this package.
"""

from __future__ import annotations

import json
import os
import socket
import sys

SECONDS = 10


def reaches(kind: str, place: str) -> bool:
    """Return whether a port takes a connection, or a file can be read, written or listed."""
    if kind == "tcp":
        host, _, port = place.rpartition(":")
        return connects(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, (host, int(port)))
    if kind == "unix":
        address = "\0" + place[1:] if place.startswith("@") else place
        kinds = (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM)
        return any(connects(socket.AF_UNIX, each, address) for each in kinds)
    if kind == "file":
        return opens(place)
    # Nothing keeps a datagram from another user.
    return True


def connects(family: int, kind: int, address: tuple[str, int] | str) -> bool:
    """Return whether a connection is taken."""
    with socket.socket(family, kind) as client:
        client.settimeout(SECONDS)
        try:
            client.connect(address)
        except OSError:
            return False
        return True


def opens(path: str) -> bool:
    """Return whether a folder can be listed, or a file read or written."""
    try:
        if os.path.isdir(path):
            os.listdir(path)
        else:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return os.access(path, os.W_OK)
    return True


if __name__ == "__main__":
    json.dump([door for door in json.load(sys.stdin) if reaches(*door)], sys.stdout)
