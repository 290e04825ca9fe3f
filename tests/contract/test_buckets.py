"""Buckets: a folder, an object store, and the fake."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from fakes import FakeBucket
from sightline_bucket import (
    BucketReadOnly,
    BucketSettings,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
)
from sightline_bucket import open_bucket as open_s3
from sightline_bucket.folder import FolderBucket

NEVER = ("", ".hidden/a.jpg", "@eaDir/a.jpg", "\udcff")
"""Keys that no bucket has."""
KEYS = ("animals/cat.jpg", "animals/wild/lion.jpg", "animals/wild/wolf.jpg", "top.jpg", "L\u00e4nder/\u65e5 #.jpg")


@pytest.fixture(params=["folder", "S3", "fake"])
def kind(request):
    return request.param


@pytest.fixture
def open_bucket(kind, request, tmp_path):
    """Returns a bucket, the same each time, that may be written to or not."""
    name = request.getfixturevalue("s3").make_bucket() if kind == "S3" else ""
    fake = FakeBucket()
    (tmp_path / "bucket").mkdir()

    def open_bucket(*, writable: bool):
        if kind == "folder":
            return FolderBucket(os.fsencode(tmp_path / "bucket"), writable=writable)
        if kind == "S3":
            return open_s3(BucketSettings(url=f"s3://{name}", writable=writable))
        fake.writable = writable
        return fake

    return open_bucket


@pytest.fixture
def bucket(open_bucket):
    return open_bucket(writable=True)


def test_its_identity_stays_the_same(bucket):
    before = bucket.identity()
    bucket.write("top.jpg", b"1")
    assert bucket.identity() == before


@pytest.fixture
def filled(bucket):
    for key in KEYS:
        bucket.write(key, key.encode())
    return bucket


def test_an_object_is_read_as_it_was_written(bucket):
    bucket.write("animals/cat.jpg", b"a cat")
    data, seen = bucket.read("animals/cat.jpg", 100)
    assert data == b"a cat"
    assert seen == bucket.stat("animals/cat.jpg")
    assert (seen.key, seen.raw_name, seen.display_name) == ("animals/cat.jpg", b"animals/cat.jpg", "animals/cat.jpg")
    assert (seen.size, seen.problem) == (5, None)
    assert seen.etag
    assert seen.modified_at.tzinfo is UTC
    assert seen.modified_at <= datetime.now(UTC)


def test_reading_stops_one_byte_after_the_limit(bucket):
    bucket.write("a.jpg", b"12345678")
    assert [bucket.read("a.jpg", limit)[0] for limit in (100, 8, 7, 3)] == [b"12345678"] * 3 + [b"1234"]


def test_an_open_object_is_read_in_parts(bucket):
    bucket.write("a.jpg", b"0123456789")
    with bucket.open("a.jpg") as opened:
        assert opened.object == bucket.stat("a.jpg")
        parts = [(0, 4), (4, 4), (8, 4), (0, 100), (10, 1), (99, 1), (3, 0)]
        assert [opened.read(*part) for part in parts] == [b"0123", b"4567", b"89", b"0123456789", b"", b"", b""]


def test_no_part_is_of_another_object_that_took_the_key(bucket):
    bucket.write("a.jpg", b"0123456789")
    with bucket.open("a.jpg") as opened:
        assert opened.read(0, 4) == b"0123"
        bucket.delete("a.jpg")
        bucket.write("a.jpg", b"abcdefghij")
        with suppress(ObjectMissing):
            assert opened.read(4, 4) == b"4567"


def test_the_etag_changes_with_the_object(bucket):
    bucket.write("a.jpg", b"1")
    etag = bucket.stat("a.jpg").etag
    assert bucket.stat("a.jpg").etag == etag
    bucket.delete("a.jpg")
    bucket.write("a.jpg", b"22")
    assert bucket.stat("a.jpg").etag != etag


def test_every_object_is_listed_once(filled):
    listed = list(filled.list())
    assert sorted(one.key for one in listed) == sorted(KEYS)
    assert all(one == filled.stat(one.key) for one in listed)
    names = [one.key for one in listed if one.key.startswith("animals/wild/")]
    assert names == ["animals/wild/lion.jpg", "animals/wild/wolf.jpg"]


@pytest.mark.parametrize("prefix", ["animals", b"animals"])
def test_one_folder_is_listed_alone(filled, prefix):
    assert sorted(one.key for one in filled.list(prefix)) == sorted(key for key in KEYS if key.startswith("animals/"))


def test_a_folder_that_does_not_exist_lists_nothing(filled):
    assert list(filled.list("anim")) == []


@pytest.mark.parametrize("prefix", ["..", "animals/../..", "./animals"])
def test_a_folder_outside_is_not_listed(filled, prefix):
    with pytest.raises(KeyRefused):
        list(filled.list(prefix))


def test_a_missing_object_is_an_error(filled):
    for key in ("nothing.jpg", "animals", "animals/wild/cat.jpg"):
        for call in (filled.stat, filled.open, lambda key: filled.read(key, 10)):
            with pytest.raises(ObjectMissing):
                call(key)
    with pytest.raises(ObjectMissing):
        filled.delete("nothing.jpg")


def test_an_object_is_never_written_over_another(filled):
    with pytest.raises(ObjectExists):
        filled.write("top.jpg", b"another")
    assert filled.read("top.jpg", 100)[0] == b"top.jpg"


def test_a_deleted_object_is_gone(filled):
    filled.delete("top.jpg")
    assert "top.jpg" not in [one.key for one in filled.list()]
    with pytest.raises(ObjectMissing):
        filled.stat("top.jpg")


@pytest.mark.parametrize(
    "key",
    ["", "/a.jpg", "../a.jpg", "a/../b.jpg", "a//b.jpg", "a/", ".hidden/a.jpg", "@eaDir/a.jpg", "a\nb.jpg", "\udcff"],
)
def test_a_key_that_cannot_be_one_is_refused_for_everything(filled, key, kind):
    calls = [
        lambda: filled.stat(key),
        lambda: filled.open(key),
        lambda: filled.read(key, 10),
        lambda: filled.delete(key),
    ]
    # Others may have put such an object into a store.
    may_exist = kind == "S3" and key not in NEVER
    for call in calls:
        with pytest.raises(ObjectMissing if may_exist else KeyRefused):
            call()
    with pytest.raises(KeyRefused):
        filled.write(key, b"1")
    assert sorted(one.key for one in filled.list()) == sorted(KEYS)


def test_a_read_only_bucket_does_not_change(filled, open_bucket):
    bucket = open_bucket(writable=False)
    for change in (lambda: bucket.write("new.jpg", b"1"), lambda: bucket.delete("top.jpg")):
        with pytest.raises(BucketReadOnly, match="BUCKET_WRITABLE"):
            change()
    assert sorted(one.key for one in bucket.list()) == sorted(KEYS)


@pytest.fixture(params=["folder", "fake"])
def refusing(request, tmp_path):
    """A bucket with an object that can never be read."""
    if request.param == "folder":
        (tmp_path / "link.jpg").symlink_to(__file__)
        return FolderBucket(os.fsencode(tmp_path))
    bucket = FakeBucket()
    bucket.put("link.jpg", b"")
    bucket.problems["link.jpg"] = "a symbolic link"
    return bucket


def test_an_object_with_a_problem_is_listed_and_never_read(refusing):
    [listed] = refusing.list()
    assert listed == refusing.stat("link.jpg")
    assert "symbolic link" in listed.problem
    with pytest.raises(KeyRefused, match="symbolic link"):
        refusing.read("link.jpg", 10)


@pytest.fixture(params=["folder", "fake"])
def unavailable(request, tmp_path):
    """A bucket out of reach."""
    if request.param == "folder":
        return FolderBucket(os.fsencode(tmp_path / "nowhere"), writable=True)
    bucket = FakeBucket(writable=True)
    bucket.error = BucketUnavailable("the disk is not mounted")
    return bucket


def test_in_an_unavailable_bucket_no_object_is_missing(unavailable):
    calls = [
        lambda: list(unavailable.list()),
        lambda: unavailable.stat("a.jpg"),
        lambda: unavailable.read("a.jpg", 10),
        lambda: unavailable.write("a.jpg", b"1"),
        lambda: unavailable.delete("a.jpg"),
    ]
    for call in calls:
        with pytest.raises(BucketUnavailable):
            call()
