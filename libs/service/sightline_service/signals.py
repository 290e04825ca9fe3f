"""The signals that stop a service."""

from __future__ import annotations

import os
import signal
from threading import Event, Thread

_STOPPING = (signal.SIGTERM, signal.SIGINT)


def stop_event() -> Event:
    """Return an event that SIGTERM and SIGINT set. Call it from the main thread.

    A handler in Python would not do: it runs only when the main thread executes Python. One that sets the event can
    deadlock on the event's own lock, and a signal that arrives just before the main thread blocks waits for it to wake
    up, which may be never. What the interpreter writes to the wakeup descriptor is written as the signal arrives.
    """
    event = Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        while True:
            if os.read(reader, 1)[0] in _STOPPING:
                event.set()

    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _STOPPING:
        signal.signal(number, lambda *_: None)
    Thread(target=watch, name="signals", daemon=True).start()
    return event
