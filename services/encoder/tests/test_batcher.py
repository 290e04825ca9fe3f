"""The batcher alone: order, bounds, priority, cancellation, refusal."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightline_encoder.batcher import Batcher, Lane
from sightline_encoder.errors import EncoderError, EncodingFailed, InvalidItem, Overloaded

DEADLINE = 10


def until(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.001)


class Runner:
    """Doubles numbers, notes the batches, and holds them while its gate is closed."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.batches = []
        self.begun = threading.Semaphore(0)

    def __call__(self, lane, payloads):
        self.batches.append((lane, list(payloads)))
        self.begun.release()
        assert self.gate.wait(DEADLINE)
        for payload in payloads:
            if payload == "bad":
                raise ValueError("bad payload")
        return [2 * payload for payload in payloads]


class Notes:
    def __init__(self):
        self.depths, self.refusals, self.batches = [], [], []

    def depth(self, lane, items):
        self.depths.append((lane, items))

    def refused(self, lane, items):
        self.refusals.append((lane, items))

    def batch(self, lane, queue_seconds, forward_seconds):
        self.batches.append((lane, queue_seconds, forward_seconds))


def lane(name, rank=0, **changes):
    return Lane(**{"name": name, "rank": rank, "capacity": 100, "max_batch": 8, **changes})


@contextmanager
def running(lanes, runner, workers=None, observer=None):
    batcher = Batcher(lanes, runner, workers or [[lane.name for lane in lanes]], observer)
    try:
        yield batcher
    finally:
        runner.gate.set()
        batcher.close()


def put(batcher, lane, payloads):
    group = batcher.admit(lane, len(payloads))
    for index, payload in enumerate(payloads):
        group.ready(index, payload)
    return group


def hold(batcher, runner, lane, payload=0):
    """Keep the worker busy with one item, so that what comes next queues up."""
    runner.gate.clear()
    group = put(batcher, lane, [payload])
    assert runner.begun.acquire(timeout=DEADLINE)
    return group


@given(calls=st.lists(st.lists(st.integers(), max_size=20), max_size=15), size=st.integers(1, 7), data=st.data())
@settings(max_examples=40, deadline=None)
def test_every_call_gets_its_own_results_in_order(calls, size, data):
    runner = Runner()
    with running([lane("a", max_batch=size, capacity=1000), lane("b", 1, max_batch=size, capacity=1000)], runner) as b:
        groups = []
        for payloads in calls:
            group = b.admit(data.draw(st.sampled_from("ab")), len(payloads))
            # Items become ready in any order, as decoded pictures do.
            for index in data.draw(st.permutations(range(len(payloads)))):
                group.ready(index, payloads[index])
            groups.append(group)
        for payloads, group in zip(calls, groups, strict=True):
            assert group.future.result(DEADLINE) == [2 * payload for payload in payloads]
    assert all(len(payloads) <= size for _, payloads in runner.batches)
    assert sum(len(payloads) for _, payloads in runner.batches) == sum(map(len, calls))


def test_calls_that_come_together_share_a_batch():
    runner = Runner()
    with running([lane("a", max_batch=4)], runner) as batcher:
        hold(batcher, runner, "a")
        groups = [put(batcher, "a", [number]) for number in (1, 2, 3, 4, 5)]
        runner.gate.set()
        assert [group.future.result(DEADLINE) for group in groups] == [[2], [4], [6], [8], [10]]
    assert [payloads for _, payloads in runner.batches] == [[0], [1, 2, 3, 4], [5]]


def test_a_batch_closes_when_its_first_item_has_waited_long_enough():
    runner = Runner()
    with running([lane("a", max_batch=50, max_wait_seconds=0.05)], runner) as batcher:
        put(batcher, "a", [1, 2]).future.result(DEADLINE)
        runner.batches.clear()
        # The last batch had two items, so that this one waits for company: shorter than for ever.
        assert put(batcher, "a", [3]).future.result(DEADLINE) == [6]


def test_a_lone_caller_does_not_wait():
    runner = Runner()
    with running([lane("a", max_batch=50, max_wait_seconds=3600)], runner) as batcher:
        for number in range(3):
            assert put(batcher, "a", [number]).future.result(DEADLINE) == [2 * number]


def test_lower_ranks_go_first():
    runner = Runner()
    lanes = [lane("bulk images", 3), lane("texts", 0), lane("images", 1), lane("bulk texts", 2)]
    with running(lanes, runner) as batcher:
        hold(batcher, runner, "images")
        groups = [put(batcher, name, [1]) for name in ("bulk images", "bulk texts", "images", "texts")]
        runner.gate.set()
        for group in groups:
            group.future.result(DEADLINE)
    assert [name for name, _ in runner.batches[1:]] == ["texts", "images", "bulk texts", "bulk images"]


def test_what_has_waited_past_its_patience_goes_first():
    runner = Runner()
    with running([lane("urgent", 0, max_batch=1), lane("bulk", 1, patience_seconds=0.0)], runner) as batcher:
        hold(batcher, runner, "urgent")
        groups = [put(batcher, "urgent", [1]), put(batcher, "urgent", [2]), put(batcher, "bulk", [3])]
        runner.gate.set()
        for group in groups:
            group.future.result(DEADLINE)
    assert [name for name, _ in runner.batches[1:]] == ["bulk", "urgent", "urgent"]


