"""The writes that arrive while an index is built, kept to be replayed onto the new shard."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Condition
from typing import Any

from sightline_qdrant_edge.updates import WRITES

_HEADER = struct.Struct("<B?I")
_KINDS = list(WRITES)


class Journal:
    """A file of writes in the order in which they were applied.

    It need not survive a crash: the old shard has had every write, and stays the truth until the new one is whole.
    One thread appends at a time (the collection's write lock), one reads.
    """

    def __init__(self, path: Path) -> None:
        """Open a new file."""
        self._path = path
        self._file = path.open("wb")
        self._reader = path.open("rb")
        self.written = 0
        self.replayed = 0

    def append(self, kind: str, request: Any, failed: bool) -> None:
        """Note one write, and whether the engine refused it (it may have applied a part).

        Raises:
            OSError: The disk is full.
        """
        body = request.SerializeToString()
        self._file.write(_HEADER.pack(_KINDS.index(kind), failed, len(body)) + body)
        self._file.flush()
        self.written += 1

    def rest(self) -> Iterator[tuple[str, Any, bool]]:
        """Yield the writes that were not yet replayed, up to those that are in the file now."""
        for _ in range(self.written - self.replayed):
            index, failed, length = _HEADER.unpack(self._reader.read(_HEADER.size))
            kind = _KINDS[index]
            request = WRITES[kind].FromString(self._reader.read(length))
            self.replayed += 1
            yield kind, request, failed

    def close(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self._reader.close()
        self._path.unlink(missing_ok=True)


class Turnstile:
    """Lets one write through for every two that are replayed, so that the replay catches up with any number of writers.

    It is open until `narrow`, and after `widen` again.
    """

    _REPLAYED_A_WRITE = 2
    _MOST_AHEAD = 2
    _WAIT_SECONDS = 0.5

    def __init__(self) -> None:
        """Open."""
        self._changed = Condition()
        self._narrow = False
        self._replayed = 0

    def narrow(self) -> None:
        """Make writers wait for the replay."""
        with self._changed:
            self._narrow = True
            self._replayed = 0

    def widen(self) -> None:
        """Let everyone through."""
        with self._changed:
            self._narrow = False
            self._changed.notify_all()

    def advance(self) -> None:
        """Count one write that was replayed."""
        with self._changed:
            most = self._REPLAYED_A_WRITE * self._MOST_AHEAD
            self._replayed = min(self._replayed + 1, most)
            if self._replayed >= self._REPLAYED_A_WRITE:
                self._changed.notify()

    def enter(self) -> None:
        """Wait for one's turn, half a second at most."""
        if not self._narrow:
            return
        with self._changed:
            turn = self._changed.wait_for(
                lambda: not self._narrow or self._replayed >= self._REPLAYED_A_WRITE, self._WAIT_SECONDS
            )
            if turn and self._narrow:
                self._replayed -= self._REPLAYED_A_WRITE
