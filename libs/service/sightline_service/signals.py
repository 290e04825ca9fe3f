"""The signals that stop a service."""

from __future__ import annotations

import signal
from queue import SimpleQueue
from threading import Event, Thread


def stop_event() -> Event:
    """Return an event that SIGTERM and Ctrl-C set. To be called from the main thread.

    A handler that sets the event itself can hang for ever: it interrupts the main thread, which may hold the event's
    own lock at that moment, to begin or to end its wait. `SimpleQueue.put` is made to be called from anywhere.
    """
    event = Event()
    arrived: SimpleQueue[int] = SimpleQueue()

    def wait() -> None:
        arrived.get()
        event.set()

    Thread(target=wait, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _: arrived.put(got))
    return event
