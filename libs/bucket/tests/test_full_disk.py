"""A bucket, and a store of thumbnails, on a disk that is full."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sightline_bucket import BucketSettings, StoreFull, ThumbnailStore, folder_store, open_bucket
from sightline_service.disk_space import MB, Disk, DiskSpace

SHA, OTHER = "a" * 64, "b" * 64


def test_thumbnails_leave_the_reserve_and_are_read_meanwhile(tmp_path: Path) -> None:
    store = ThumbnailStore(tmp_path.as_uri(), 512)
    store.put(SHA, b"webp")
    free = 100 * MB
    store.disk = Disk("thumbnails", tmp_path, 512, lambda _: DiskSpace(10**12, free))
    with pytest.raises(StoreFull, match="the disk of the thumbnails is full: 100 MB are free"):
        store.put(OTHER, b"webp")
    assert store.get(SHA) == b"webp"
    assert store.get(OTHER) is None
    free = 10**11
    store.put(OTHER, b"webp")


def test_a_disk_that_fills_in_the_middle_leaves_no_half_of_a_thumbnail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_store, "atomic_write", write)
    with pytest.raises(StoreFull, match="is full: No space left on device"):
        ThumbnailStore(tmp_path.as_uri()).put(SHA, b"webp")


def test_a_picture_for_which_there_is_no_room_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = open_bucket(BucketSettings(url=tmp_path.as_uri(), writable=True))

    def sync(_: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(StoreFull, match="Disk quota exceeded"):
        bucket.write("a.png", b"png")
    assert list(tmp_path.iterdir()) == []
