"""The journal of the writes during an index build, to be replayed onto the new shard."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from sightline_qdrant_edge.updates import WRITES, Write

_HEADER = struct.Struct("<B?I")


class WriteJournal:
    """A file of writes in the order in which they were applied.

    It need not survive a crash: the old shard has every write, and stays valid until the new one is complete.
    One thread appends at a time (the collection's write lock), one reads.
    """

    def __init__(self, path: Path) -> None:
        """Open a new file."""
        self._path = path
        self._file = path.open("wb")
        self._reader = path.open("rb")
        self.written = 0
        self.replayed = 0

    def append(self, request: Write, failed: bool) -> None:
        """Append a write, and whether the engine refused it (it may have applied a part).

        Raises:
            OSError: The disk is full.
        """
        body = request.SerializeToString()
        self._file.write(_HEADER.pack(WRITES.index(type(request)), failed, len(body)) + body)
        self._file.flush()
        self.written += 1

    def unreplayed(self) -> Iterator[tuple[Write, bool]]:
        """Yield the writes not yet replayed, up to those in the file now."""
        for _ in range(self.written - self.replayed):
            index, failed, length = _HEADER.unpack(self._reader.read(_HEADER.size))
            request = WRITES[index].FromString(self._reader.read(length))
            self.replayed += 1
            yield request, failed

    def close(self) -> None:
        """Close and remove the file."""
        self._file.close()
        self._reader.close()
        self._path.unlink(missing_ok=True)
