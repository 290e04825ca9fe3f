"""What processes hold of the machine's memory, and which large libraries they have loaded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from benchmarks.harness.system import System

KINDS = ("rss", "pss", "uss", "anonymous")
"""Resident, what is shared counted whole; what is shared divided by those who share it, for adding up;
what is one process's alone; resident, of no file."""
HEAVY = ("torch", "openvino", "onnxruntime", "scipy", "sklearn", "matplotlib", "pandas", "numba", "tokenizers", "numpy")
"""Libraries whose loading costs tens of megabytes or seconds, by the folder that they are installed in."""
MIB = 2**20


def held(processes: Iterable[psutil.Process]) -> Counter[str]:
    """Return what processes hold in all, in bytes by kind, and under `processes` how many of them are left."""
    total: Counter[str] = Counter()
    for process in processes:
        with suppress(psutil.Error):
            found = process.memory_full_info()
            # A process that has ended and was not waited for holds nothing.
            if found.rss:
                total += Counter(
                    rss=found.rss, pss=found.pss, uss=found.uss, anonymous=found.rss - found.shared, processes=1
                )
    return total


def libraries(processes: Iterable[psutil.Process]) -> set[str]:
    """Return which of the heavy libraries any of the processes has mapped."""
    found: set[str] = set()
    for process in processes:
        with suppress(psutil.Error):
            found |= set(filter(None, (library_of(mapped.path) for mapped in process.memory_maps())))
    return found


def library_of(path: str) -> str | None:
    """Return the heavy library that a mapped file is of."""
    installed = re.search(r"/(?:site|dist)-packages/([A-Za-z0-9_]+?)(?:\.libs)?/", path)
    name = "torch" if re.search(r"/libtorch[A-Za-z_]*\.", path) else installed and installed.group(1)
    return name if name in HEAVY else None


@dataclass
class Watch:
    """The most that each process of a system held while it was watched.

    A service's main process and its children, taken together, are two.

    Attributes:
        most: By process, of each kind on its own: two may be of different moments.
        total: Of all at one moment.
        libraries: That each has loaded.
        looks: How often it was looked.
    """

    most: dict[str, Counter[str]] = field(default_factory=dict)
    total: Counter[str] = field(default_factory=Counter)
    libraries: dict[str, set[str]] = field(default_factory=dict)
    looks: int = 0

    def look(self, running: System) -> None:
        """Look once."""
        total: Counter[str] = Counter()
        for name, processes in running.processes().items():
            for part, own in ((name, processes[:1]), (f"{name}, children", processes[1:])):
                if now := held(own):
                    self.most[part] = self.most.get(part, Counter()) | now
                    self.libraries.setdefault(part, set()).update(libraries(own))
                    total += now
        self.total |= total
        self.looks += 1
