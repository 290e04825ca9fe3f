"""Which keys are part of the bucket, and what is said of the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from sightline_bucket import Bucket, BucketSettings, KeyRefused, open_bucket
from sightline_bucket.left_out import MOST_COUNTED, LeftOut
from sightline_bucket.selection import Selection, split_patterns

KEYS = {
    "IMG_1.jpg": True,
    "2024/lake/IMG_2.jpg": True,
    "notes.d/x.jpg": True,
    ".hidden.jpg": False,
    "a/.thumbnails/1.jpg": False,
    "a/.snapshot/hourly/1.jpg": False,
    ".Trash-1000/files/1.jpg": False,
    "@eaDir/1.jpg/SYNOPHOTO_THUMB_XL.jpg": False,
    "a/#recycle/1.jpg": False,
    "#snapshot/daily/1.jpg": False,
    "$RECYCLE.BIN/S-1/1.jpg": False,
    "System Volume Information/1.jpg": False,
    "a/lost+found/1.jpg": False,
    "__MACOSX/a/1.jpg": False,
    "a/Lib.lrcat": True,
    "a/Lib Previews.lrdata/0/1.jpg": False,
    "Photos.photoslibrary/originals/0/1.jpeg": True,
    "Photos.photoslibrary/resources/derivatives/0/1.jpeg": False,
    "Photos.photoslibrary/scopes/1.jpeg": False,
    "a/b/Photos.photoslibrary/Masters/2012/1.jpeg": True,
    "a/b/Photos.photoslibrary/Thumbnails/2012/1.jpeg": False,
    "@eaDir": True,
    "a/snapshot/1.jpg": True,
}


@pytest.mark.parametrize("key", KEYS)
def test_what_storage_and_programs_make_is_left_out_by_default(key):
    assert (Selection().key(key.encode()) is None) is KEYS[key]


def test_patterns_are_gits():
    selection = Selection(["*.tmp.jpg", "/Private/", "drafts/*", "!drafts/good/", "!@eaDir/"], [])
    out = ["a/b.tmp.jpg", "Private/1.jpg", "drafts/1.jpg", "drafts/bad/1.jpg"]
    assert [key for key in out if selection.key(key.encode()) is None] == []
    kept = ["a/Private/1.jpg", "a/drafts/1.jpg", "drafts/good/1.jpg", "@eaDir/1.jpg", "a.jpg"]
    assert [key for key in kept if selection.key(key.encode()) is not None] == []
    assert selection.folder(b"Private").pattern == "/Private/"
    assert selection.folder(b"a") is selection.folder(b"") is None


def test_patterns_that_take_in_leave_out_the_rest():
    selection = Selection(["Photos/x/"], ["Photos/", "*.jpg"])
    kept = {key for key in ("Photos/a.png", "b/a.jpg", "b/a.png", "Photos/x/a.png") if not selection.key(key.encode())}
    assert kept == {"Photos/a.png", "b/a.jpg"}


def test_patterns_stand_one_a_line_or_between_commas(monkeypatch):
    assert split_patterns("a, b/") == ["a", " b/"]
    assert split_patterns("a, b/\n# a comment\n#recycle2/\n") == ["a, b/", "# a comment", "#recycle2/"]
    monkeypatch.setenv("BUCKET_EXCLUDE", "a, b.jpg/\n# a comment\n#recycle2/\n")
    monkeypatch.setenv("BUCKET_INCLUDE", "")
    selection = BucketSettings(url="file:///a").selection
    assert selection.key(b"a, b.jpg/1.jpg").pattern == "a, b.jpg/"
    assert selection.key(b"#recycle2/1.jpg").pattern == "#recycle2/"
    assert selection.key(b"# a comment") is None
    with pytest.raises(ValidationError, match="Invalid git pattern"):
        BucketSettings(url="file:///a", exclude="a, !")


FILES = [
    "a/1.jpg",
    "a/-2.jpg",
    "a/(3)/4.jpg",
    "marked/-5.jpg",
    "marked/.nomedia",
    "marked/6.jpg",
    "marked/in/7.jpg",
    "marked/(8)/9.jpg",
    "unmarked/.nomedia.jpg",
    "unmarked/10.jpg",
    "x/#snapshot/11.jpg",
    "x/#snapshot/d/12.jpg",
    "x/12.jpg",
]


@pytest.fixture(params=["folder", "store"])
def bucket(request, tmp_path) -> Iterator[Bucket]:
    """Of FILES, each of its own kind."""
    if request.param == "store":
        s3 = request.getfixturevalue("s3")
        name = s3.make_bucket()
        for key in FILES:
            s3.put(name, key, b"1")
        with s3.settings():
            yield open_bucket(BucketSettings(url=f"s3://{name}", writable=True))
        return
    for key in FILES:
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"1")
    yield open_bucket(BucketSettings(url=tmp_path.as_uri(), writable=True))


def test_a_folder_with_a_marker_and_what_is_below_it_is_left_out_and_counted(bucket):
    left_out = LeftOut()
    assert sorted(found.key for found in bucket.list(left_out=left_out)) == sorted(
        ["a/-2.jpg", "a/(3)/4.jpg", "a/1.jpg", "unmarked/10.jpg", "x/12.jpg"]
    )
    counted = {(group.kind, group.name): group.count for group in left_out}
    assert counted == {("no_media", ""): 4, ("folder", "#snapshot"): 2, ("hidden", ""): 1}
    assert left_out.count == 7
    [snapshot] = [group for group in left_out if group.kind == "folder"]
    assert snapshot.examples == ["x/#snapshot/11.jpg", "x/#snapshot/d/12.jpg"]
    assert not snapshot.at_least
    assert list(bucket.list("marked")) == list(bucket.list("marked/in")) == list(bucket.list("x/#snapshot")) == []
    assert [found.key for found in bucket.list("unmarked")] == ["unmarked/10.jpg"]


def test_what_is_left_out_is_neither_written_nor_read(bucket):
    for key in ("x/#snapshot/11.jpg", "x/#snapshot/new.jpg", ".new.jpg"):
        for ask in (bucket.stat, bucket.delete, lambda key: bucket.read(key, 1), lambda key: bucket.write(key, b"")):
            with pytest.raises(KeyRefused, match="hidden"):
                ask(key)
    with pytest.raises(KeyRefused, match=r"\.nomedia"):
        bucket.write("marked/in/new.jpg", b"")
    assert bucket.excluded("marked/in/7.jpg").no_media
    assert bucket.excluded("a/1.jpg") is None


def test_a_huge_folder_that_is_left_out_is_not_counted_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("sightline_bucket.left_out.MOST_COUNTED", 5)
    for number in range(9):
        (tmp_path / "@eaDir" / str(number)).mkdir(parents=True)
        (tmp_path / "@eaDir" / str(number) / "thumb.jpg").write_bytes(b"")
    left_out = LeftOut()
    assert list(open_bucket(BucketSettings(url=tmp_path.as_uri())).list(left_out=left_out)) == []
    [group] = left_out
    assert (group.count, group.at_least, len(group.examples)) == (5, True, 3)
    assert MOST_COUNTED > 5


def test_groups_are_not_without_number(monkeypatch):
    monkeypatch.setattr("sightline_bucket.left_out.MOST_GROUPS", 3)
    left_out = LeftOut()
    for number in range(10):
        left_out.add("extension", f".{number}", "unknown", f"a.{number}")
    assert [(group.kind, group.count) for group in left_out] == [("other", 7), *[("extension", 1)] * 3]


def test_a_stamp_tells_other_bytes_of_the_same_size_and_time(tmp_path):
    bucket = open_bucket(BucketSettings(url=tmp_path.as_uri()))
    path = tmp_path / "a.jpg"
    path.write_bytes(b"1234")
    os.utime(path, ns=(0, 10**18))
    before = bucket.stat("a.jpg")
    assert before.stamp
    [listed] = bucket.list()
    assert listed == before
    _replace(path, b"4321")
    after = bucket.stat("a.jpg")
    assert (after.etag, after.size) == (before.etag, before.size)
    assert after.stamp != before.stamp


def _replace(path: Path, data: bytes) -> None:
    copy = path.with_name(".copy")
    copy.write_bytes(data)
    os.utime(copy, ns=(0, 10**18))
    copy.replace(path)


def test_folders_that_cannot_be_listed_are_folders(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "album").symlink_to(tmp_path / "outside")
    (tmp_path / "in" / "nowhere").symlink_to(tmp_path / "none")
    deep = tmp_path / "in"
    for _ in range(6):
        deep = deep / ("x" * 200)
        os.mkdir(deep)
    found = {seen.display_name[:7]: seen for seen in open_bucket(BucketSettings(url=(tmp_path / "in").as_uri())).list()}
    assert (found["album"].is_folder, found["nowhere"].is_folder) == (True, False)
    assert "longer" in found["x" * 7].problem
    assert found["x" * 7].is_folder
