"""The signals that stop a service."""

from __future__ import annotations

import signal
from queue import SimpleQueue
from threading import Event, Thread


def stop_event() -> Event:
    """Return an event that SIGTERM and SIGINT set. Call it from the main thread.

    A handler that sets the event itself can deadlock: it interrupts the main thread, which may hold the event's own
    lock at that moment, while it enters or leaves its wait. `SimpleQueue.put` is reentrant.
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
