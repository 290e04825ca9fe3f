"""A bucket of S3 from its listing to the records: odd keys, and objects that cannot be read among those that can."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from s3_server import S3Server
from sightline_bucket import BucketSettings, BucketUnavailable, open_bucket
from sightline_catalogue import image_id
from sightline_ingest_worker.records import folders_and_label
from sightline_ingest_worker.worker.indexing import index_keys


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    server = S3Server()
    with server.settings():
        yield server
    server.close()


@pytest.fixture
def name(s3) -> str:
    return s3.make_bucket()


@pytest.fixture
def scene(scene, name):
    """A watcher over a bucket of S3, and a worker's work."""
    scene.bucket = scene.bench.context.bucket = open_bucket(BucketSettings(url=f"s3://{name}", writable=True))
    scene.start()
    return scene


def settle(scene) -> None:
    """Scan, and do what is queued, until nothing is."""
    for _ in range(4):
        scene.scan()
        scene.work()


ODD = ("a//b.png", "/lead.png", "../up.png", "a/./c.png", "a/../d.png", "e\x01.png", "tab\t.png", "s p?a#c%e.png")


def test_odd_keys_are_indexed_and_go_when_their_objects_go(scene, s3, name, draw):
    for number, key in enumerate(ODD):
        s3.put(name, key, draw(number))
    s3.put(name, "a/", b"")
    settle(scene)
    images = scene.bench.collection.by_key()
    assert {key: image.state for key, image in images.items()} == dict.fromkeys(ODD, "indexed")
    assert all(image.id == image_id("main", key.encode()) for key, image in images.items())
    assert scene.watcher.status.ignored == 0
    assert len(scene.bench.thumbnails.kept) == len(ODD)
    for key in ODD[:4]:
        scene.bucket.delete(key)
    settle(scene)
    assert index_keys(scene.bench.context, list(ODD)) == {"gone": 4, "unchanged": 4}


def test_what_cannot_be_read_fails_alone_and_says_why(scene, s3, name, draw):
    for number in range(40):
        s3.put(name, f"{number:02}.png", draw(number))
    s3.put(name, "archived.png", draw(50), StorageClass="DEEP_ARCHIVE")
    s3.put(name, "forbidden.png", draw(51))
    s3.put(name, "broken.png", draw(52))
    forbidden = s3.fails(f"* /{name}/forbidden.png", 403, "AccessDenied")
    with forbidden, s3.fails(f"GET /{name}/broken.png", 500, "InternalError"):
        settle(scene)
        failed = {key: image for key, image in scene.bench.collection.by_key().items() if image.state == "failed"}
        assert failed["archived.png"].reason == "archived in DEEP_ARCHIVE: restore it to have it indexed"
        assert "forbids" in failed["forbidden.png"].reason
        assert "InternalError" in failed["broken.png"].reason
        assert all(image.next_try_at is not None for image in failed.values())
        assert sum(state == "indexed" for state in scene.states.values()) == 40
    s3.client.copy_object(Bucket=name, Key="archived.png", CopySource={"Bucket": name, "Key": "00.png"})
    assert index_keys(scene.bench.context, list(failed)) == {"indexed": 2, "copied": 1}


def test_a_bucket_that_is_gone_or_refuses_everything_changes_nothing(scene, s3, name, draw):
    s3.put(name, "a.png", draw(1))
    settle(scene)
    with s3.fails("* *", 403, "AccessDenied"):
        for call in (scene.scan, lambda: index_keys(scene.bench.context, ["a.png", "b.png"])):
            with pytest.raises(BucketUnavailable, match="refuses everything"):
                call()
    s3.delete_bucket(name)
    for call in (scene.scan, lambda: index_keys(scene.bench.context, ["a.png"])):
        with pytest.raises(BucketUnavailable, match="was it deleted"):
            call()
    assert scene.states == {"a.png": "indexed"}


@pytest.mark.parametrize(
    ("key", "folders", "label"),
    [
        ("a.png", [], None),
        ("a/b/c.png", ["a", "a/b"], "b"),
        ("a//c.png", ["a"], "a"),
        ("/c.png", [], None),
        ("//a//b/c.png", ["//a", "//a//b"], "b"),
        ("a/../c.png", ["a", "a/.."], ".."),
    ],
)
def test_empty_parts_of_a_key_name_no_folder(key, folders, label):
    assert folders_and_label(key) == (folders, label)
