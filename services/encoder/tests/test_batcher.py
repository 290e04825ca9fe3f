"""The batcher alone: order, bounds, priority, cancellation, refusal."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightline.encoder.errors import InvalidItem, ItemError, Overloaded
from sightline_encoder.batcher import Batcher, Observer, QueueSpec
from waiting import wait_for

DEADLINE = 10


class Runner:
    """Doubles numbers, notes the batches, and holds them while its gate is closed."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.batches = []
        self.begun = threading.Semaphore(0)

    def __call__(self, key, payloads):
        gate = self.gate
        self.batches.append((key, list(payloads)))
        self.begun.release()
        assert gate.wait(DEADLINE)
        for payload in payloads:
            if payload == "bad":
                raise ValueError("bad payload")
        return [2 * payload for payload in payloads]


class Notes(Observer):
    def __init__(self):
        self.depths, self.refusals, self.batches = [], [], []

    def depth(self, key, items):
        self.depths.append((key, items))

    def refused(self, key, items):
        self.refusals.append((key, items))

    def batch(self, key, queue_seconds, forward_seconds):
        self.batches.append((key, queue_seconds, forward_seconds))


def queue(key, priority=0, **changes):
    return QueueSpec(**{"key": key, "priority": priority, "capacity": 100, "max_batch": 8, **changes})


@contextmanager
def running(queues, runner, threads=None, observer=None):
    batcher = Batcher(queues, runner, threads or [[spec.key for spec in queues]], observer)
    try:
        yield batcher
    finally:
        runner.gate.set()
        batcher.close()


def put(batcher, key, payloads):
    call = batcher.admit(key, len(payloads))
    for index, payload in enumerate(payloads):
        call.submit(index, payload)
    return call


def hold(batcher, runner, key, payload=0):
    """Keep the worker busy with one item, so that what comes next queues up."""
    runner.gate.clear()
    call = put(batcher, key, [payload])
    assert runner.begun.acquire(timeout=DEADLINE)
    return call


@given(calls=st.lists(st.lists(st.integers(), max_size=20), max_size=15), size=st.integers(1, 7), data=st.data())
@settings(max_examples=40)
def test_every_call_gets_its_own_results_in_order(calls, size, data):
    runner = Runner()
    with running(
        [queue("a", max_batch=size, capacity=1000), queue("b", 1, max_batch=size, capacity=1000)], runner
    ) as b:
        pending = []
        for payloads in calls:
            call = b.admit(data.draw(st.sampled_from("ab")), len(payloads))
            # Items become ready in any order, as decoded pictures do.
            for index in data.draw(st.permutations(range(len(payloads)))):
                call.submit(index, payloads[index])
            pending.append(call)
        for payloads, call in zip(calls, pending, strict=True):
            assert call.future.result(DEADLINE) == [2 * payload for payload in payloads]
    assert all(len(payloads) <= size for _, payloads in runner.batches)
    assert sum(len(payloads) for _, payloads in runner.batches) == sum(map(len, calls))


def test_calls_that_come_together_share_a_batch():
    runner = Runner()
    with running([queue("a", max_batch=4)], runner) as batcher:
        hold(batcher, runner, "a")
        pending = [put(batcher, "a", [number]) for number in (1, 2, 3, 4, 5)]
        runner.gate.set()
        assert [call.future.result(DEADLINE) for call in pending] == [[2], [4], [6], [8], [10]]
    assert [payloads for _, payloads in runner.batches] == [[0], [1, 2, 3, 4], [5]]


def test_a_batch_closes_when_its_first_item_has_waited_long_enough():
    runner = Runner()
    with running([queue("a", max_batch=50, max_wait_seconds=0.05)], runner) as batcher:
        hold(batcher, runner, "a")
        both = put(batcher, "a", [1, 2])
        runner.gate.set()
        both.future.result(DEADLINE)
        # The last batch had two items, so that this one waits for more: shorter than for ever.
        assert put(batcher, "a", [3]).future.result(DEADLINE) == [6]
    assert [payloads for _, payloads in runner.batches] == [[0], [1, 2], [3]]


