"""When what is pending is queued again."""

from __future__ import annotations

import pytest
from sightline_ingest_worker.watcher.requeue_policy import RequeuePolicy
from sightline_ingest_worker.watcher.task_queue import QueueLengths

NOTHING = QueueLengths(new=0, backfill=0, in_progress=0)
HELD = QueueLengths(new=0, backfill=0, in_progress=2)
WAITING = QueueLengths(new=0, backfill=3, in_progress=2)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def policy(clock) -> RequeuePolicy:
    return RequeuePolicy(clock)


def test_due_at_once_if_the_queues_are_empty(policy):
    """A Redis that came back empty."""
    assert policy.is_due(5, NOTHING)


def test_not_due_while_tasks_wait(policy, clock):
    assert not policy.is_due(5, WAITING)
    clock.now += 1000
    assert not policy.is_due(5, WAITING)


def test_due_after_a_killed_worker_once_pending_does_not_fall(policy, clock):
    assert not policy.is_due(64, HELD)
    clock.now += 9
    assert not policy.is_due(64, HELD)
    clock.now += 1
    assert policy.is_due(64, HELD)


def test_not_due_while_pending_falls(policy, clock):
    for pending in range(64, 0, -4):
        assert not policy.is_due(pending, HELD)
        clock.now += 9


def test_a_slow_worker_is_not_flooded(policy, clock):
    policy.is_due(64, HELD)
    times = 0
    for _ in range(120):
        clock.now += 1
        if policy.is_due(64, HELD):
            policy.requeued()
            times += 1
    assert times == 5  # after 10, 20, 30, 30 and 30 seconds


def test_due_within_half_a_minute_after_progress_ends(policy, clock):
    policy.is_due(64, HELD)
    for _ in range(10):
        policy.requeued()
    clock.now += 30
    assert policy.is_due(64, HELD)


def test_not_due_without_pending_images(policy):
    assert not policy.is_due(0, NOTHING)
