"""File events: the keys of a folder's files that changed, as the kernel reports them."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
import watchfiles

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0


class FileEvents:
    """Puts the keys of changed paths into a queue, from a thread of its own.

    The watch fails on a name that is not UTF-8, when the folder itself is removed, and when the kernel's limit of
    watches is reached. It is restarted after a pause, and `lost` is called, since events may have been missed.
    """

    def __init__(self, root: Path, keys: queue.SimpleQueue[str], lost: Callable[[], None]) -> None:
        self._root = root
        self._keys = keys
        self._lost = lost
        self._stop = threading.Event()
        self.started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread, and wait for it."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        is_logged = False
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._watch()
                reason = "the folder was replaced"
            except Exception as error:
                reason = " ".join(str(error).split())[:200]
            if self._stop.is_set():
                return
            if not is_logged:
                log.warning("file events failed; the scan finds what they miss", reason=reason)
                is_logged = True
            if time.monotonic() - began > LONGEST_PAUSE_SECONDS:
                pause, is_logged = FIRST_PAUSE_SECONDS, False
            self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._lost()

    def _watch(self) -> None:
        """Report changes until the root is removed or replaced by another folder."""
        root = str(self._root)
        prefix = root.rstrip("/") + "/"
        identity = _identity(root)
        changes = watchfiles.watch(
            root,
            watch_filter=None,
            debounce=400,
            step=50,
            rust_timeout=300,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
            force_polling=False,
            ignore_permission_denied=True,
        )
        for batch in changes:
            self.started.set()
            for _, path in batch:
                if path.startswith(prefix):
                    self._keys.put(path[len(prefix) :])
            if _identity(root) != identity:
                return


def _identity(root: str) -> tuple[int, int]:
    status = os.stat(root)
    return status.st_dev, status.st_ino
