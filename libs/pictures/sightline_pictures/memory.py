"""The memory that opening a picture may take, and what a process that only decodes is held to."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BYTES_PER_PIXEL = 16
"""What decoding takes at most, in any format; 8-bit PNG and baseline JPEG take four."""
SPARE_BYTES = 100_000_000
"""What it takes besides, for the file itself among others."""
_LIBRARY_BYTES = 64_000_000
"""Address space that decoders' threads reserve and do not use."""
_WORKING_BYTES = 12_000_000
"""What bands, filters and the answer take."""

_base: int | None = None


@contextmanager
def confined() -> Iterator[None]:
    """Hold this process meanwhile to the memory that it has and SPARE_BYTES; `allow` adds what a picture may take.

    What needs more fails with MemoryError. On Linux; on other systems this does nothing.
    """
    global _base
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        _base = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    allow(0)
    try:
        yield
    finally:
        _base = None
        resource.setrlimit(resource.RLIMIT_AS, before)


def allow(pixels: int) -> None:
    """Let a confined process decode a picture of so many pixels; other processes are not held to anything."""
    if _base is not None:
        limit = _base + SPARE_BYTES + _LIBRARY_BYTES + BYTES_PER_PIXEL * pixels
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def room_for_copies(file_bytes: int) -> int:
    """Return how many bytes copies of a decoded picture may take, beside a file of that size."""
    return max(SPARE_BYTES - file_bytes - _WORKING_BYTES, _WORKING_BYTES)