def test_a_thread_for_urgent_lanes_passes_a_long_batch():
    runner = Runner()
    with running([lane("texts", 0), lane("images", 1)], runner, [["texts", "images"], ["texts"]]) as batcher:
        gate = runner.gate
        images = hold(batcher, runner, "images")
        # The gate holds the images' batch; the text's own thread would stop at it too, so open it for that one only.
        runner.gate = threading.Event()
        runner.gate.set()
        assert put(batcher, "texts", [1]).future.result(DEADLINE) == [2]
        assert not images.future.done()
        gate.set()
        images.future.result(DEADLINE)


def test_a_full_lane_refuses_whole_calls_at_once_and_says_when_to_come_again():
    runner, notes = Runner(), Notes()
    with running([lane("a", capacity=3), lane("b", 1)], runner, observer=notes) as batcher:
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
        until(lambda: notes.depths[-1][1] == 0)
        assert put(batcher, "a", [1, 2, 3]).future.result(DEADLINE) == [2, 4, 6]
    assert notes.refusals == [("a", 2), ("a", 1)]


def test_a_cancelled_call_leaves_the_queue():
    runner, notes = Runner(), Notes()
    with running([lane("a", capacity=4, max_batch=1)], runner, observer=notes) as batcher:
        hold(batcher, runner, "a")
        doomed = batcher.admit("a", 3)
        doomed.ready(0, "never run")
        kept = put(batcher, "a", [7])
        doomed.cancel()
        doomed.cancel()
        assert notes.depths[-1] == ("a", 1)
        # What was being decoded when the call was cancelled is dropped as it arrives.
        doomed.ready(1, "never run")
        doomed.fail(2, InvalidItem("late"))
        assert notes.depths[-1] == ("a", 1)
        runner.gate.set()
        assert kept.future.result(DEADLINE) == [14]
        with pytest.raises(CancelledError):
            doomed.future.result(DEADLINE)
    assert ("a", ["never run"]) not in runner.batches


def test_cancelling_while_the_batch_runs_harms_nobody():
    runner = Runner()
    with running([lane("a", max_batch=2)], runner) as batcher:
        hold(batcher, runner, "a")
        doomed, kept = put(batcher, "a", [1]), put(batcher, "a", [2])
        runner.gate.set()
        doomed.cancel()
        assert kept.future.result(DEADLINE) == [4]


def test_one_bad_item_fails_alone():
    runner = Runner()
    with running([lane("a")], runner) as batcher:
        hold(batcher, runner, "a")
        mixed, other = put(batcher, "a", [1, "bad", 3]), put(batcher, "a", [4])
        runner.gate.set()
        first, bad, third = mixed.future.result(DEADLINE)
        assert (first, third) == (2, 6)
        assert isinstance(bad, EncodingFailed)
        assert "ValueError" in bad.message
        assert other.future.result(DEADLINE) == [8]


def test_a_run_that_loses_results_is_tried_item_by_item():
    runner, losing = Runner(), []

    def lose(name, payloads):
        losing.append(len(payloads))
        return runner(name, payloads)[:1]

    batcher = Batcher([lane("a")], lose, [["a"]])
    hold(batcher, runner, "a")
    group = put(batcher, "a", [1, 2])
    runner.gate.set()
    assert group.future.result(DEADLINE) == [2, 4]
    assert losing == [1, 2, 1, 1]
    batcher.close()


def test_an_item_that_fails_before_its_batch_keeps_its_place():
    runner = Runner()
    with running([lane("a")], runner) as batcher:
        group = batcher.admit("a", 3)
        group.ready(2, 3)
        group.fail(1, InvalidItem("not an image"))
        group.ready(0, 1)
        first, broken, third = group.future.result(DEADLINE)
    assert (first, third) == (2, 6)
    assert isinstance(broken, EncoderError)
    assert broken.message == "not an image"


def test_a_closed_batcher_finishes_its_queue_and_refuses_more():
    runner = Runner()
    with running([lane("a", max_batch=1)], runner) as batcher:
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
    with running([lane("a", max_batch=3, max_wait_seconds=3600)], runner) as batcher:
        hold(batcher, runner, "a")
        first = put(batcher, "a", [1, 2])
        runner.gate.set()
        # The batch before held one item, so that this one goes off at once; from then on a batch waits for company.
        assert first.future.result(DEADLINE) == [2, 4]
        waiting = [put(batcher, "a", [number]) for number in (3, 4)]
        time.sleep(0.02)
        assert not waiting[0].future.done()
        waiting.append(put(batcher, "a", [5]))
        assert [group.future.result(DEADLINE) for group in waiting] == [[6], [8], [10]]


def test_what_a_batch_leaves_goes_to_another_thread():
    runner = Runner()
    with running([lane("a", max_batch=2), lane("b", 1)], runner, [["a", "b"], ["a"]]) as batcher:
        busy = hold(batcher, runner, "b")
        group = put(batcher, "a", [1, 2, 3, 4, 5])
        assert runner.begun.acquire(timeout=DEADLINE)
        runner.gate.set()
        assert group.future.result(DEADLINE) == [2, 4, 6, 8, 10]
        busy.future.result(DEADLINE)
