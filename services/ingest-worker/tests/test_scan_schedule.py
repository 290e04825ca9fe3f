"""When scans begin."""

from __future__ import annotations

from sightline_ingest_worker.watcher.scan_schedule import LONGEST_PAUSE_SECONDS, ScanSchedule


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def scan(schedule: ScanSchedule, clock: Clock, seconds: float) -> float:
    assert schedule.is_due
    schedule.begin()
    clock.now += seconds
    assert not schedule.is_due
    return schedule.end(seconds)


def due_after(schedule: ScanSchedule, clock: Clock) -> float:
    began = clock.now
    while not schedule.is_due:
        clock.now += 1
    return clock.now - began


def test_scans_begin_a_minute_apart():
    clock = Clock()
    schedule = ScanSchedule(60, clock)
    assert scan(schedule, clock, 10) == 60
    assert due_after(schedule, clock) == 50


def test_a_long_scan_is_followed_by_a_longer_pause_up_to_a_limit():
    clock = Clock()
    schedule = ScanSchedule(60, clock)
    assert scan(schedule, clock, 40) == 160
    assert due_after(schedule, clock) == 120
    assert scan(schedule, clock, 3600) == 3600 + LONGEST_PAUSE_SECONDS
    assert due_after(schedule, clock) == LONGEST_PAUSE_SECONDS


def test_what_a_scan_wrote_makes_no_pause_longer():
    clock = Clock()
    schedule = ScanSchedule(60, clock)
    schedule.begin()
    clock.now += 100
    assert schedule.end(10) == 130
    assert due_after(schedule, clock) == 30


def test_what_is_asked_for_during_a_scan_follows_it():
    clock = Clock()
    schedule = ScanSchedule(60, clock)
    schedule.begin()
    clock.now += 5
    schedule.request()
    assert not schedule.is_due
    schedule.end(5)
    assert schedule.is_due
    scan(schedule, clock, 5)
    assert not schedule.is_due
    schedule.request()
    assert schedule.is_due


def test_a_scan_that_was_given_up_is_begun_again():
    clock = Clock()
    schedule = ScanSchedule(60, clock)
    schedule.begin()
    schedule.abort()
    assert schedule.is_due
