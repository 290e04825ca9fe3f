"""Files beside pictures: found, read, and compared with those that the pictures were indexed with."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime

import pytest
from fakes import FakeBucket
from sightline_bucket.folder import FolderBucket
from sightline_ingest_worker.watcher.sidecars import SidecarComparison, pictures_beside
from sightline_ingest_worker.worker.indexing import index_keys
from sightline_ingest_worker.worker.sidecars import SidecarFinder, SidecarFolders
from sightline_pictures.metadata import LARGEST_SIDECAR, stamp_of

TAKEOUT = json.dumps({"photoTakenTime": {"timestamp": "1218234600"}}).encode()


def xmp(date: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        f'exif:DateTimeOriginal="{date}"/></rdf:RDF></x:xmpmeta>'
    ).encode()


def taken(bench, key: str) -> tuple[datetime | None, str | None]:
    image = bench.collection.by_key()[key]
    return image.taken_at, image.taken_from


@pytest.fixture
def folder(bench, tmp_path):
    """The bench, over a folder; returns what writes a file."""
    root = tmp_path / "pictures"
    root.mkdir()
    bench.context = replace(bench.context, bucket=FolderBucket(os.fsencode(root)))

    def put(key: str, data: bytes) -> None:
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(data)

    return put


def test_a_picture_in_a_folder_has_the_date_of_its_sidecar_or_of_its_name_and_its_copies_have_their_own(
    bench, draw, folder
):
    keys = ["a/one.png", "a/two.png", "b/IMG_20230101_123456.png", "b/plain.png"]
    for key in keys:
        folder(key, draw(1))
    folder("a/one.png.xmp", xmp("1999-01-01T10:00:00"))
    folder("a/two.png.supplemental-metadata.json", TAKEOUT)
    folder("b/other.xmp", xmp("1990-01-01T10:00:00"))
    assert index_keys(bench.context, keys) == {"indexed": 1, "copied": 3}
    assert [taken(bench, key) for key in keys] == [
        (datetime(1999, 1, 1, 10), "sidecar"),
        (datetime(2008, 8, 8, 22, 30), "takeout"),
        (datetime(2023, 1, 1, 12, 34, 56), "name"),
        (None, None),
    ]
    assert index_keys(bench.context, keys) == {"unchanged": 4}


def test_a_folder_that_has_not_changed_is_not_listed_again(tmp_path, monkeypatch):
    (tmp_path / "a.jpg.xmp").touch()
    listings = []
    really = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listings.append(path) or really(path))
    folders = SidecarFolders()
    # It has just changed, so that another change may leave its time as it is.
    assert folders.names(tmp_path) == folders.names(tmp_path) == {"a.jpg.xmp"}
    assert len(listings) == 2
    os.utime(tmp_path, (1e9, 1e9))
    assert folders.names(tmp_path) == folders.names(tmp_path) == {"a.jpg.xmp"}
    assert len(listings) == 3
    (tmp_path / "b.jpg.xmp").touch()
    assert folders.names(tmp_path) == {"a.jpg.xmp", "b.jpg.xmp"}
    assert folders.names(tmp_path / "nowhere") == frozenset()


def test_a_sidecar_that_comes_changes_or_goes_changes_its_picture_without_encoding_it(bench, draw, folder, tmp_path):
    folder("a.png", draw(1))
    index_keys(bench.context, ["a.png"])
    for date in ("1999-01-01T10:00:00", "2001-02-03T04:05:06"):
        folder("a.xmp", xmp(date))
        assert index_keys(bench.context, ["a.png"]) == {"copied": 1}
        assert taken(bench, "a.png") == (datetime.fromisoformat(date), "sidecar")
        assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}
    (tmp_path / "pictures" / "a.xmp").unlink()
    assert index_keys(bench.context, ["a.png"]) == {"copied": 1}
    assert taken(bench, "a.png") == (None, None)
    assert sum(bench.encoder.batches) == 1


@pytest.mark.parametrize("data", [b"", b"<", b"\0" * 1000, b"x" * (LARGEST_SIDECAR + 1)])
def test_a_sidecar_that_cannot_be_read_is_no_failure(bench, draw, folder, data):
    folder("a.png", draw(1))
    folder("a.png.xmp", data)
    os.symlink("/etc/passwd", bench.context.bucket.root / "a.xmp")
    assert index_keys(bench.context, ["a.png"]) == {"indexed": 1}
    assert taken(bench, "a.png") == (None, None)
    assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}


def test_in_an_object_store_sidecars_are_looked_for_once_the_picture_is_indexed(bench, draw):
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("a.png.json", TAKEOUT)
    assert SidecarFinder(bench.bucket, SidecarFolders()).find("a.png", is_up_to_date=False) == ()
    index_keys(bench.context, ["a.png"])
    assert taken(bench, "a.png") == (None, None)
    assert index_keys(bench.context, ["a.png"]) == {"copied": 1}
    assert taken(bench, "a.png") == (datetime(2008, 8, 8, 22, 30), "takeout")
    assert index_keys(bench.context, ["a.png"]) == {"unchanged": 1}


@pytest.mark.parametrize("order", [1, -1])
def test_a_listing_tells_whose_sidecars_are_others(order):
    bucket = FakeBucket()
    sidecars = ["a/new.xmp", "a/same.jpg.json", "a/b/changed.jpg.xmp", "top.xmp", "a/other.xmp"]
    for key in sidecars:
        bucket.put(key, b"x")
    known = {
        "a/new.jpg": None,
        "a/same.jpg": stamp_of([("a/same.jpg.json", bucket.etag("a/same.jpg.json"))]),
        "a/gone.jpg": "0123456789abcdef",
        "a/none.jpg": None,
        "a/b/changed.jpg": "0123456789abcdef",
        "a/b/none.jpg": None,
        "top.jpg": None,
        "z/none.jpg": None,
    }
    by_folder: dict[str, list[str]] = {}
    for key in sorted([*sidecars, *known])[::order]:
        by_folder.setdefault(key.rpartition("/")[0], []).append(key)
    comparison = SidecarComparison(100)
    # As a folder is walked: its own files, then its folders.
    for key in [key for folder in sorted(by_folder) for key in by_folder[folder]]:
        if key in known:
            comparison.add_picture(key, known[key])
        else:
            comparison.add_sidecar(bucket.stat(key))
    comparison.finish()
    assert sorted(comparison.changed) == ["a/b/changed.jpg", "a/gone.jpg", "a/new.jpg", "top.jpg"]


def test_a_listing_by_keys_tells_the_same_and_no_more_than_there_is_room_for():
    bucket = FakeBucket()
    keys = ["a/1.jpg", "a/1.xmp", "a/b/2.jpg", "a/b/2.jpg.xmp", "a/z.jpg", "a/z.jpg.json", "b.jpg"]
    for room, expected in ((100, ["a/1.jpg", "a/b/2.jpg", "a/z.jpg"]), (2, None)):
        comparison = SidecarComparison(room)
        for key in keys:
            bucket.put(key, b"x")
            if key.endswith(".jpg"):
                comparison.add_picture(key, None)
            else:
                comparison.add_sidecar(bucket.stat(key))
        comparison.finish()
        assert sorted(comparison.changed) == expected if expected else len(comparison.changed) == room


def test_the_pictures_beside_a_sidecar_are_found_whether_it_exists_or_not(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/x.jpg", "a/x.png", "a/xy.jpg", "x.jpg"):
        (tmp_path / name).touch()
    assert sorted(pictures_beside(tmp_path, ["a/x.xmp", "a/note.json", "none/x.xmp"])) == ["a/x.jpg", "a/x.png"]
    assert pictures_beside(tmp_path, ["x.jpg.json"]) == ["x.jpg"]
    assert pictures_beside(tmp_path, ["a/x.jpg"]) == []