def test_a_lone_caller_does_not_wait():
    runner = Runner()
    with running([queue("a", max_batch=50, max_wait_seconds=3600)], runner) as batcher:
        for number in range(3):
            assert put(batcher, "a", [number]).future.result(DEADLINE) == [2 * number]


def test_lower_priorities_go_first():
    runner = Runner()
    queues = [queue("bulk images", 3), queue("texts", 0), queue("images", 1), queue("bulk texts", 2)]
    with running(queues, runner) as batcher:
        hold(batcher, runner, "images")
        pending = [put(batcher, name, [1]) for name in ("bulk images", "bulk texts", "images", "texts")]
        runner.gate.set()
        for call in pending:
            call.future.result(DEADLINE)
    assert [name for name, _ in runner.batches[1:]] == ["texts", "images", "bulk texts", "bulk images"]


def test_what_starves_goes_first():
    runner = Runner()
    with running([queue("urgent", 0, max_batch=1), queue("bulk", 1, max_starvation_seconds=0.0)], runner) as batcher:
        hold(batcher, runner, "urgent")
        pending = [put(batcher, "urgent", [1]), put(batcher, "urgent", [2]), put(batcher, "bulk", [3])]
        runner.gate.set()
        for call in pending:
            call.future.result(DEADLINE)
    assert [name for name, _ in runner.batches[1:]] == ["bulk", "urgent", "urgent"]


def test_a_thread_for_urgent_queues_passes_a_long_batch():
    runner = Runner()
    with running([queue("texts", 0), queue("images", 1)], runner, [["texts", "images"], ["texts"]]) as batcher:
        gate = runner.gate
        images = hold(batcher, runner, "images")
        # The old gate holds the images' batch; the text's batch meets a new one that is open.
        runner.gate = threading.Event()
        runner.gate.set()
        assert put(batcher, "texts", [1]).future.result(DEADLINE) == [2]
        assert not images.future.done()
        gate.set()
        images.future.result(DEADLINE)


def test_a_full_queue_refuses_whole_calls_at_once_and_says_when_to_come_again():
    runner, notes = Runner(), Notes()
    with running([queue("a", capacity=3), queue("b", 1)], runner, observer=notes) as batcher:
        hold(batcher, runner, "a")
        waiting = put(batcher, "a", [1, 2])
        with pytest.raises(Overloaded) as refusal:
            batcher.admit("a", 2)
        assert 0 < refusal.value.retry_after_seconds <= 5
        assert "2 of 3" in refusal.value.message
        put(batcher, "b", [5])
        put(batcher, "a", [3])
        with pytest.raises(Overloaded):
            batcher.admit("a", 1)
        runner.gate.set()
        assert waiting.future.result(DEADLINE) == [2, 4]
        wait_for(lambda: notes.depths[-1][1] == 0)
        assert put(batcher, "a", [1, 2, 3]).future.result(DEADLINE) == [2, 4, 6]
    assert notes.refusals == [("a", 2), ("a", 1)]


def test_a_cancelled_call_leaves_the_queue():
    runner, notes = Runner(), Notes()
    with running([queue("a", capacity=4, max_batch=1)], runner, observer=notes) as batcher:
        hold(batcher, runner, "a")
        doomed = batcher.admit("a", 3)
        doomed.submit(0, "never run")
        kept = put(batcher, "a", [7])
        doomed.cancel()
        doomed.cancel()
        assert notes.depths[-1] == ("a", 1)
        # What was being decoded when the call was cancelled is dropped as it arrives.
        doomed.submit(1, "never run")
        doomed.fail(2, InvalidItem("late"))
        assert notes.depths[-1] == ("a", 1)
        runner.gate.set()
        assert kept.future.result(DEADLINE) == [14]
        with pytest.raises(CancelledError):
            doomed.future.result(DEADLINE)
    assert ("a", ["never run"]) not in runner.batches


