"""Batching across calls: bounded queues with priorities, and threads that run batches of their items.

Knows nothing of models or of gRPC: payloads in, results out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sightline.encoder.errors import ItemError, Overloaded

INTERACTIVE_WAIT_SECONDS, BULK_WAIT_SECONDS = 0.002, 0.010
"""How long a batch that is not full waits for more items: `QueueSpec.max_wait_seconds` of the encoder's queues."""
SHORTEST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 5.0

Key = TypeVar("Key", bound=Hashable)
Payload = TypeVar("Payload")
Result = TypeVar("Result")


@dataclass(frozen=True)
class QueueSpec(Generic[Key]):
    """The settings of a bounded queue, and of the batches that are made of its items.

    Attributes:
        key: Identifies the queue; passed to `run`.
        priority: Lower goes first.
        capacity: Items that may be admitted whose batch has not begun.
        max_batch: Items of one batch at most.
        max_wait_seconds: A batch that is not full closes when its first item has waited so long. A lone caller does
            not wait: where the last batch held one item, the next closes at once.
        max_starvation_seconds: An item that has waited so long goes before more urgent queues.
    """

    key: Key
    priority: int
    capacity: int
    max_batch: int
    max_wait_seconds: float = 0.0
    max_starvation_seconds: float = 5.0


class Observer(Generic[Key]):
    """Receives a batcher's events, with a lock held: it has to be quick and raise nothing. This one ignores them."""

    def depth(self, queue: Key, items: int) -> None:
        """The number of admitted items whose batch has not begun is now `items`."""

    def refused(self, queue: Key, items: int) -> None:
        """`items` items were refused, for lack of room."""

    def batch(self, queue: Key, queue_seconds: list[float], forward_seconds: float) -> None:
        """A batch has run: how long each item had waited, and how long the batch took."""


class PendingCall(Generic[Key, Payload, Result]):
    """The items of one call, admitted together.

    `future` resolves once every item has a result or an ItemError, to the list of them in the order of the items.
    `cancel` cancels it, and removes the items from the queue.
    """

    def __init__(self, batcher: Batcher[Key, Payload, Result], queue: _Queue[Key, Payload, Result], size: int) -> None:
        self.future: Future[list[Result | ItemError]] = Future()
        self.cancelled = False
        self._batcher = batcher
        self._queue = queue
        self._size = size
        self._results: dict[int, Result | ItemError] = {}
        self._not_queued = size

    def submit(self, index: int, payload: Payload) -> None:
        """Queue an item, ready for a batch."""
        self._batcher._submit(self, index, payload)

    def fail(self, index: int, error: ItemError) -> None:
        """Give an item that cannot be queued its error as its result."""
        self._batcher._fail(self, index, error)

    def cancel(self) -> None:
        """Cancel the call: remove its items that no batch has begun from the queue."""
        self._batcher._cancel(self)


@dataclass
class _Item(Generic[Key, Payload, Result]):
    call: PendingCall[Key, Payload, Result]
    index: int
    payload: Payload
    queued_at: float


@dataclass
class _Queue(Generic[Key, Payload, Result]):
    spec: QueueSpec[Key]
    wakeups: list[threading.Condition] = field(default_factory=list)
    """One for each thread that serves the queue, to wake that thread alone."""
    items: deque[_Item[Key, Payload, Result]] = field(default_factory=deque)
    admitted: int = 0
    last_batch: int = 0
    seconds_per_item: float = 0.01

    def wake(self) -> None:
        """Wake every idle thread that serves the queue; called with the lock held."""
        for wakeup in self.wakeups:
            wakeup.notify()

    def is_starved(self, now: float) -> bool:
        return bool(self.items) and now - self.items[0].queued_at > self.spec.max_starvation_seconds

    def seconds_to_close(self, now: float) -> float:
        """Return how long the next batch waits for more items; the queue is not empty."""
        if len(self.items) >= self.spec.max_batch or self.last_batch <= 1:
            return 0.0
        return self.items[0].queued_at + self.spec.max_wait_seconds - now


