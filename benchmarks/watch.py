"""What the processes of a running system held while they were watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks import footprint
from benchmarks.footprint import Footprint, Highest
from benchmarks.system import System

SAMPLE_SECONDS = 0.2


@dataclass
class Watch:
    """The most that each process held while it was watched.

    A service's main process and its children, taken together, are two.

    Attributes:
        highest: By process.
        total: Of all at one moment.
        libraries: That each has loaded.
        looks: How often it was looked.
    """

    highest: dict[str, Highest] = field(default_factory=dict)
    total: Highest = field(default_factory=Highest)
    libraries: dict[str, set[str]] = field(default_factory=dict)
    looks: int = 0

    def look(self, running: System) -> None:
        """Look once."""
        total = Footprint({}, 0)
        for name, processes in running.processes().items():
            pids = [process.pid for process in processes]
            for part, own in ((name, pids[:1]), (f"{name}, children", pids[1:])):
                now = footprint.together(own)
                if now is not None:
                    self.highest.setdefault(part, Highest()).see(now)
                    self.libraries.setdefault(part, set()).update(footprint.libraries(own))
                    total += now
        self.total.see(total)
        self.looks += 1

    @contextmanager
    def watching(self, running: System) -> Iterator[None]:
        """Look all the time while the block runs."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(SAMPLE_SECONDS):
                self.look(running)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
