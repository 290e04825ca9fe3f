"""What becomes of keys: with fakes around, real pictures within."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import grpc
import pytest
from fakes import FakeDecoderPool, picture_row
from sightline.encoder.client import BULK, EncoderError, FingerprintMismatch, InvalidItem, ItemError, Overloaded
from sightline.encoder.client import Unavailable as EncoderUnavailable
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueError
from sightline_ingest_worker.worker import indexing, reading
from sightline_ingest_worker.worker.context import Stopping
from sightline_ingest_worker.worker.indexing import fail_keys, index_keys
from sightline_ingest_worker.worker.storing import MAX_ATTEMPTS
from sightline_pictures.decoder_pool import Busy
from sightline_pictures.errors import DecoderEnded
from sightline_pictures.near_copies import COMPARISON_VERSION

AWAY = EncoderUnavailable("no encoder")


def test_good_pictures_are_indexed_in_batches(bench, draw):
    keys = [f"animals/cats/{number}.png" for number in range(10)]
    for number, key in enumerate(keys):
        bench.bucket.put(key, draw(number))
    outcome = index_keys(bench.context, keys)
    assert outcome == {"indexed": 10}
    assert bench.encoder.batches == [4, 4, 2]
    assert set(bench.encoder.priorities) == {BULK}
    assert bench.encoder.preprocessed == 10
    assert bench.collection.calls["get"] == 1
    image = bench.collection.by_key()["animals/cats/3.png"]
    assert (image.state, image.width, image.height, image.format) == ("indexed", 40, 30, "PNG")
    assert (image.label, image.folders) == ("cats", ["animals", "animals/cats"])
    assert image.etag == bench.bucket.stat("animals/cats/3.png").etag
    assert image.modified_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert image.reason is None
    assert image.next_try_at is None
    assert bench.collection.stored_vectors[image.id] == pytest.approx(picture_row(draw(3)))
    assert bench.thumbnails.kept[image.sha256][8:12] == b"WEBP"


def test_each_object_is_read_once(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png", "a.png"])
    assert bench.bucket.reads == {"a.png": 1}


def test_indexing_again_changes_and_reads_nothing(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    # Compared with others.
    index_keys(bench.context, ["a.png"])
    before = dict(bench.collection.images)
    outcome = index_keys(bench.context, ["a.png"])
    assert outcome == {"unchanged": 1}
    assert bench.collection.images == before
    assert bench.bucket.reads == {"a.png": 1}


@pytest.mark.parametrize("stamp", ["2-7", "verify"])
def test_a_touched_object_is_compared_and_not_encoded_again(bench, draw, stamp):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.stamps["a.png"] = "1-7"
    index_keys(bench.context, ["a.png"])
    [image] = bench.collection.images.values()
    assert image.stamp == "1-7"
    if stamp == "verify":
        bench.collection.set_stamp([image.id], stamp)
    else:
        bench.bucket.stamps["a.png"] = stamp
    for _ in range(2):
        assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}
    [after] = bench.collection.images.values()
    assert after == replace(image, stamp=bench.bucket.stamps["a.png"], compared=COMPARISON_VERSION)
    assert bench.bucket.reads == {"a.png": 2}
    assert bench.encoder.batches == [1]


def test_other_bytes_under_the_same_etag_are_encoded(bench, draw, monkeypatch):
    monkeypatch.setattr(bench.bucket, "etag", lambda key: "of size and time")
    for key in ("a.png", "copy.png"):
        bench.bucket.put(key, draw(1))
        bench.bucket.stamps[key] = "1"
    index_keys(bench.context, ["a.png", "copy.png"])
    before = bench.collection.by_key()["a.png"]
    bench.bucket.files["a.png"] = draw(2)
    bench.bucket.stamps |= {"a.png": "2", "copy.png": "2"}
    assert index_keys(bench.context, ["a.png", "copy.png"]) == {"indexed": 1, "unchanged": 1}
    after = bench.collection.by_key()["a.png"]
    assert (after.state, after.stamp, after.etag) == ("indexed", "2", before.etag)
    assert after.sha256 != before.sha256
    assert bench.collection.by_key()["copy.png"].stamp == "2"


def test_a_touched_failure_stays_one_while_its_bytes_are_the_same(bench, draw):
    bench.bucket.put("a.png", b"no picture")
    bench.bucket.stamps["a.png"] = "1"
    assert index_keys(bench.context, ["a.png"]) == {"failed": 1}
    bench.bucket.stamps["a.png"] = "2"
    assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}
    [image] = bench.collection.images.values()
    assert (image.state, image.stamp, image.attempts) == ("failed", "2", 1)


def test_an_object_of_an_earlier_version_without_a_stamp_is_not_read_again(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.bucket.stamps["a.png"] = "2-7"
    assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}
    assert bench.bucket.reads == {"a.png": 1}


def test_a_changed_object_is_indexed_again(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.bucket.put("a.png", draw(2, (50, 20)), datetime(2021, 1, 1, tzinfo=UTC))
    index_keys(bench.context, ["a.png"])
    assert bench.collection.by_key()["a.png"].width == 50
    assert sum(bench.encoder.batches) == 2


def test_equal_bytes_are_encoded_once_within_a_task(bench, draw):
    keys = [f"{number}.png" for number in range(9)]
    for key in keys:
        bench.bucket.put(key, draw(1))
    outcome = index_keys(bench.context, keys)
    assert outcome == {"indexed": 1, "copied": 8}
    assert sum(bench.encoder.batches) == 1
    assert len({vector.tobytes() for vector in bench.collection.stored_vectors.values()}) == 1
    assert {image.width for image in bench.collection.images.values()} == {40}


def test_equal_bytes_in_the_catalogue_copy_the_vector(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.bucket.put("copy/b.png", draw(1))
    outcome = index_keys(bench.context, ["copy/b.png"])
    assert outcome == {"copied": 1}
    assert sum(bench.encoder.batches) == 1
    copy = bench.collection.by_key()["copy/b.png"]
    assert (copy.label, copy.width, copy.format) == ("copy", 40, "PNG")


def test_a_lost_thumbnail_is_made_again_for_known_bytes(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.thumbnails.kept.clear()
    bench.bucket.put("b.png", draw(1))
    index_keys(bench.context, ["b.png"])
    assert len(bench.thumbnails.kept) == 1
    assert sum(bench.encoder.batches) == 1


def test_a_broken_image_fails_alone_and_permanently(bench, draw):
    bench.bucket.put("good.png", draw(1))
    bench.bucket.put("text.jpg", b"this is a text")
    bench.bucket.put("empty.png", b"")
    bench.bucket.put("half.png", draw(2, (200, 200))[:-100])
    bench.bucket.put("large.png", draw(3, (2000, 1000)))
    bench.bucket.put("heavy.png", draw(4) + b"\0" * 100_000)
    bench.bucket.put("link.png", b"")
    bench.bucket.problems["link.png"] = "a symbolic link"
    outcome = index_keys(bench.context, list(bench.bucket.files))
    assert outcome == {"indexed": 1, "failed": 6}
    images = bench.collection.by_key()
    assert images["good.png"].state == "indexed"
    assert "text" in images["text.jpg"].reason
    assert "empty" in images["empty.png"].reason
    assert "truncated" in images["half.png"].reason
    assert "IMAGE_MAX_PIXELS" in images["large.png"].reason
    assert "IMAGE_MAX_BYTES" in images["heavy.png"].reason
    assert images["link.png"].reason == "a symbolic link"
    assert bench.bucket.reads["heavy.png"] == 0
    assert {image.next_try_at for image in images.values()} == {None}


def test_equal_broken_files_fail_alike(bench):
    bench.bucket.put("a.jpg", b"text")
    bench.bucket.put("b.jpg", b"text")
    assert index_keys(bench.context, ["a.jpg", "b.jpg"]) == {"failed": 2}


def test_a_truncated_file_written_just_now_is_tried_again(bench, draw):
    whole = draw(1, (200, 200))
    bench.bucket.put("slow.png", whole[:-100], datetime.now(UTC))
    assert index_keys(bench.context, ["slow.png"]) == {"waiting": 1}
    image = bench.collection.by_key()["slow.png"]
    assert image.state == "pending"
    assert timedelta(0) < image.next_try_at - datetime.now(UTC) < timedelta(seconds=5)
    bench.bucket.put("slow.png", whole, datetime.now(UTC))
    assert index_keys(bench.context, ["slow.png"]) == {"indexed": 1}


def test_a_file_that_changes_while_it_is_read_is_tried_again(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("b.png", draw(2))
    bench.bucket.on_read = lambda key: bench.bucket.put("a.png", draw(3), datetime.now(UTC))
    assert index_keys(bench.context, ["a.png", "b.png"]) == {"waiting": 1, "indexed": 1}
    image = bench.collection.by_key()["a.png"]
    assert (image.state, image.sha256) == ("pending", None)
    bench.bucket.on_read = lambda key: None
    assert index_keys(bench.context, ["a.png"]) == {"indexed": 1}


def test_a_changed_image_keeps_its_vector_until_it_was_read_whole(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.bucket.put("a.png", draw(2), datetime(2021, 1, 1, tzinfo=UTC))
    bench.bucket.on_read = lambda key: bench.bucket.put("a.png", draw(3), datetime.now(UTC))
    index_keys(bench.context, ["a.png"])
    image = bench.collection.by_key()["a.png"]
    assert image.state == "pending"
    assert image.id in bench.collection.stored_vectors


def test_an_object_that_is_gone_is_marked_and_left_to_the_watcher(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("b.png", draw(2))
    bench.bucket.put("b-too.png", draw(2))
    index_keys(bench.context, list(bench.bucket.files))
    del bench.bucket.files["a.png"], bench.bucket.files["b.png"]
    assert index_keys(bench.context, ["a.png", "b.png"]) == {"gone": 2}
    assert bench.states == dict.fromkeys(["a.png", "b.png", "b-too.png"], "indexed")
    assert {key for key, image in bench.collection.by_key().items() if image.missing_since} == {"a.png", "b.png"}
    assert len(bench.thumbnails.kept) == 2


def test_an_object_deleted_while_it_is_read(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.on_read = lambda key: bench.bucket.files.pop(key, None)
    assert index_keys(bench.context, ["a.png"]) == {"gone": 1}
    assert bench.states == {}


def test_a_busy_encoder_is_waited_for(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.encoder.errors = [Overloaded("full", 0.25), Overloaded("full", 0.5)]
    slept = []
    bench.context.pause = slept.append
    assert index_keys(bench.context, ["a.png"]) == {"indexed": 1}
    assert slept == [0.25, 0.5]


def test_an_encoder_that_stays_busy_is_not_waited_for_forever(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.encoder.errors = [Overloaded("full", 0.01)] * 1000
    bench.context.pause = lambda seconds: None
    with pytest.raises(Overloaded):
        index_keys(bench.context, ["a.png"])
    assert bench.states == {}


@pytest.mark.parametrize(
    "error",
    [
        AWAY,
        FingerprintMismatch("another model"),
        EncoderError("no token", grpc.StatusCode.UNAUTHENTICATED),
    ],
)
def test_an_encoders_failure_is_never_a_pictures(bench, draw, error):
    for number in range(3):
        bench.bucket.put(f"{number}.png", draw(number))
    bench.encoder.errors = [error]
    with pytest.raises(type(error)):
        index_keys(bench.context, list(bench.bucket.files))
    assert bench.states == {}
    assert index_keys(bench.context, list(bench.bucket.files)) == {"indexed": 3}


def test_a_catalogue_that_does_not_answer_is_never_an_images_failure(bench, draw):
    bench.bucket.put("a.png", draw(1))
    for calls_before in range(3):
        bench.collection.errors = [None] * calls_before + [CatalogueError("down")] * 1000
        with pytest.raises(CatalogueError):
            index_keys(bench.context, ["a.png"])
        bench.collection.errors = []
        assert bench.states == {}


def test_an_unavailable_bucket_deletes_and_fails_nothing(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    bench.bucket.error = BucketUnavailable("the disk is not mounted")
    with pytest.raises(BucketUnavailable):
        index_keys(bench.context, ["a.png"])
    assert bench.states == {"a.png": "indexed"}


def test_an_image_that_the_encoder_refuses_fails_permanently(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.encoder.item_errors = [InvalidItem("not an image")]
    index_keys(bench.context, ["a.png"])
    image = bench.collection.by_key()["a.png"]
    assert (image.state, image.reason, image.attempts, image.next_try_at) == ("failed", "not an image", 1, None)


def test_a_transient_failure_is_tried_a_few_times(bench, draw):
    bench.bucket.put("a.png", draw(1))
    waits = []
    for attempt in range(1, 6):
        bench.encoder.item_errors = [ItemError("internal")]
        index_keys(bench.context, ["a.png"])
        image = bench.collection.by_key()["a.png"]
        assert (image.state, image.attempts) == ("failed", attempt)
        waits.append(image.next_try_at and image.next_try_at - datetime.now(UTC))
    assert waits[4] is None
    assert waits[:4] == sorted(waits[:4])
    assert index_keys(bench.context, ["a.png"]) == {"indexed": 1}


def test_a_stop_leaves_the_rest_for_another(bench, draw):
    for number in range(12):
        bench.bucket.put(f"{number:02}.png", draw(number))
    bench.context.stopping = lambda: bench.bucket.reads.total() >= 4
    with pytest.raises(Stopping):
        index_keys(bench.context, list(bench.bucket.files))
    assert bench.bucket.reads.total() == 4
    bench.context.stopping = lambda: False
    outcome = index_keys(bench.context, list(bench.bucket.files))
    # What was being stored when the first stopped may be done before, while or after the second looks.
    assert outcome["indexed"] + outcome["copied"] + outcome["unchanged"] == 12
    assert {image.state for image in bench.collection.by_key().values()} == {"indexed"}


def test_a_deadline_leaves_the_rest_for_another_task(bench, draw):
    for number in range(12):
        bench.bucket.put(f"{number:02}.png", draw(number))
    with pytest.raises(Stopping):
        index_keys(bench.context, list(bench.bucket.files), deadline=0)
    assert bench.bucket.reads.total() == 0


def test_failed_keys_are_not_read(bench, draw):
    bench.bucket.put("poison.png", draw(1))
    fail_keys(bench.context, ["poison.png", "gone.png"], "it ended the process")
    image = bench.collection.by_key()["poison.png"]
    assert (image.state, image.reason, image.next_try_at) == ("failed", "it ended the process", None)
    assert image.etag == bench.bucket.stat("poison.png").etag
    assert bench.bucket.reads.total() == 0
    assert set(bench.states) == {"poison.png"}


def test_a_pending_image_is_indexed_with_the_vector_that_its_bytes_have(bench, draw):
    """The watcher marks before it queues."""
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    [image] = bench.collection.images.values()
    bench.collection.images[image.id] = replace(image, state="pending", next_try_at=None)
    assert index_keys(bench.context, ["a.png"]) == {"copied": 1}
    assert bench.states == {"a.png": "indexed"}


def test_an_object_that_cannot_be_read_fails_alone_and_is_tried_again_ever_more_rarely(bench, draw):
    for number in range(5):
        bench.bucket.put(f"{number}.png", draw(number))
    reason = "archived in GLACIER: restore it to have it indexed"
    bench.bucket.unreadable["3.png"] = reason
    assert index_keys(bench.context, list(bench.bucket.files)) == {"indexed": 4, "failed": 1}
    waits = []
    for attempt in range(1, 12):
        image = bench.collection.by_key()["3.png"]
        assert (image.state, image.reason, image.attempts) == ("failed", reason, attempt)
        assert image.etag == bench.bucket.stat("3.png").etag
        waits.append(round((image.next_try_at - datetime.now(UTC)) / timedelta(minutes=5)))
        index_keys(bench.context, ["3.png"])
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 144, 144, 144]
    del bench.bucket.unreadable["3.png"]
    assert index_keys(bench.context, ["3.png"]) == {"indexed": 1}


def test_an_indexed_object_that_cannot_be_read_again_stays_indexed(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    [image] = bench.collection.images.values()
    bench.collection.images[image.id] = replace(image, state="pending", next_try_at=None)
    bench.bucket.unreadable["a.png"] = "reading it failed: Input/output error: its disk may be damaged"
    assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}
    assert bench.states == {"a.png": "indexed"}
    assert image.id in bench.collection.stored_vectors


def test_a_decoder_that_ends_is_tried_again_and_given_up_at_last(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("poison.png", draw(2))
    bench.decoders.errors[draw(2)] = DecoderEnded("decoding it ended the decoder")
    assert index_keys(bench.context, ["a.png", "poison.png"]) == {"indexed": 1, "failed": 1}
    image = bench.collection.by_key()["poison.png"]
    assert "ended the decoder" in image.reason
    assert image.next_try_at > datetime.now(UTC)
    for _ in range(MAX_ATTEMPTS - 1):
        index_keys(bench.context, ["poison.png"])
    assert bench.collection.by_key()["poison.png"].next_try_at is None
    bench.decoders.errors.clear()
    assert index_keys(bench.context, ["poison.png"]) == {"indexed": 1}


def test_a_picture_that_would_wait_for_slow_ones_is_tried_again_and_the_others_are_indexed(bench, draw):
    for number in range(10):
        bench.bucket.put(f"{number}.png", draw(number))
    bench.decoders.errors[draw(3)] = Busy()
    assert index_keys(bench.context, list(bench.bucket.files)) == {"indexed": 9, "waiting": 1}
    image = bench.collection.by_key()["3.png"]
    assert (image.state, image.attempts) == ("pending", 0)
    assert timedelta(seconds=30) < image.next_try_at - datetime.now(UTC) < timedelta(minutes=2)
    bench.decoders.errors.clear()
    assert index_keys(bench.context, ["3.png"]) == {"indexed": 1}


def test_after_slow_ones_the_rest_of_a_task_is_put_off_when_its_time_is_over(bench, draw, monkeypatch):
    """Repeated at once, the task would begin with the slow ones, again and again."""
    for number in range(10):
        bench.bucket.put(f"{number}.png", draw(number))
    now = [0.0]
    for module in (indexing, reading):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def takes_long(work, wait_seconds, read, *args, **kwargs):
        now[0] += 20
        if now[0] > 20:
            raise Busy
        return FakeDecoderPool.run(bench.decoders, work, wait_seconds, read, *args, **kwargs)

    bench.decoders.run = takes_long
    bench.context.readers = ThreadPoolExecutor(1)
    assert index_keys(bench.context, list(bench.bucket.files), deadline=50) == {"indexed": 1, "waiting": 9}
    assert now[0] == 60
    assert {image.next_try_at is None for image in bench.collection.images.values()} == {True, False}
