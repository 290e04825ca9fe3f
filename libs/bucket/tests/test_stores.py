"""A store opens on first use, once for all threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from obstore.store import MemoryStore
from sightline_bucket import BucketUnavailable, ThumbnailStore
from sightline_bucket.stores import LazyStore

SHA256 = "0" * 64


def test_threads_that_open_a_store_at_once_share_it():
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
    thumbnails = ThumbnailStore((place / "thumbnails").as_uri())
    with pytest.raises(BucketUnavailable):
        thumbnails.put(SHA256, b"webp")
    place.unlink()
    thumbnails.put(SHA256, b"webp")
    assert thumbnails.get(SHA256) == b"webp"