class Batcher(Generic[Key, Payload, Result]):
    """Queues and the threads that serve them.

    Args:
        queues: With distinct keys.
        run: Takes a queue's key and payloads; returns one result each. If it raises, the payloads are tried one by
            one, so that one bad item fails alone.
        threads: For each thread the keys of the queues that it serves. With a thread of their own, urgent queues do not
            wait for a long batch that has begun.
        observer: Receives the events.
        on_thread_start: Called in each thread before its first batch, with the keys of its queues.
    """

    def __init__(
        self,
        queues: Sequence[QueueSpec[Key]],
        run: Callable[[Key, list[Payload]], Sequence[Result | ItemError]],
        threads: Sequence[Collection[Key]],
        observer: Observer[Key] | None = None,
        on_thread_start: Callable[[Collection[Key]], None] | None = None,
    ) -> None:
        self._on_thread_start = on_thread_start
        self._queues = {spec.key: _Queue[Key, Payload, Result](spec) for spec in queues}
        self._run = run
        self._observer = observer or Observer()
        self._lock = threading.Lock()
        self._closing = False
        self._wakeups = [threading.Condition(self._lock) for _ in threads]
        self._threads = []
        for number, (keys, wakeup) in enumerate(zip(threads, self._wakeups, strict=True)):
            served = sorted((self._queues[key] for key in keys), key=lambda queue: queue.spec.priority)
            for queue in served:
                queue.wakeups.append(wakeup)
            self._threads.append(
                threading.Thread(target=self._work, args=(served, wakeup), name=f"forward-{number}", daemon=True)
            )
        for thread in self._threads:
            thread.start()

    def admit(self, key: Key, size: int) -> PendingCall[Key, Payload, Result]:
        """Reserve room for the items of one call, all or none.

        Raises:
            Overloaded: They do not fit now.
        """
        queue = self._queues[key]
        with self._lock:
            if queue.admitted + size > queue.spec.capacity or self._closing:
                self._observer.refused(key, size)
                wait = queue.admitted * queue.seconds_per_item
                raise Overloaded(
                    f"the queue is full: {queue.admitted} of {queue.spec.capacity} items wait",
                    min(max(wait, SHORTEST_RETRY_SECONDS), LONGEST_RETRY_SECONDS),
                )
            call = PendingCall(self, queue, size)
            self._count(queue, size)
        if size == 0:
            call.future.set_result([])
        return call

    def close(self) -> None:
        """Run what is queued, then stop the threads. Items that are admitted but not queued get no result."""
        with self._lock:
            self._closing = True
            for wakeup in self._wakeups:
                wakeup.notify()
        for thread in self._threads:
            thread.join()

    def _count(self, queue: _Queue[Key, Payload, Result], change: int) -> None:
        queue.admitted += change
        self._observer.depth(queue.spec.key, queue.admitted)

    def _submit(self, call: PendingCall[Key, Payload, Result], index: int, payload: Payload) -> None:
        queue = call._queue
        with self._lock:
            if call.cancelled:
                return
            call._not_queued -= 1
            queue.items.append(_Item(call, index, payload, time.monotonic()))
            # A thread that waits for a batch to fill wakes by itself when the batch closes: it is notified of the first
            # item and the last. To notify it of each would cost more than a text's own share of a batch.
            if len(queue.items) in (1, queue.spec.max_batch):
                queue.wake()

    def _fail(self, call: PendingCall[Key, Payload, Result], index: int, error: ItemError) -> None:
        with self._lock:
            if call.cancelled:
                return
            call._not_queued -= 1
            self._count(call._queue, -1)
        self._settle(call, index, error)

    def _cancel(self, call: PendingCall[Key, Payload, Result]) -> None:
        queue = call._queue
        with self._lock:
            if call.cancelled:
                return
            call.cancelled = True
            kept = deque(item for item in queue.items if item.call is not call)
            self._count(queue, -(len(queue.items) - len(kept)) - call._not_queued)
            queue.items = kept
        call.future.cancel()

    def _settle(self, call: PendingCall[Key, Payload, Result], index: int, result: Result | ItemError) -> None:
        with self._lock:
            call._results[index] = result
            done = len(call._results) == call._size and not call.cancelled
        # set_running_or_notify_cancel returns False for a future cancelled meanwhile, where set_result would raise.
        if done and call.future.set_running_or_notify_cancel():
            call.future.set_result([call._results[index] for index in range(call._size)])

    def _work(self, queues: list[_Queue[Key, Payload, Result]], wakeup: threading.Condition) -> None:
        if self._on_thread_start is not None:
            self._on_thread_start([queue.spec.key for queue in queues])
        while (taken := self._next_batch(queues, wakeup)) is not None:
            self._run_batch(*taken)

    def _next_batch(
        self, queues: list[_Queue[Key, Payload, Result]], wakeup: threading.Condition
    ) -> tuple[_Queue[Key, Payload, Result], list[_Item[Key, Payload, Result]]] | None:
        """Wait for a batch to close and return it; None when there will be no more."""
        with self._lock:
            while True:
                now = time.monotonic()
                queue = _most_urgent(queues, now)
                if queue is None:
                    if self._closing:
                        return None
                    wakeup.wait()
                    continue
                left = 0.0 if self._closing else queue.seconds_to_close(now)
                if left > 0:
                    wakeup.wait(left)
                    continue
                count = min(len(queue.items), queue.spec.max_batch)
                items = [queue.items.popleft() for _ in range(count)]
                queue.last_batch = count
                self._count(queue, -count)
                if queue.items:
                    queue.wake()
                return queue, items

    def _run_batch(self, queue: _Queue[Key, Payload, Result], items: list[_Item[Key, Payload, Result]]) -> None:
        key = queue.spec.key
        started = time.monotonic()
        results = self._results(key, [item.payload for item in items])
        seconds = time.monotonic() - started
        with self._lock:
            queue.seconds_per_item += 0.2 * (seconds / len(items) - queue.seconds_per_item)
            self._observer.batch(key, [started - item.queued_at for item in items], seconds)
        for item, result in zip(items, results, strict=True):
            self._settle(item.call, item.index, result)

    def _results(self, key: Key, payloads: list[Payload]) -> Sequence[Result | ItemError]:
        try:
            results = self._run(key, payloads)
            if len(results) != len(payloads):
                raise ValueError(f"{len(results)} results for {len(payloads)} items")
            return results
        except Exception as error:
            if len(payloads) == 1:
                kind = type(error).__name__
                failure = ItemError(f"the forward pass failed ({kind}); the encoder's log says more")
                failure.__cause__ = error
                return [failure]
        return [self._results(key, [payload])[0] for payload in payloads]


def _most_urgent(queues: list[_Queue[Key, Payload, Result]], now: float) -> _Queue[Key, Payload, Result] | None:
    """Return a starved queue, else the first with items; `queues` are in order of priority. None if all are empty."""
    starved = (queue for queue in queues if queue.is_starved(now))
    return next(starved, None) or next((queue for queue in queues if queue.items), None)
