from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sightline_catalogue import Image
from sightline_ingest_worker.watcher.missing_plan import (
    Facts,
    LossRule,
    MissingRecord,
    PendingFiles,
    make_plan,
    match_moved,
)

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WINDOW = timedelta(minutes=10)
RULE = LossRule(share=0.2, least=100, window=WINDOW)


def missing(number=0, since=NOON, **fields):
    return MissingRecord(id=f"r{number}", key=f"{number}.jpg", since=since, **({"state": "indexed"} | fields))


def some(count, since=NOON, first=0, **fields):
    return [missing(number, since, **fields) for number in range(first, first + count)]


@pytest.mark.parametrize(
    ("count", "known", "held"), [(100, 500, 100), (100, 501, 0), (99, 99, 0), (100, 100, 100), (1895, 1895, 1895)]
)
def test_a_large_share_is_held(count, known, held):
    plan = make_plan(some(count), Facts(known), RULE)
    assert (len(plan.held), len(plan.newly_held), len(plan.gone)) == (held, held, count - held)
    assert plan.of == known


def test_what_goes_within_the_window_counts_together():
    early, late = some(60), some(60, NOON + WINDOW, first=60)
    assert len(make_plan(early + late, Facts(300), RULE).held) == 120
    late = some(60, NOON + WINDOW + SECOND, first=60)
    assert make_plan(early + late, Facts(300), RULE).held == []


def test_what_was_removed_at_the_beginning_of_a_loss_comes_back():
    removed = some(60, state="removed")
    plan = make_plan([*removed, *some(60, NOON + SECOND, first=60)], Facts(240), RULE)
    assert plan.bring_back == [record.id for record in removed]
    assert (len(plan.newly_held), plan.of) == (120, 300)


def test_what_is_held_stays_held_whatever_is_added_and_until_most_is_back():
    held = some(150, held_of=300)
    assert len(make_plan(held, Facts(5000), RULE).held) == 150
    assert len(make_plan(held[:100], Facts(5000), RULE).held) == 100
    assert len(make_plan(held[:99], Facts(5000), RULE).gone) == 99


def test_a_confirmed_loss_is_removed_and_counts_no_more():
    confirmed = some(150, held_of=0)
    plan = make_plan([*confirmed, missing(500)], Facts(300, is_empty=True, unsure=["r500"]), RULE)
    assert plan.gone == [record.id for record in confirmed]
    assert plan.waiting == 1
    removed = some(150, held_of=0, state="removed")
    assert make_plan([*removed, missing(500)], Facts(300), RULE).gone == ["r500"]


def test_what_moved_or_may_have_moved_is_part_of_no_loss():
    records = some(150)
    ids = [record.id for record in records]
    plan = make_plan(records, Facts(300, moved=ids[:60], waited_for=ids[60:]), RULE)
    assert (plan.moved, plan.waiting, plan.held, plan.gone) == (ids[:60], 90, [], [])


def test_of_an_empty_folder_everything_is_held():
    plan = make_plan(some(3), Facts(3, is_empty=True), RULE)
    assert (len(plan.held), plan.newly_held, plan.gone) == (3, [], [])


def test_what_is_held_no_longer_waits_for_what_may_have_moved_meanwhile():
    records = some(150, held_of=0)
    ids = [record.id for record in records]
    plan = make_plan(records, Facts(300, waited_for_since_held=ids[:60]), RULE)
    assert (plan.waiting, plan.gone, plan.held) == (60, ids[60:], [])
    held = some(150, held_of=300)
    assert len(make_plan(held, Facts(300, waited_for_since_held=ids), RULE).held) == 150


def test_what_is_unsure_waits():
    assert make_plan(some(2), Facts(300, unsure=["r0"]), RULE).gone == ["r1"]


def test_a_pending_file_of_the_same_size_may_be_the_one_that_moved():
    record = missing(sha256="a", bytes=5, modified_at=NOON)
    same = PendingFiles.of([Image(id="n", bucket="main", key="n.jpg", bytes=5, modified_at=NOON + SECOND)])
    assert same.may_have(record, SECOND)
    assert not same.may_have(record, timedelta(hours=1))
    assert not same.may_have(missing(sha256="a", bytes=6), SECOND)
    assert not same.may_have(missing(bytes=5), SECOND)
    exact = PendingFiles.of([Image(id="n", bucket="main", key="n.jpg", bytes=5, modified_at=NOON)])
    assert exact.may_have(record, timedelta(days=1))
    changed = PendingFiles.of([Image(id="n", bucket="main", key="n.jpg", bytes=9, indexed_at=NOON)])
    assert changed.may_have(record, SECOND)
    assert not changed.may_have(record, timedelta(minutes=1))


def copy(name, indexed_at, sha256="a", **fields):
    return Image(id=name, bucket="main", key=name, state="indexed", sha256=sha256, indexed_at=indexed_at, **fields)


def never(record):
    return False


@pytest.mark.parametrize(
    ("appeared", "modified", "has_moved"),
    [
        (SECOND, None, True),
        (-SECOND, None, True),
        (-WINDOW - SECOND, None, False),
        (-timedelta(days=2), None, False),
    ],
)
def test_a_copy_counts_if_it_appeared_about_when_the_object_went(appeared, modified, has_moved):
    record = missing(sha256="a", indexed_at=NOON - timedelta(days=1))
    found = match_moved([record], [copy("n", NOON + appeared)], WINDOW, never)
    assert found == ({"r0": "n"} if has_moved else {})


def test_a_copy_from_the_same_first_scan_does_not_count():
    record = missing(sha256="a", indexed_at=NOON - 200 * SECOND)
    assert match_moved([record], [copy("n", NOON - 100 * SECOND, modified_at=NOON - WINDOW)], WINDOW, never) == {}
    made_since = copy("n", NOON - 100 * SECOND, modified_at=NOON - 150 * SECOND)
    assert match_moved([record], [made_since], WINDOW, never) == {"r0": "n"}


def test_each_copy_stands_for_one_record():
    records = some(3, sha256="a")
    copies = [copy("n", NOON + SECOND), copy("m", NOON + SECOND), copy("x", NOON + SECOND, sha256="b")]
    assert match_moved(records, copies, WINDOW, lambda record: True) == {}
    assert match_moved(records, copies, WINDOW, never) == {"r0": "m", "r1": "n"}
    assert match_moved(records[:2], copies, WINDOW, lambda record: True) == {"r0": "m", "r1": "n"}


def test_a_copy_that_is_missing_itself_does_not_count():
    assert match_moved([missing(sha256="a")], [copy("n", NOON + SECOND, missing_since=NOON)], WINDOW, never) == {}