def test_cancelling_while_the_batch_runs_harms_nobody():
    runner = Runner()
    with running([queue("a", max_batch=2)], runner) as batcher:
        hold(batcher, runner, "a")
        doomed, kept = put(batcher, "a", [1]), put(batcher, "a", [2])
        first, runner.gate = runner.gate, threading.Event()
        first.set()
        assert runner.begun.acquire(timeout=DEADLINE)
        doomed.cancel()
        runner.gate.set()
        assert kept.future.result(DEADLINE) == [4]
    assert runner.batches[-1] == ("a", [1, 2])


def test_one_bad_item_fails_alone():
    runner = Runner()
    with running([queue("a")], runner) as batcher:
        hold(batcher, runner, "a")
        mixed, other = put(batcher, "a", [1, "bad", 3]), put(batcher, "a", [4])
        runner.gate.set()
        first, bad, third = mixed.future.result(DEADLINE)
        assert (first, third) == (2, 6)
        assert isinstance(bad, ItemError)
        assert "ValueError" in bad.message
        assert other.future.result(DEADLINE) == [8]


def test_a_run_that_loses_results_is_tried_item_by_item():
    runner, losing = Runner(), []

    def lose(name, payloads):
        losing.append(len(payloads))
        return runner(name, payloads)[:1]

    batcher = Batcher([queue("a")], lose, [["a"]])
    hold(batcher, runner, "a")
    call = put(batcher, "a", [1, 2])
    runner.gate.set()
    assert call.future.result(DEADLINE) == [2, 4]
    assert losing == [1, 2, 1, 1]
    batcher.close()


def test_an_item_that_fails_before_its_batch_keeps_its_place():
    runner = Runner()
    with running([queue("a")], runner) as batcher:
        call = batcher.admit("a", 3)
        call.submit(2, 3)
        call.fail(1, InvalidItem("not an image"))
        call.submit(0, 1)
        first, broken, third = call.future.result(DEADLINE)
    assert (first, third) == (2, 6)
    assert isinstance(broken, InvalidItem)
    assert broken.message == "not an image"


def test_a_closed_batcher_finishes_its_queue_and_refuses_more():
    runner = Runner()
    with running([queue("a", max_batch=1)], runner) as batcher:
        hold(batcher, runner, "a")
        queued = put(batcher, "a", [1, 2])
        closing = threading.Thread(target=batcher.close)
        closing.start()
        runner.gate.set()
        closing.join(DEADLINE)
        assert queued.future.result(0) == [2, 4]
        with pytest.raises(Overloaded):
            batcher.admit("a", 1)


def test_a_batch_that_fills_up_does_not_wait_out_its_time():
    runner = Runner()
    with running([queue("a", max_batch=3, max_wait_seconds=3600)], runner) as batcher:
        hold(batcher, runner, "a")
        first = put(batcher, "a", [1, 2])
        runner.gate.set()
        # The batch before held one item, so that this one goes off at once; from then on a batch waits for company.
        assert first.future.result(DEADLINE) == [2, 4]
        waiting = [put(batcher, "a", [number]) for number in (3, 4)]
        waiting.append(put(batcher, "a", [5]))
        assert [call.future.result(DEADLINE) for call in waiting] == [[6], [8], [10]]
    assert [payloads for _, payloads in runner.batches] == [[0], [1, 2], [3, 4, 5]]


def test_what_a_batch_leaves_goes_to_another_thread():
    runner = Runner()
    with running([queue("a", max_batch=2), queue("b", 1)], runner, [["a", "b"], ["a"]]) as batcher:
        busy = hold(batcher, runner, "b")
        call = put(batcher, "a", [1, 2, 3, 4, 5])
        assert runner.begun.acquire(timeout=DEADLINE)
        runner.gate.set()
        assert call.future.result(DEADLINE) == [2, 4, 6, 8, 10]
        busy.future.result(DEADLINE)
