"""Batching across calls: bounded lanes, the more urgent first, and threads that take batches out of them.

Knows nothing of models or of gRPC: a payload goes in, a result comes out.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from sightline_encoder.errors import EncoderError, EncodingFailed, Overloaded

SHORTEST_RETRY_SECONDS = 0.05
LONGEST_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class Lane:
    """A queue of like items.

    Attributes:
        name: Any key that `run` understands.
        rank: Lower goes first.
        capacity: The items admitted at a time, until their batch begins.
        max_batch: Items of one batch.
        max_wait_seconds: A batch that is not full closes when its first item has waited so long. A lone caller does
            not wait: where the last batch held one item, the next closes at once.
        patience_seconds: An item that has waited so long goes before lower ranks, so that they cannot starve it.
    """

    name: Any
    rank: int
    capacity: int
    max_batch: int
    max_wait_seconds: float = 0.0
    patience_seconds: float = 5.0


class Observer(Protocol):
    """Hears what happens, for the metrics. Called with a lock held: quick, and no exceptions."""

    def depth(self, lane: Any, items: int) -> None:
        """So many items are admitted and not begun."""

    def refused(self, lane: Any, items: int) -> None:
        """So many items did not fit."""

    def batch(self, lane: Any, queue_seconds: list[float], forward_seconds: float) -> None:
        """A batch is done: how long each item had waited, and how long the batch took."""


class Silent:
    """An observer that does nothing."""

    def depth(self, lane: Any, items: int) -> None:
        """Nothing."""

    def refused(self, lane: Any, items: int) -> None:
        """Nothing."""

    def batch(self, lane: Any, queue_seconds: list[float], forward_seconds: float) -> None:
        """Nothing."""


class Group:
    """The items of one call, admitted together.

    `future` resolves to a list in the order of the items, each a result or the EncoderError that it failed with,
    once every item has one. It is cancelled by `cancel`, which takes the items out of the queue.
    """

    def __init__(self, batcher: Batcher, state: _State, size: int) -> None:
        self.future: Future[list[Any]] = Future()
        self._batcher = batcher
        self._state = state
        self._results: list[Any] = [None] * size
        self._missing = size
        self._unready = size
        self.cancelled = False

    def ready(self, index: int, payload: Any) -> None:
        """Queue an item: it may now go into a batch."""
        self._batcher._queue(self, index, payload)

    def fail(self, index: int, error: EncoderError) -> None:
        """Settle an item that will not get so far."""
        self._batcher._drop(self, index, error)

    def cancel(self) -> None:
        """Take what has not begun out of the queue; nobody waits for it any more."""
        self._batcher._cancel(self)


@dataclass
class _Item:
    group: Group
    index: int
    payload: Any
    queued_at: float


@dataclass
class _State:
    lane: Lane
    served: list[threading.Condition] = field(default_factory=list)
    """One for each thread that serves the lane, to wake that thread alone."""
    items: deque[_Item] = field(default_factory=deque)
    admitted: int = 0
    last_batch: int = 0
    seconds_per_item: float = 0.01


class Batcher:
    """Lanes and the threads that serve them.

    Args:
        lanes: With distinct names.
        run: Takes a lane's name and its payloads; returns one result each. May raise: then the payloads are tried
            one by one, so that one bad item fails alone.
        workers: For each thread the names of the lanes that it serves. A thread that serves urgent lanes only keeps
            these from waiting for a long batch that has begun.
        observer: Hears what happens.
        prepare: Called in each thread before its first batch, with the names of its lanes.
    """

    def __init__(
        self,
        lanes: Sequence[Lane],
        run: Callable[[Any, list[Any]], Sequence[Any]],
        workers: Sequence[Collection[Any]],
        observer: Observer | None = None,
        prepare: Callable[[Collection[Any]], None] | None = None,
    ) -> None:
        self._prepare = prepare
        self._states = {lane.name: _State(lane) for lane in lanes}
        self._run = run
        self._observer = observer or Silent()
        self._lock = threading.Lock()
        self._closing = False
        self._wakes = [threading.Condition(self._lock) for _ in workers]
        self._threads = []
        for number, (names, wake) in enumerate(zip(workers, self._wakes, strict=True)):
            states = self._ordered(names)
            for state in states:
                state.served.append(wake)
            self._threads.append(
                threading.Thread(target=self._work, args=(states, wake), name=f"forward-{number}", daemon=True)
            )
        for thread in self._threads:
            thread.start()

    def admit(self, lane: Any, size: int) -> Group:
        """Reserve room for the items of one call, all or none.

        Raises:
            Overloaded: They do not fit now.
        """
        state = self._states[lane]
        with self._lock:
            if state.admitted + size > state.lane.capacity or self._closing:
                self._observer.refused(lane, size)
                wait = state.admitted * state.seconds_per_item
                raise Overloaded(
                    f"the queue is full: {state.admitted} of {state.lane.capacity} items wait",
                    min(max(wait, SHORTEST_RETRY_SECONDS), LONGEST_RETRY_SECONDS),
                )
            group = Group(self, state, size)
            self._admit(state, size)
        if size == 0:
            group.future.set_result([])
        return group

    def close(self) -> None:
        """Run what is queued, then stop the threads. What is admitted but not ready is left."""
        with self._lock:
            self._closing = True
            for wake in self._wakes:
                wake.notify()
        for thread in self._threads:
            thread.join()

    def _ordered(self, names: Collection[Any]) -> list[_State]:
        return sorted((self._states[name] for name in names), key=lambda state: state.lane.rank)

    def _admit(self, state: _State, change: int) -> None:
        state.admitted += change
        self._observer.depth(state.lane.name, state.admitted)

    def _queue(self, group: Group, index: int, payload: Any) -> None:
        with self._lock:
            if group.cancelled:
                return
            group._unready -= 1
            state = group._state
            state.items.append(_Item(group, index, payload, time.monotonic()))
            # A thread that waits for a batch to fill knows when to look again: it is woken for the first item and for
            # the last. To wake it for each would cost more than a text's own share of a batch.
            if len(state.items) in (1, state.lane.max_batch):
                _wake(state)

    def _drop(self, group: Group, index: int, error: EncoderError) -> None:
        with self._lock:
            if group.cancelled:
                return
            group._unready -= 1
            self._admit(group._state, -1)
        self._settle(group, index, error)

    def _cancel(self, group: Group) -> None:
        state = group._state
        with self._lock:
            if group.cancelled:
                return
            group.cancelled = True
            kept = deque(item for item in state.items if item.group is not group)
            self._admit(state, -(len(state.items) - len(kept)) - group._unready)
            state.items = kept
        group.future.cancel()

    def _settle(self, group: Group, index: int, result: Any) -> None:
        with self._lock:
            group._results[index] = result
            group._missing -= 1
            done = group._missing == 0 and not group.cancelled
        # set_running... turns a late cancel of the future into False instead of an exception here.
        if done and group.future.set_running_or_notify_cancel():
            group.future.set_result(group._results)

    def _work(self, states: list[_State], wake: threading.Condition) -> None:
        if self._prepare is not None:
            self._prepare([state.lane.name for state in states])
        while True:
            taken = self._take(states, wake)
            if taken is None:
                return
            state, items = taken
            self._serve(state, items)

    def _take(self, states: list[_State], wake: threading.Condition) -> tuple[_State, list[_Item]] | None:
        """Wait for a batch to close and return it; None when there will be no more."""
        with self._lock:
            while True:
                now = time.monotonic()
                state = _most_urgent(states, now)
                if state is None:
                    if self._closing:
                        return None
                    wake.wait()
                    continue
                left = self._seconds_to_close(state, now)
                if left <= 0:
                    count = min(len(state.items), state.lane.max_batch)
                    items = [state.items.popleft() for _ in range(count)]
                    state.last_batch = count
                    self._admit(state, -count)
                    if state.items:
                        _wake(state)
                    return state, items
                wake.wait(left)

    def _seconds_to_close(self, state: _State, now: float) -> float:
        if self._closing or len(state.items) >= state.lane.max_batch or state.last_batch <= 1:
            return 0.0
        return state.items[0].queued_at + state.lane.max_wait_seconds - now

    def _serve(self, state: _State, items: list[_Item]) -> None:
        started = time.monotonic()
        results = self._attempt(state.lane.name, [item.payload for item in items])
        seconds = time.monotonic() - started
        with self._lock:
            state.seconds_per_item += 0.2 * (seconds / len(items) - state.seconds_per_item)
            self._observer.batch(state.lane.name, [started - item.queued_at for item in items], seconds)
        for item, result in zip(items, results, strict=True):
            self._settle(item.group, item.index, result)

    def _attempt(self, name: Any, payloads: list[Any]) -> Sequence[Any]:
        try:
            results = self._run(name, payloads)
            if len(results) != len(payloads):
                raise ValueError(f"{len(results)} results for {len(payloads)} items")
            return results
        except EncoderError as error:
            failure = error
        except Exception as error:
            failure = EncodingFailed(f"the forward pass failed ({type(error).__name__}); the encoder's log says more")
            failure.__cause__ = error
        if len(payloads) == 1:
            return [failure]
        return [self._attempt(name, [payload])[0] for payload in payloads]


def _wake(state: _State) -> None:
    """Have every idle thread that serves a lane look at it; called with the lock held."""
    for wake in state.served:
        wake.notify()


def _most_urgent(states: list[_State], now: float) -> _State | None:
    """Return the waiting lane of lowest rank, or one whose first item has waited longer than its patience."""
    waiting = [state for state in states if state.items]
    for state in waiting:
        if now - state.items[0].queued_at > state.lane.patience_seconds:
            return state
    return waiting[0] if waiting else None
