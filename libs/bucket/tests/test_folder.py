from __future__ import annotations

import errno
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sightline_bucket import (
    Bucket,
    BucketError,
    BucketReadOnly,
    BucketSettings,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    open_bucket,
)


def bucket_at(folder: Path, writable: bool = True) -> Bucket:
    return open_bucket(BucketSettings(url=folder.as_uri(), writable=writable))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A bucket's folder, with a secret beside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


@pytest.fixture
def bucket(folder) -> Bucket:
    return bucket_at(folder)


def put(folder: Path, key: str, data: bytes = b"data") -> Path:
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def shown(bucket: Bucket, prefix: str | bytes = "") -> list[str]:
    return [found.display_name for found in bucket.list(prefix)]


def test_every_file_is_listed_with_its_properties(bucket, folder):
    put(folder, "a/b/deep.png", b"12345")
    path = put(folder, "first.jpg", b"123")
    os.utime(path, ns=(0, 1_600_000_000_123_456_789))
    first, deep = bucket.list()
    assert (first.key, first.raw_name, first.display_name, first.size) == ("first.jpg", b"first.jpg", "first.jpg", 3)
    assert first.modified_at == datetime(2020, 9, 13, 12, 26, 40, 123456, tzinfo=UTC)
    assert first.problem is None
    assert (deep.key, deep.size) == ("a/b/deep.png", 5)
    assert bucket.stat("first.jpg") == first


def test_folders_and_files_come_in_the_order_of_their_names(bucket, folder):
    for key in ("z.jpg", "b/2.jpg", "b/1.jpg", "a/x/9.jpg", "a/1.jpg", "c.jpg"):
        put(folder, key)
    assert shown(bucket) == ["c.jpg", "z.jpg", "a/1.jpg", "a/x/9.jpg", "b/1.jpg", "b/2.jpg"]


def test_one_folder_is_listed_alone(bucket, folder):
    for key in ("a/1.jpg", "a/x/2.jpg", "ab/3.jpg", "4.jpg"):
        put(folder, key)
    assert shown(bucket, "a") == shown(bucket, "a/") == ["a/1.jpg", "a/x/2.jpg"]
    assert shown(bucket, b"a/x") == ["a/x/2.jpg"]
    assert shown(bucket, "none") == shown(bucket, "4.jpg") == []


@pytest.mark.parametrize("prefix", ["..", "a/../..", "./a", "a//b"])
def test_a_folder_outside_is_not_listed(bucket, prefix):
    with pytest.raises(KeyRefused):
        list(bucket.list(prefix))


def test_hidden_files_and_those_of_storage_systems_are_not_listed(bucket, folder):
    hidden = (".DS_Store", ".git/a.jpg", "@eaDir/a.jpg", "a/.thumbs/b.jpg", "#recycle/a.jpg", "__MACOSX/a.jpg")
    for key in (*hidden, "seen.jpg"):
        put(folder, key)
    assert shown(bucket) == ["seen.jpg"]
    assert shown(bucket, ".git") == []
    for key in hidden:
        with pytest.raises(KeyRefused, match="hidden"):
            bucket.read(key, 100)


@pytest.mark.parametrize(
    ("raw", "expected", "problem"),
    [
        (b"two\nlines.jpg", "two\\nlines.jpg", "line break"),
        (b"bell\x07.jpg", "bell\\x07.jpg", "control character"),
        (b"c1\xc2\x85.jpg", "c1\\x85.jpg", "control character"),
        (b"latin\xe9.jpg", "latin\\xe9.jpg", "UTF-8"),
        (b"folder\xff/inside.jpg", "folder\\xff/inside.jpg", "UTF-8"),
    ],
)
def test_a_name_that_cannot_be_a_key_is_listed_with_its_problem(bucket, folder, raw, expected, problem):
    path = os.path.join(os.fsencode(folder), raw)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(os.fsdecode(path)).write_bytes(b"data")
    put(folder, "zz.jpg")
    found = next(found for found in bucket.list() if found.raw_name == raw)
    assert (found.key, found.display_name, found.size) == (None, expected, 4)
    assert problem in found.problem
    assert "zz.jpg" in shown(bucket)


def test_unusual_names_are_keys(bucket, folder):
    names = [
        "späte Ärger.jpg",
        "e\u0301.jpg",
        "日本/写真.jpg",
        "100%20.jpg",
        "a#b?.jpg",
        "back\\slash.jpg",
        " x .jpg",
        "...jpg",
    ]
    for name in names:
        if name.startswith("."):
            continue
        put(folder, name, name.encode())
        assert bucket.read(name, 1000)[0] == name.encode()
    assert {found.key for found in bucket.list()} == {name for name in names if not name.startswith(".")}
    assert all(found.problem is None for found in bucket.list())


