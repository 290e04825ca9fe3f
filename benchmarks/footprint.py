"""What processes hold of the machine's memory, and which large libraries they have loaded; read from /proc."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PROC = Path("/proc")
KINDS = ("rss", "pss", "uss", "anonymous")
HEAVY = ("torch", "openvino", "onnxruntime", "scipy", "sklearn", "matplotlib", "pandas", "numba", "tokenizers", "numpy")
"""Libraries whose loading costs tens of megabytes or seconds, by the folder that they are installed in."""
_INSTALLED = re.compile(r"/(?:site|dist)-packages/([A-Za-z0-9_]+)(?:\.libs)?/")
_TORCH = re.compile(r"/libtorch[A-Za-z_]*\.")
_KIB = 1024


@dataclass
class Footprint:
    """Memory of one process, or of several together, in bytes; what cannot be read is missing.

    Attributes:
        bytes: By kind. `rss`: resident, what is shared counted whole. `pss`: what is shared divided by those who share
            it, so that it can be added up. `uss`: what is this process's alone. `anonymous`: resident, of no file.
        processes: How many.
    """

    bytes: dict[str, int] = field(default_factory=dict)
    processes: int = 1

    def __add__(self, other: Footprint) -> Footprint:
        both = self.bytes.keys() & other.bytes.keys() if self.processes else other.bytes.keys()
        total = {kind: self.bytes.get(kind, 0) + other.bytes[kind] for kind in both}
        return Footprint(total, self.processes + other.processes)


@dataclass
class Highest:
    """The most of each kind over time; each on its own, so that two may be of different moments."""

    bytes: dict[str, int] = field(default_factory=dict)
    processes: int = 0

    def see(self, now: Footprint) -> None:
        """Take one look into account."""
        for kind, value in now.bytes.items():
            self.bytes[kind] = max(value, self.bytes.get(kind, 0))
        self.processes = max(self.processes, now.processes)


def read(pid: int) -> Footprint | None:
    """Return what a process holds; None if it has ended."""
    folder = PROC / str(pid)
    found: dict[str, int] = {}
    with suppress(OSError):
        status = _kibibytes((folder / "status").read_text(encoding="utf-8", errors="replace"))
        found |= {kind: status[name] for kind, name in (("rss", "VmRSS"), ("anonymous", "RssAnon")) if name in status}
    # The kernel lets only the same user look.
    with suppress(OSError):
        rollup = _kibibytes((folder / "smaps_rollup").read_text(encoding="utf-8"))
        if "Pss" in rollup:
            found["pss"] = rollup["Pss"]
            found["uss"] = rollup.get("Private_Clean", 0) + rollup.get("Private_Dirty", 0)
    if "rss" not in found:
        try:
            found["rss"] = int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return None
    # A process that has ended and was not waited for holds nothing.
    return Footprint(found) if found["rss"] else None


def together(pids: Iterable[int]) -> Footprint | None:
    """Return what several processes hold in all; None if none of them is left."""
    total = Footprint({}, 0)
    for pid in pids:
        if (one := read(pid)) is not None:
            total += one
    return total if total.processes else None


def libraries(pids: Iterable[int]) -> set[str]:
    """Return which of the heavy libraries any of the processes has mapped; empty where that cannot be read."""
    found: set[str] = set()
    for pid in pids:
        with suppress(OSError):
            found |= mapped((PROC / str(pid) / "maps").read_text(encoding="utf-8", errors="replace"))
    return found


def mapped(maps: str) -> set[str]:
    """Return which of the heavy libraries are in a /proc/PID/maps."""
    found = {name for name in _INSTALLED.findall(maps) if name in HEAVY}
    return found | {"torch"} if _TORCH.search(maps) else found


def _kibibytes(text: str) -> dict[str, int]:
    """Return the lines such as `VmRSS:   123 kB` in bytes."""
    lines: Mapping[str, str] = dict(re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE))
    return {name: int(value) * _KIB for name, value in lines.items()}
