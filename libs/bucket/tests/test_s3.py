"""A bucket of S3 as it is: any key, any object that cannot be read, and the whole store out of reach."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sightline_bucket import (
    Bucket,
    BucketReadOnly,
    BucketSettings,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    ThumbnailStore,
    open_bucket,
)

ODD_KEYS = (
    "a//b.png",
    "/lead.png",
    "//two.png",
    "./dot.png",
    "../up.png",
    "a/../b.png",
    "a/./b.png",
    "..",
    "a/..",
    "tail.png/",
    "c\x01d.png",
    "tab\t.png",
    "return\r.png",
    "nothing\x00.png",
    "\x7f.png",
    "next line\u0085.png",
    "\ufffe.png",
    "back\\slash.png",
    "%2e%2e/x.png",
    "a/%2F+b c.png",
    "?q=1#x.png",
    "a&<>\"'.png",
    " space .png ",
    "写真.png",
    "e\u0301.png",
    "\u00e9.png",
    "😀.png",
    "photo.jpg#1",
    f"{'long' * 255}.png",
)


@pytest.fixture
def name(s3) -> str:
    return s3.make_bucket()


@pytest.fixture
def bucket(s3, name) -> Iterator[Bucket]:
    with s3.settings():
        yield open_bucket(BucketSettings(url=f"s3://{name}", writable=True))


def keys_of(bucket: Bucket) -> list[str | None]:
    return [found.key for found in bucket.list()]


@pytest.mark.parametrize("prefix", ["", "below/here"])
def test_any_key_is_listed_read_and_deleted_as_it_is(s3, name, prefix):
    below = f"{prefix}/" if prefix else ""
    keys = [key for key in ODD_KEYS if len(below + key) <= 1024]
    for key in keys:
        s3.put(name, below + key, key.encode())
    with s3.settings():
        bucket = open_bucket(BucketSettings(url=f"s3://{name}/{prefix}", writable=True))
        found = list(bucket.list())
        assert sorted(one.key for one in found) == sorted(keys)
        for one in found:
            assert one.problem is None
            assert one.raw_name == one.key.encode()
            assert one.display_name.isprintable()
            assert bucket.stat(one.key) == one
            assert bucket.read(one.key, 10_000) == (one.raw_name, one)
            with bucket.open(one.key) as opened:
                assert opened.read(0, 2) + opened.read(2, 10_000) == one.raw_name
        for one in found:
            bucket.delete(one.key)
        assert list(bucket.list()) == []
    assert s3.keys(name) == []


def test_many_objects_are_listed_over_many_pages(s3, name, bucket):
    keys = sorted(f"{number // 100}/{number:04}.png" for number in range(1003))
    s3.put_many(name, keys)
    s3.put(name, "5//odd\x02.png", b"")
    assert keys_of(bucket) == sorted([*keys, "5//odd\x02.png"])


def test_folder_markers_are_no_files(s3, name, bucket):
    for key, data in {"dir/": b"", "dir/a.png": b"1", "dir/sub/": b"", "/": b"", "empty.png": b""}.items():
        s3.put(name, key, data)
    assert keys_of(bucket) == ["dir/a.png", "empty.png"]
    with s3.settings():
        assert keys_of(open_bucket(BucketSettings(url=f"s3://{name}/dir"))) == ["a.png"]


def test_a_folder_is_listed_alone_and_hidden_objects_not_at_all(s3, name, bucket):
    for key in ("a/1.jpg", "a/.thumbs/2.jpg", "ab/3.jpg", ".x/4.jpg", "a//5.jpg"):
        s3.put(name, key, b"1")
    assert keys_of(bucket) == ["a//5.jpg", "a/1.jpg", "ab/3.jpg"]
    assert [found.key for found in bucket.list("a")] == ["a//5.jpg", "a/1.jpg"]
    assert bucket.root is None
    with pytest.raises(KeyRefused):
        bucket.read("a/.thumbs/2.jpg", 1)


def test_an_object_is_written_once(s3, name, bucket):
    bucket.write("a/b.jpg", b"0123")
    with pytest.raises(ObjectExists):
        bucket.write("a/b.jpg", b"x")
    with (
        s3.fails(f"PUT /{name}/c.jpg", 501, "NotImplemented"),
        pytest.raises(BucketUnavailable, match="NotImplemented"),
    ):
        bucket.write("c.jpg", b"x")
    assert bucket.read("a/b.jpg", 10)[0] == b"0123"
    with s3.settings():
        closed = open_bucket(BucketSettings(url=f"s3://{name}"))
    for change in (lambda: closed.write("new.jpg", b""), lambda: closed.delete("a/b.jpg")):
        with pytest.raises(BucketReadOnly):
            change()
    for key in ("../new.jpg", "a//new.jpg", "line\nbreak.jpg"):
        with pytest.raises(KeyRefused):
            bucket.write(key, b"")


def test_no_part_is_of_another_version(s3, name, bucket):
    s3.put(name, "a.jpg", b"0123456789")
    with bucket.open("a.jpg") as opened:
        assert opened.read(0, 4) == b"0123"
        s3.put(name, "a.jpg", b"abcdefghij")
        with pytest.raises(ObjectMissing, match="changed"):
            opened.read(4, 4)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_says_so(s3, name, bucket, storage_class):
    s3.put(name, "old//a.png", b"1", StorageClass=storage_class)
    s3.put(name, "new.png", b"1")
    [found] = [one for one in bucket.list() if one.key == "old//a.png"]
    assert found.problem is None, "it may have been indexed before it was archived"
    assert bucket.stat("old//a.png") == found
    with pytest.raises(ObjectUnreadable) as caught:
        bucket.read("old//a.png", 10)
    assert caught.value.reason == f"archived in {storage_class}: restore it to have it indexed"
    assert bucket.read("new.png", 10)[0] == b"1"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "forbids reading it"),
        (400, "InvalidRequest", "InvalidRequest as the test wants"),
        (404, "NoSuchKey", "finds nothing by its name"),
        (500, "InternalError", "fails to read it"),
        (503, "ServiceUnavailable", "fails to read it"),
    ],
)
def test_what_is_wrong_with_one_object_is_its_own(s3, name, bucket, status, code, words):
    for key in ("a.png", "b.png"):
        s3.put(name, key, b"1")
    listed = {found.key: found for found in bucket.list()}
    with s3.fails(f"* /{name}/a.png", status, code):
        assert {found.key: found for found in bucket.list()} == listed
        assert bucket.stat("a.png") == listed["a.png"]
        with pytest.raises(ObjectUnreadable) as caught:
            bucket.read("a.png", 10)
        assert words in caught.value.reason
        assert "a.png" not in caught.value.reason
        assert bucket.read("b.png", 10)[0] == b"1"
        with s3.fails(f"GET /{name}", status, code), pytest.raises(BucketUnavailable):
            bucket.read("a.png", 10)


def test_an_overloaded_store_is_no_objects_fault(s3, name, bucket):
    s3.put(name, "a.png", b"1")
    with s3.fails(f"* /{name}/a.png", 503, "SlowDown"), pytest.raises(BucketUnavailable, match="SlowDown"):
        bucket.read("a.png", 10)


def test_an_object_that_is_not_there_is_missing_even_where_the_store_will_not_say(s3, name, bucket):
    for ask in (bucket.stat, bucket.delete, bucket.open, lambda key: bucket.read(key, 1)):
        with pytest.raises(ObjectMissing):
            ask("a.png")
    with s3.fails(f"* /{name}/a.png", 403, "AccessDenied"), pytest.raises(ObjectMissing):
        bucket.stat("a.png")


def assert_unavailable(bucket: Bucket, words: str) -> None:
    for call in (
        lambda: list(bucket.list()),
        lambda: bucket.stat("a.png"),
        lambda: bucket.open("a.png"),
        lambda: bucket.read("a.png", 1),
        lambda: bucket.delete("a.png"),
        lambda: bucket.write("a.png", b""),
    ):
        with pytest.raises(BucketUnavailable, match=words):
            call()


def test_a_bucket_that_was_deleted_is_unavailable(s3, name, bucket):
    s3.put(name, "a.png", b"1")
    assert keys_of(bucket) == ["a.png"]
    s3.delete_bucket(name)
    assert_unavailable(bucket, "was it deleted|NoSuchBucket")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "AccessDenied", "refuses everything"),
        (403, "InvalidAccessKeyId", "refuses the credentials"),
        (400, "ExpiredToken", "refuses the credentials"),
        (500, "InternalError", "InternalError"),
        (503, "SlowDown", "SlowDown"),
    ],
)
def test_a_store_that_refuses_everything_is_unavailable(s3, name, bucket, status, code, words):
    s3.put(name, "a.png", b"1")
    with s3.fails("* *", status, code):
        assert_unavailable(bucket, f"{words}|{code}")
    assert bucket.read("a.png", 1)[0] == b"1"


def test_a_store_that_fails_in_the_middle_of_its_listing_is_unavailable(s3, name, bucket, monkeypatch):
    s3.put_many(name, (f"{number:04}.png" for number in range(1001)))
    listing = bucket.list()
    next(listing)
    with s3.fails(f"GET /{name}", 500, "InternalError"), pytest.raises(BucketUnavailable):
        list(listing)


@pytest.fixture
def unconfigured(monkeypatch):
    """An environment that says nothing of S3, as those of other tests' stores do."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)