def test_no_link_is_followed(bucket, folder):
    put(folder, "real/a.jpg")
    (folder / "out").symlink_to(folder.parent / "outside")
    (folder / "in").symlink_to("real")
    (folder / "loop").symlink_to(".")
    (folder / "real" / "up").symlink_to("..")
    (folder / "file.jpg").symlink_to(folder.parent / "outside" / "secret.jpg")
    (folder / "dangling.jpg").symlink_to("nowhere.jpg")
    listed = {found.key: found.problem for found in bucket.list()}
    assert listed.pop("real/a.jpg") is None
    assert set(listed) == {"out", "in", "loop", "real/up", "file.jpg", "dangling.jpg"}
    assert all("symbolic link" in problem for problem in listed.values())
    assert shown(bucket, "out") == shown(bucket, "in") == shown(bucket, "loop/loop") == []
    assert "symbolic link" in bucket.stat("file.jpg").problem
    with pytest.raises(KeyRefused, match="symbolic link"):
        bucket.read("file.jpg", 100)


@pytest.mark.parametrize(
    "key",
    [
        "out/secret.jpg",
        "real/../../outside/secret.jpg",
        "../outside/secret.jpg",
        "/etc/passwd",
        "in/a.jpg",
        "in/new.jpg",
        "a/./b.jpg",
        "a//b.jpg",
        "a/",
        "",
        ".",
        "..",
        "a\0b.jpg",
        "a\nb.jpg",
        "bad\udcff.jpg",
        "x" * 300,
        "x/" * 600 + "y",
    ],
)
def test_a_key_outside_the_bucket_is_refused_by_every_method(bucket, folder, key):
    put(folder, "real/a.jpg")
    (folder / "out").symlink_to(folder.parent / "outside")
    (folder / "in").symlink_to("real")
    for ask in (bucket.stat, lambda k: bucket.read(k, 10), lambda k: bucket.write(k, b"evil"), bucket.delete):
        with pytest.raises(KeyRefused) as caught:
            ask(key)
        assert "\n" not in str(caught.value)
        assert str(caught.value).isprintable()
    assert (folder.parent / "outside" / "secret.jpg").read_bytes() == b"secret"
    assert os.listdir(folder.parent / "outside") == ["secret.jpg"]
    assert os.listdir(folder / "real") == ["a.jpg"]


@given(key=st.text(max_size=40))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_key_inside_or_refused(bucket, folder, key):
    try:
        bucket.write(key, b"1")
    except (KeyRefused, ObjectExists):
        return
    data, found = bucket.read(key, 10)
    assert (data, found.key) == (b"1", key)
    bucket.delete(key)
    assert sorted(os.listdir(folder.parent)) == ["outside", "pictures"]


def test_the_bucket_itself_may_be_a_link(folder, tmp_path):
    put(folder, "a/b.jpg")
    (tmp_path / "link").symlink_to(folder)
    through = bucket_at(tmp_path / "link")
    assert shown(through) == ["a/b.jpg"]
    assert through.read("a/b.jpg", 10)[0] == b"data"


def test_pipes_and_sockets_are_never_opened(bucket, folder, monkeypatch):
    os.mkfifo(folder / "pipe.jpg")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.jpg")
        assert [found.key for found in bucket.list() if "pipe or socket" in (found.problem or "")] == [
            "pipe.jpg",
            "socket.jpg",
        ]
    with pytest.raises(KeyRefused):
        bucket.read("pipe.jpg", 10)


def test_reading_stops_one_byte_after_the_limit(bucket, folder):
    put(folder, "a.jpg", b"0123456789")
    put(folder, "empty.jpg", b"")
    assert bucket.read("a.jpg", 10)[0] == b"0123456789"
    data, found = bucket.read("a.jpg", 4)
    assert (data, found.size) == (b"01234", 10)
    assert bucket.read("empty.jpg", 4)[0] == b""


def test_the_etag_changes_with_size_and_time_and_not_with_the_inode(bucket, folder):
    path = put(folder, "a.jpg", b"1234")
    os.utime(path, ns=(0, 10**18))
    before = bucket.stat("a.jpg").etag
    copy = put(folder, ".copy", b"4321")
    os.utime(copy, ns=(0, 10**18))
    copy.replace(path)
    assert bucket.stat("a.jpg").etag == before
    os.utime(path, ns=(0, 10**18 + 1))
    touched = bucket.stat("a.jpg").etag
    path.write_bytes(b"12345")
    os.utime(path, ns=(0, 10**18 + 1))
    assert len({before, touched, bucket.stat("a.jpg").etag}) == 3


