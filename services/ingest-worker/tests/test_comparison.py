"""Every listed object is in exactly one state, whatever bucket and catalogue held before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightline_bucket import BucketObject
from sightline_catalogue import Image, image_id
from sightline_ingest_worker.comparison import QUEUED, Known, Verdict, compare, judge
from sightline_ingest_worker.ledger import Ledger
from sightline_ingest_worker.points import refused_etag

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
        point_id = image_id("main", name.encode())
        image = Image(id=point_id, bucket="main", key=name, state=state, etag=etag, next_try_at=next_try_at)
        bench.collection.points[point_id] = image
    ledger = Ledger("main", bench.bucket, bench.thumbnails, queue, 1.0)
    entries = bench.collection.points.values()
    known = {image.id: Known(image.etag, image.state, image.next_try_at) for image in entries}
    found, ignored = [], []
    for point_id, thing, verdict in compare(iter(listing), known, ledger.identify, datetime.now(UTC)):
        assert verdict is Verdict.IGNORED or point_id not in known
        if verdict is Verdict.IGNORED:
            ignored.append(thing)
        elif verdict in QUEUED or verdict is Verdict.REFUSED:
            found.append(thing)
    ledger.enter(bench.collection, found, "new", "scan")

    after = bench.collection.by_key()
    for thing in listing:
        is_picture = thing.shown.endswith((".jpg", ".HEIC"))
        assert (thing in ignored) is not is_picture
        if not is_picture:
            assert queue.keys.count(thing.shown) == 0
            continue
        state = after[thing.shown].state
        was = before.get(thing.shown)
        if thing.problem:
            assert (state, queue.keys.count(thing.shown)) == ("failed", 0)
        elif was is None or (was[0] != "pending" and was[1] != thing.etag):
            assert (state, queue.keys.count(thing.shown)) == ("pending", 1)
        elif was[0] == "indexed":
            assert (state, queue.keys.count(thing.shown)) == ("indexed", 0)
        else:
            due = was[2] is not None and was[2] <= NOW
            assert state == ("pending" if due else was[0])
            assert queue.keys.count(thing.shown) == due
    gone = {after[name].id for name in before} - {
        image_id("main", thing.raw_name) for thing in listing if thing not in ignored
    }
    assert set(known) == gone


@given(LISTINGS)
def test_a_second_scan_finds_nothing(make_bench, listing):
    bench, queue = make_bench()
    ledger = Ledger("main", bench.bucket, bench.thumbnails, queue, 1.0)
    ledger.enter(bench.collection, listing, "new", "scan")
    sent = list(queue.sent)
    known = {image.id: Known(image.etag, image.state, None) for image in bench.collection.points.values()}
    verdicts = {verdict for _, _, verdict in compare(iter(listing), known, ledger.identify, NOW)}
    assert verdicts <= {Verdict.IGNORED, Verdict.PENDING, Verdict.SAME}
    assert known == {}
    ledger.enter(bench.collection, listing, "new", "scan")
    assert queue.sent == sent


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (None, Verdict.NEW),
        (Known("1", "indexed"), Verdict.SAME),
        (Known("0", "indexed"), Verdict.CHANGED),
        (Known("1", "failed"), Verdict.SAME),
        (Known("0", "failed"), Verdict.CHANGED),
        (Known("1", "failed", NOW), Verdict.AGAIN),
        (Known("1", "failed", NOW + timedelta(1)), Verdict.SAME),
        (Known("0", "pending"), Verdict.PENDING),
        (Known("1", "pending", NOW), Verdict.AGAIN),
        (Known("refused:1", "failed"), Verdict.CHANGED),
    ],
)
def test_verdicts(known, verdict):
    assert judge(seen("a.jpg"), known, NOW) is verdict


def test_a_link_that_was_told_of_is_not_told_of_again():
    link = seen("a.jpg", problem="a link")
    assert judge(link, None, NOW) is Verdict.REFUSED
    assert judge(link, Known("1", "indexed"), NOW) is Verdict.REFUSED
    assert judge(link, Known(refused_etag(link), "failed"), NOW) is Verdict.SAME
