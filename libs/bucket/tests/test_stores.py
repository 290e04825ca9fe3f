"""A store opens on first use, once for all threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from obstore.store import MemoryStore
from sightline_bucket import BucketUnavailable, open_thumbnails
from sightline_bucket.stores import LazyStore

SHA256 = "0" * 64


def test_threads_that_come_first_together_share_one_store():
    opened = []
    together = threading.Barrier(8, timeout=10)

    def connect():
        opened.append(MemoryStore())
        return opened[-1]

    store = LazyStore(connect)
    assert opened == []

    def use(_):
        together.wait()
        return store()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(use, range(8)))
    assert len(opened) == 1
    assert all(one is opened[0] for one in found)


def test_a_store_that_could_not_be_opened_is_tried_again(tmp_path):
    place = tmp_path / "place"
    place.write_text("in the way")
    thumbnails = open_thumbnails((place / "thumbnails").as_uri())
    with pytest.raises(BucketUnavailable):
        thumbnails.put(SHA256, b"webp")
    place.unlink()
    thumbnails.put(SHA256, b"webp")
    assert thumbnails.get(SHA256) == b"webp"


@pytest.fixture
def thumbnails(tmp_path):
    return open_thumbnails((tmp_path / "thumbnails").as_uri())


def test_thumbnails_are_released_unless_something_uses_them(thumbnails):
    other = "1" * 64
    asked = []

    def in_use(shas):
        asked.append(shas)
        return {SHA256: "an image"}

    for sha256 in (SHA256, other):
        thumbnails.put(sha256, b"webp")
    thumbnails.release([other, SHA256, other], in_use)
    assert asked == [sorted({SHA256, other})]
    assert (thumbnails.get(SHA256), thumbnails.exists(other)) == (b"webp", False)
    thumbnails.release([other], lambda _: ())
    thumbnails.release([], in_use)
    assert len(asked) == 1


def test_thumbnails_of_an_uploaded_map_are_its_own(thumbnails):
    thumbnails.put(SHA256, b"of the map", map_id="m-1")
    assert not thumbnails.exists(SHA256)
    thumbnails.put(SHA256, b"of the collection")
    thumbnails.release([SHA256], lambda _: ())
    assert thumbnails.get(SHA256) is None
    assert thumbnails.get(SHA256, map_id="m-1") == b"of the map"
    assert thumbnails.get(SHA256, map_id="m-2") is None
    thumbnails.put(SHA256, b"of the collection")
    thumbnails.release_map("m-1", [SHA256, "1" * 64])
    assert thumbnails.get(SHA256, map_id="m-1") is None
    assert thumbnails.get(SHA256) == b"of the collection"


@pytest.mark.parametrize(("sha256", "map_id"), [("x", None), (SHA256, "../m-1"), (SHA256, "")])
def test_what_would_lead_elsewhere_is_refused(thumbnails, sha256, map_id):
    with pytest.raises(ValueError, match="is not a"):
        thumbnails.put(sha256, b"webp", map_id=map_id)