def test_times_out_of_range_do_not_stop_the_listing(bucket, folder):
    os.utime(put(folder, "old.jpg"), ns=(0, -(10**18) * 2))
    assert shown(bucket) == ["old.jpg"]
    assert bucket.stat("old.jpg").modified_at.tzinfo is UTC


def test_a_missing_object_differs_from_a_missing_bucket(bucket, folder):
    put(folder, "a.jpg")
    for key in ("none.jpg", "a.jpg/b.jpg", "none/none.jpg"):
        with pytest.raises(ObjectMissing):
            bucket.stat(key)
        with pytest.raises(ObjectMissing):
            bucket.read(key, 10)
        with pytest.raises(ObjectMissing):
            bucket.delete(key)
    folder.rename(folder.with_name("unplugged"))
    for ask in (
        lambda: list(bucket.list()),
        lambda: list(bucket.list("a")),
        lambda: bucket.stat("a.jpg"),
        lambda: bucket.read("a.jpg", 10),
        lambda: bucket.write("b.jpg", b""),
        lambda: bucket.delete("a.jpg"),
    ):
        with pytest.raises(BucketUnavailable) as caught:
            ask()
        assert str(folder) in str(caught.value)
        assert "mounted" in str(caught.value)
    assert not folder.exists()
    folder.with_name("unplugged").rename(folder)
    assert bucket.read("a.jpg", 10)[0] == b"data"


def test_a_bucket_removed_during_a_listing_is_unavailable_at_its_end(bucket, folder):
    for key in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        put(folder, key)
    listing = bucket.list()
    assert next(listing).key == "a/1.jpg"
    folder.rename(folder.with_name("unplugged"))
    with pytest.raises(BucketUnavailable):
        list(listing)


def test_a_bucket_replaced_during_a_listing_is_unavailable(bucket, folder):
    for key in ("a/1.jpg", "b/2.jpg"):
        put(folder, key)
    listing = bucket.list()
    next(listing)
    folder.rename(folder.with_name("unplugged"))
    folder.mkdir()
    with pytest.raises(BucketUnavailable, match="another folder"):
        list(listing)


def test_files_and_folders_removed_during_a_listing_are_left_out(bucket, folder):
    for key in ("a/1.jpg", "b/2.jpg", "c/3.jpg"):
        put(folder, key)
    listing = bucket.list()
    next(listing)
    (folder / "b" / "2.jpg").unlink()
    (folder / "b").rmdir()
    assert [found.key for found in listing] == ["c/3.jpg"]


def test_a_file_is_not_a_bucket(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BucketUnavailable, match="not a folder"):
        list(bucket_at(tmp_path / "file").list())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_listed_with_its_problem(bucket, folder):
    put(folder, "closed/a.jpg")
    put(folder, "b.jpg").chmod(0)
    put(folder, "open/c.jpg")
    (folder / "closed").chmod(0)
    try:
        listed = {found.key: found.problem for found in bucket.list()}
        assert "cannot be listed" in listed["closed"]
        assert listed["open/c.jpg"] is None
        for key in ("b.jpg", "closed/a.jpg"):
            with pytest.raises(ObjectUnreadable, match="may not be read"):
                bucket.read(key, 1)
    finally:
        (folder / "closed").chmod(0o755)


def fail_scandir(monkeypatch, folder: Path, code: int) -> None:
    """Have the listing of one folder fail."""
    really = os.scandir

    def scandir(place):
        if os.path.samestat(os.stat(place), folder.stat()):
            raise OSError(code, os.strerror(code))
        return really(place)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_folder_that_cannot_be_listed_has_a_problem_and_the_rest_is_listed(bucket, folder, monkeypatch):
    put(folder, "closed/a.jpg")
    put(folder, "open/c.jpg")
    fail_scandir(monkeypatch, folder / "closed", errno.EACCES)
    listed = {found.key: found.problem for found in bucket.list()}
    assert listed["closed"].startswith("a folder that cannot be listed: Permission denied")
    assert listed["open/c.jpg"] is None