@pytest.mark.usefixtures("unconfigured")
@pytest.mark.parametrize(
    "environment", [{"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, {"AWS_ENDPOINT": "http://[::1]:9"}]
)
def test_a_store_that_does_not_answer_is_unavailable(monkeypatch, environment):
    for variable, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **environment}.items():
        monkeypatch.setenv(variable, value)
    bucket = open_bucket(BucketSettings(url="s3://pictures/below", writable=True))
    assert_unavailable(bucket, "AWS_ALLOW_HTTP=true")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert_unavailable(bucket, r"s3://pictures/below cannot be .*Could not connect")


@pytest.mark.usefixtures("unconfigured")
def test_a_client_is_as_the_environment_says(monkeypatch):
    from sightline_bucket.s3_client import create_client

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    amazon = create_client().meta
    assert (amazon.region_name, amazon.endpoint_url) == ("eu-central-1", "https://s3.eu-central-1.amazonaws.com")
    assert amazon.config.proxies is None
    for endpoint in ("https://minio:9000", "https://10.0.0.5", "https://localhost"):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        near = create_client().meta
        assert (near.endpoint_url, near.config.proxies, near.config.s3["addressing_style"]) == (endpoint, {}, "path")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://objects.example")
    assert create_client().meta.config.s3["addressing_style"] == "virtual"


def test_an_interrupted_body_is_read_again(s3, name, bucket, monkeypatch):
    s3.put(name, "a.png", b"0123")
    from botocore.exceptions import ResponseStreamingError
    from botocore.response import StreamingBody

    really, failures = StreamingBody.read, []

    def read(self, amount=None):
        if len(failures) < 1:
            failures.append(amount)
            raise ResponseStreamingError(error="connection reset")
        return really(self, amount)

    monkeypatch.setattr(StreamingBody, "read", read)
    assert bucket.read("a.png", 10)[0] == b"0123"
    assert len(failures) == 1


def test_thumbnails_are_stored_where_the_store_answers(s3, name):
    sha256 = "0" * 64
    with s3.settings():
        thumbnails = ThumbnailStore(f"s3://{name}/small")
        thumbnails.put(sha256, b"webp")
        assert s3.keys(name) == [f"small/00/{sha256}.webp"]
        with s3.fails(f"* /{name}/{quote(f'small/00/{sha256}.webp')}", 403, "AccessDenied"):
            assert thumbnails.get(sha256) is None
        assert thumbnails.get(sha256) == b"webp"
        s3.delete_bucket(name)
        for call in (thumbnails.get, thumbnails.exists, lambda sha: thumbnails.put(sha, b"webp")):
            with pytest.raises(BucketUnavailable):
                call(sha256)


def test_a_large_object_is_not_held_whole(s3, name, bucket):
    s3.put(name, "a.png", io.BytesIO(bytes(3 << 20)).getvalue())
    assert len(bucket.read("a.png", 1000)[0]) == 1001
    assert len(bucket.read("a.png", 4 << 20)[0]) == 3 << 20
