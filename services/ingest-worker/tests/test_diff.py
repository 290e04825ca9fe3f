"""Every listed object is in exactly one state, whatever bucket and catalogue held before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightline_bucket import BucketObject
from sightline_catalogue import Image, image_id
from sightline_ingest_worker.records import refused_etag
from sightline_ingest_worker.watcher.backfill import Backfill
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.diff import QUEUED, Change, RecordState, classify, diff
from sightline_ingest_worker.watcher.reconciler import Reconciler

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = st.sampled_from([None, NOW - timedelta(hours=1), datetime.now(UTC) + timedelta(days=365)])


def seen(name: str, etag: str = "1", problem: str | None = None, modified_at: datetime = NOW) -> BucketObject:
    return BucketObject(None if problem == "name" else name, name.encode(), name, 9, modified_at, etag, problem)


NAMES = st.sampled_from([f"{stem}{end}" for stem in "abcdef" for end in (".jpg", ".HEIC", ".txt", "")])
OBJECTS = st.builds(seen, NAMES, st.sampled_from("12"), st.sampled_from([None, None, "a link", "name"]))
LISTINGS = st.lists(OBJECTS, unique_by=lambda found: found.raw_name)
STATES = st.tuples(st.sampled_from(["pending", "indexed", "failed"]), st.sampled_from("12"), TIMES)
KNOWN = st.dictionaries(NAMES, STATES)


@given(LISTINGS, KNOWN)
def test_each_object_ends_in_exactly_one_state(make_bench, listing, before):
    bench, queue = make_bench()
    for name, (state, etag, next_try_at) in before.items():
        record_id = image_id("main", name.encode())
        image = Image(id=record_id, bucket="main", key=name, state=state, etag=etag, next_try_at=next_try_at)
        bench.collection.images[record_id] = image
    reconciler = Reconciler("main", queue, 1.0, Candidates(bench.bucket), Backfill(queue))
    entries = bench.collection.images.values()
    known = {image.id: RecordState(image.etag, image.state, image.next_try_at) for image in entries}
    found, ignored = [], []
    for record_id, thing, change in diff(iter(listing), known, reconciler.identify, datetime.now(UTC)):
        assert change is Change.IGNORED or record_id not in known
        if change is Change.IGNORED:
            ignored.append(thing)
        elif change in QUEUED or change is Change.REFUSED:
            found.append(thing)
    reconciler.reconcile(bench.collection, found, "new", "scan")

    after = bench.collection.by_key()
    for thing in listing:
        is_picture = thing.display_name.endswith((".jpg", ".HEIC"))
        assert (thing in ignored) is not is_picture
        if not is_picture:
            assert queue.keys.count(thing.display_name) == 0
            continue
        state = after[thing.display_name].state
        was = before.get(thing.display_name)
        if thing.problem:
            assert (state, queue.keys.count(thing.display_name)) == ("failed", 0)
        elif was is None or (was[0] != "pending" and was[1] != thing.etag):
            assert (state, queue.keys.count(thing.display_name)) == ("pending", 1)
        elif was[0] == "indexed":
            assert (state, queue.keys.count(thing.display_name)) == ("indexed", 0)
        else:
            due = was[2] is not None and was[2] <= NOW
            assert state == ("pending" if due else was[0])
            assert queue.keys.count(thing.display_name) == due
    gone = {after[name].id for name in before} - {
        image_id("main", thing.raw_name) for thing in listing if thing not in ignored
    }
    assert set(known) == gone


@given(LISTINGS)
def test_a_second_scan_finds_nothing(make_bench, listing):
    bench, queue = make_bench()
    reconciler = Reconciler("main", queue, 1.0, Candidates(bench.bucket), Backfill(queue))
    reconciler.reconcile(bench.collection, listing, "new", "scan")
    sent = list(queue.sent)
    known = {image.id: RecordState(image.etag, image.state, None) for image in bench.collection.images.values()}
    changes = {change for _, _, change in diff(iter(listing), known, reconciler.identify, NOW)}
    assert changes <= {Change.IGNORED, Change.PENDING, Change.SAME}
    assert known == {}
    reconciler.reconcile(bench.collection, listing, "new", "scan")
    assert queue.sent == sent


@pytest.mark.parametrize(
    ("known", "change"),
    [
        (None, Change.NEW),
        (RecordState("1", "indexed"), Change.SAME),
        (RecordState("0", "indexed"), Change.CHANGED),
        (RecordState("1", "failed"), Change.SAME),
        (RecordState("0", "failed"), Change.CHANGED),
        (RecordState("1", "failed", NOW), Change.RETRY),
        (RecordState("1", "failed", NOW + timedelta(1)), Change.SAME),
        (RecordState("0", "pending"), Change.PENDING),
        (RecordState("1", "pending", NOW), Change.RETRY),
        (RecordState("refused:1", "failed"), Change.CHANGED),
        (RecordState("1", "indexed", stamp="5-7"), Change.SAME),
        (RecordState("1", "indexed", stamp="5"), Change.SAME),
        (RecordState("1", "indexed", stamp="4-7"), Change.TOUCHED),
        (RecordState("1", "indexed", stamp="5-8"), Change.TOUCHED),
        (RecordState("1", "failed", stamp="verify"), Change.TOUCHED),
        (RecordState("1", "pending", stamp="4-7"), Change.PENDING),
        (RecordState("0", "indexed", stamp="4-7"), Change.CHANGED),
        (RecordState("1", "indexed", is_missing=True, stamp="4-7"), Change.RETURNED),
    ],
)
def test_changes(known, change):
    assert classify(replace(seen("a.jpg"), stamp="5-7"), known, NOW) is change


def test_a_link_that_is_recorded_is_unchanged():
    link = seen("a.jpg", problem="a link")
    assert classify(link, None, NOW) is Change.REFUSED
    assert classify(link, RecordState("1", "indexed"), NOW) is Change.REFUSED
    assert classify(link, RecordState(refused_etag(link), "failed"), NOW) is Change.SAME
