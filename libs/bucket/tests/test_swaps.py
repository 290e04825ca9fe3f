"""A file or a folder that becomes a symbolic link to one outside, and back, while the bucket looks at it."""

from __future__ import annotations

import ctypes
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sightline_bucket import BucketError, BucketSettings, ObjectExists, open_bucket

SWAPS = 100_000
LIBC = ctypes.CDLL(None)
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@pytest.fixture
def outside(tmp_path) -> Path:
    """A folder of someone else's, beside the bucket."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"private")
    return folder


@pytest.fixture
def bucket(tmp_path):
    """A bucket that may be written to, with a folder in it."""
    (tmp_path / "bucket" / "album").mkdir(parents=True)
    (tmp_path / "bucket" / "album" / "a.jpg").write_bytes(b"public")
    return open_bucket(BucketSettings(url=(tmp_path / "bucket").as_uri(), writable=True))


@contextmanager
def swapped(place: Path, target: Path) -> Iterator[Callable[[], bool]]:
    """Swap what is at a place and a link, SWAPS times; yields what says whether this goes on."""
    link = place.with_name(".link")
    link.symlink_to(target)
    stop = threading.Event()
    names = [os.fsencode(place), os.fsencode(link)]

    def swap() -> None:
        for _ in range(SWAPS):
            if stop.is_set():
                break
            assert LIBC.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield thread.is_alive
    finally:
        stop.set()
        thread.join()


@pytest.fixture(params=["file", "folder"])
def swap(request, bucket, outside):
    """Swaps the file, or its folder, for a link to the one outside."""
    place = bucket.root / "album"
    return lambda: swapped(place / "a.jpg", outside / "a.jpg") if request.param == "file" else swapped(place, outside)


def test_nothing_from_outside_is_read(bucket, swap):
    read: Counter[bytes] = Counter()
    with swap() as goes_on:
        while goes_on():
            try:
                data, found = bucket.read("album/a.jpg", 100)
            except BucketError as error:
                read[type(error).__name__.encode()] += 1
                continue
            read[data] += 1
            assert found.size == len(data)
    assert b"private" not in read
    # Each of these came up, else nothing was tried.
    assert read[b"public"]
    assert read[b"KeyRefused"]


def test_nothing_from_outside_is_described_or_listed(bucket, swap, outside):
    (outside / "b.jpg").write_bytes(b"")
    described = set()
    with swap() as goes_on:
        while goes_on():
            try:
                found = bucket.stat("album/a.jpg")
            except BucketError:
                continue
            described.add(found.size if found.problem is None else found.problem)
            assert "album/b.jpg" not in [found.key for found in bucket.list()]
    assert len(b"private") not in described


def test_nothing_outside_is_written(bucket, outside):
    written = 0
    with swapped(bucket.root / "album", outside) as goes_on:
        while goes_on():
            try:
                bucket.write(f"album/{written}.jpg", b"new")
            except ObjectExists:
                pytest.fail("a name was taken that nobody had")
            except BucketError:
                continue
            written += 1
    assert written
    assert os.listdir(outside) == ["a.jpg"]


def test_nothing_outside_is_deleted(bucket, outside):
    deleted = 0
    with swapped(bucket.root / "album", outside) as goes_on:
        while goes_on():
            try:
                bucket.delete("album/a.jpg")
            except BucketError:
                continue
            deleted += 1
            while True:
                try:
                    bucket.write("album/a.jpg", b"public")
                    break
                except BucketError:
                    continue
    assert deleted
    assert (outside / "a.jpg").read_bytes() == b"private"
