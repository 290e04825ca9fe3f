"""What an older version of the code read is read again, and encoded only where its pixels are others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import PIL.Image
import pytest
from fakes import FakeCollection
from sightline_catalogue import FAILED, INDEXED, PENDING, Image, image_id
from sightline_ingest_worker.watcher.rereading import AT_ONCE, Rereading
from sightline_ingest_worker.worker.indexing import index_keys
from sightline_pictures import READER_VERSION
from sightline_pictures.near_copies import COMPARISON_VERSION

BEFORE = datetime(2021, 1, 1, tzinfo=UTC)


def by_older(bench, key: str, **changes: object) -> Image:
    """Change an image's record to one that an older version of the code might have written."""
    image = replace(bench.collection.by_key()[key], reader=None, indexed_at=BEFORE, **changes)
    bench.collection.images[image.id] = image
    return image


@pytest.fixture
def indexed(bench, draw):
    bench.bucket.put("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    return bench


def test_what_is_read_holds_the_version_and_the_pixels_hash(indexed):
    image = indexed.collection.by_key()["a.png"]
    assert image.reader == READER_VERSION
    assert len(image.input_sha256) == 64
    assert index_keys(indexed.context, ["a.png"]) == {"unchanged": 1}


@pytest.mark.parametrize("hashed", [False, True])
def test_equal_pixels_are_not_encoded_again(indexed, hashed):
    encoded = len(indexed.encoder.batches)
    image = by_older(indexed, "a.png", width=1, **({} if hashed else {"input_sha256": None}))
    vector = indexed.collection.stored_vectors[image.id]
    assert index_keys(indexed.context, ["a.png"]) == {"copied": 1}
    assert len(indexed.encoder.batches) == encoded
    again = indexed.collection.by_key()["a.png"]
    assert (again.state, again.width, again.reader, again.indexed_at) == (INDEXED, 40, READER_VERSION, BEFORE)
    assert np.array_equal(indexed.collection.stored_vectors[image.id], vector)
    assert len(again.input_sha256) == 64
    assert index_keys(indexed.context, ["a.png"]) == {"unchanged": 1}


@pytest.mark.parametrize("hashed", [False, True])
def test_other_pixels_are_encoded_and_their_thumbnail_is_replaced(indexed, hashed):
    image = by_older(indexed, "a.png", input_sha256="0" * 64 if hashed else None)
    out = BytesIO()
    PIL.Image.new("RGB", (40, 30), (9, 9, 9)).save(out, "WEBP")
    indexed.thumbnails.kept[image.sha256] = out.getvalue()
    encoded = len(indexed.encoder.batches)
    assert index_keys(indexed.context, ["a.png"]) == {"indexed": 1}
    assert len(indexed.encoder.batches) == encoded + 1
    assert indexed.thumbnails.kept[image.sha256] != out.getvalue()
    assert indexed.collection.by_key()["a.png"].reader == READER_VERSION


def test_what_failed_is_tried_again_and_fails_once_a_version(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("b.png", b"no picture")
    index_keys(bench.context, ["a.png", "b.png"])
    for key in ("a.png", "b.png"):
        by_older(bench, key, state=FAILED, reason="of a kind that is not read", input_sha256=None)
    index_keys(bench.context, ["a.png", "b.png"])
    assert bench.states == {"a.png": INDEXED, "b.png": FAILED}
    assert {image.reader for image in bench.collection.images.values()} == {READER_VERSION}


def test_a_picture_that_lacks_a_little_has_a_note(bench):
    out = BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(out, "JPEG", quality=95)
    bench.bucket.put("a.jpg", out.getvalue()[:-1500])
    assert index_keys(bench.context, ["a.jpg"]) == {"indexed": 1}
    assert bench.collection.by_key()["a.jpg"].note.endswith("missing")
    bench.bucket.put("b.jpg", out.getvalue()[:-1400], modified_at=datetime.now(UTC))
    assert index_keys(bench.context, ["b.jpg"]) == {"waiting": 1}


def record(number: int, **fields: object) -> Image:
    key = f"{number}.png"
    return Image(image_id("main", key.encode()), "main", key, **{"state": INDEXED, "etag": "1", **fields})


def test_each_record_of_an_older_version_is_found_once_a_pass(make_queue):
    collection, tasks, now = FakeCollection(), make_queue(), [0.0]
    records = [record(number, state=FAILED if number % 2 else INDEXED) for number in range(AT_ONCE + 10)]
    records += [
        record(1001, reader=READER_VERSION, compared=COMPARISON_VERSION),
        record(1002, state=PENDING),
        record(1003, missing_since=BEFORE),
    ]
    collection.images = {image.id: image for image in records}
    rereading = Rereading(tasks, lambda: now[0])
    first, second = rereading.next_keys(collection), rereading.next_keys(collection)
    assert len(first) == AT_ONCE
    assert sorted(first + second) == sorted(image.key for image in records[:-3])
    assert rereading.next_keys(collection) == []
    now[0] += 4000
    assert rereading.next_keys(collection) == first
    assert len(rereading.next_keys(collection)) == 10
    done = {"reader": READER_VERSION, "compared": COMPARISON_VERSION}
    collection.images = {image.id: replace(image, **done) for image in records}
    now[0] += 4000
    assert rereading.next_keys(collection) == []
    now[0] += 1e6
    collection.images[records[0].id] = records[0]
    assert rereading.next_keys(collection) == []
