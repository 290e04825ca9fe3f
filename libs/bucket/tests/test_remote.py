from __future__ import annotations

import obstore
import pytest
from obstore.store import MemoryStore
from sightline_bucket import (
    BucketReadOnly,
    BucketSettings,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    open_bucket,
)
from sightline_bucket.remote import RemoteBucket


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def bucket(store) -> RemoteBucket:
    return RemoteBucket("s3://pictures", writable=True, store=store)


def test_objects_are_listed_read_written_and_deleted(bucket):
    bucket.write("a/b.jpg", b"0123")
    (found,) = bucket.list()
    assert (found.key, found.raw_name, found.size, found.problem) == ("a/b.jpg", b"a/b.jpg", 4, None)
    assert found.etag
    assert '"' not in found.etag
    assert found.modified_at.utcoffset().total_seconds() == 0
    assert bucket.stat("a/b.jpg") == found
    assert bucket.read("a/b.jpg", 4) == (b"0123", found)
    assert bucket.read("a/b.jpg", 2) == (b"012", found)
    with pytest.raises(ObjectExists):
        bucket.write("a/b.jpg", b"x")
    bucket.delete("a/b.jpg")
    assert list(bucket.list()) == []
    for ask in (bucket.stat, bucket.delete, lambda key: bucket.read(key, 1)):
        with pytest.raises(ObjectMissing):
            ask("a/b.jpg")


def test_a_folder_is_listed_alone_and_hidden_objects_not_at_all(bucket, store):
    for key in ("a/1.jpg", "a/.thumbs/2.jpg", "ab/3.jpg", ".x/4.jpg"):
        obstore.put(store, key, b"1")
    assert [found.key for found in bucket.list()] == ["a/1.jpg", "ab/3.jpg"]
    assert [found.key for found in bucket.list("a")] == ["a/1.jpg"]
    assert bucket.root is None


def test_keys_outside_are_refused_and_a_read_only_bucket_does_not_change(bucket, store):
    with pytest.raises(KeyRefused):
        bucket.read("../x", 1)
    with pytest.raises(KeyRefused):
        list(bucket.list("../x"))
    closed = RemoteBucket("s3://pictures", store=store)
    with pytest.raises(BucketReadOnly):
        closed.write("a.jpg", b"")


def test_an_object_store_that_cannot_be_reached_is_unavailable(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_REGION", "here")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    bucket = open_bucket(BucketSettings(url="s3://pictures/below"))
    with pytest.raises(BucketUnavailable, match=r"s3://pictures/below.*error sending request"):
        list(bucket.list())
    with pytest.raises(BucketUnavailable):
        bucket.read("a.jpg", 1)