def fail_reading(monkeypatch, code: int, *, root_answers: bool = True) -> None:
    """Have the reading of every file fail, and the listing of the bucket's folder too where it does not answer."""

    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "pread", fail)
    if not root_answers:
        monkeypatch.setattr(os, "scandir", fail)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EIO, "reading it failed: Input/output error: its disk may be damaged"),
        (errno.EBADMSG, "its disk may be damaged"),
        (errno.EUCLEAN, "its disk may be damaged"),
        (errno.ESTALE, "tried again"),
        (errno.EBUSY, "Device or resource busy"),
    ],
)
def test_an_error_of_one_file_is_its_own_and_one_of_the_folder_is_the_buckets(bucket, folder, monkeypatch, code, words):
    put(folder, "a/1.jpg")
    fail_reading(monkeypatch, code)
    with pytest.raises(ObjectUnreadable) as caught:
        bucket.read("a/1.jpg", 10)
    assert words in caught.value.reason
    assert "a/1.jpg" not in caught.value.reason
    fail_reading(monkeypatch, code, root_answers=False)
    with pytest.raises(BucketUnavailable, match=os.strerror(code)):
        bucket.read("a/1.jpg", 10)


def test_too_many_open_files_are_no_files_fault(bucket, folder, monkeypatch):
    put(folder, "a.jpg")
    fail_reading(monkeypatch, errno.EMFILE)
    with pytest.raises(BucketUnavailable, match="Too many open files"):
        bucket.read("a.jpg", 10)


def test_a_damaged_folder_is_listed_as_such_while_the_bucket_answers(bucket, folder, monkeypatch):
    put(folder, "a/1.jpg")
    put(folder, "b.jpg")
    fail_scandir(monkeypatch, folder / "a", errno.EIO)
    listed = {found.key: found.problem for found in bucket.list()}
    assert listed["a"] == "a folder that cannot be listed: Input/output error: its disk may be damaged"
    assert listed["b.jpg"] is None
    fail_scandir(monkeypatch, folder, errno.EIO)
    with pytest.raises(BucketUnavailable, match="Input/output error"):
        list(bucket.list())


def test_a_read_only_bucket_does_not_change(folder):
    put(folder, "a.jpg")
    closed = bucket_at(folder, writable=False)
    with pytest.raises(BucketReadOnly, match="BUCKET_WRITABLE"):
        closed.write("b.jpg", b"")
    with pytest.raises(BucketReadOnly):
        closed.delete("a.jpg")
    assert os.listdir(folder) == ["a.jpg"]


def test_a_file_is_written_whole_and_never_over_another(bucket, folder):
    bucket.write("new/folder/a.jpg", b"one")
    assert bucket.read("new/folder/a.jpg", 10)[0] == b"one"
    with pytest.raises(ObjectExists):
        bucket.write("new/folder/a.jpg", b"two")
    assert (folder / "new/folder/a.jpg").read_bytes() == b"one"
    assert os.listdir(folder / "new/folder") == ["a.jpg"]
    with pytest.raises(KeyRefused, match="a file is in the place"):
        bucket.write("new/folder/a.jpg/b.jpg", b"three")


def test_of_many_writers_of_one_key_one_succeeds(bucket, folder):
    outcomes: list[bytes | None] = []

    def write(data: bytes) -> None:
        try:
            bucket.write("a.jpg", data)
            outcomes.append(data)
        except ObjectExists:
            outcomes.append(None)

    writers = [threading.Thread(target=write, args=(bytes([65 + n]) * 100_000,)) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    (winner,) = [outcome for outcome in outcomes if outcome is not None]
    assert (folder / "a.jpg").read_bytes() == winner
    assert os.listdir(folder) == ["a.jpg"]


def test_files_are_written_where_there_are_no_hard_links(bucket, folder, monkeypatch):
    def link(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    bucket.write("a.jpg", b"one")
    with pytest.raises(ObjectExists):
        bucket.write("a.jpg", b"two")
    assert (folder / "a.jpg").read_bytes() == b"one"
    assert os.listdir(folder) == ["a.jpg"]


def test_a_full_disk_leaves_nothing_behind(bucket, folder, monkeypatch):
    def fsync(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(BucketUnavailable, match="No space left"):
        bucket.write("a.jpg", b"data")
    assert os.listdir(folder) == []


def test_only_files_are_deleted(bucket, folder):
    put(folder, "a/b.jpg")
    (folder / "link.jpg").symlink_to("a/b.jpg")
    for key in ("a", "link.jpg"):
        with pytest.raises(KeyRefused):
            bucket.delete(key)
    bucket.delete("a/b.jpg")
    assert shown(bucket) == ["link.jpg"]
    with pytest.raises(ObjectMissing):
        bucket.delete("a/b.jpg")


def test_every_error_is_a_bucket_error():
    for kind in (BucketReadOnly, BucketUnavailable, KeyRefused, ObjectExists, ObjectMissing, ObjectUnreadable):
        assert issubclass(kind, BucketError)
