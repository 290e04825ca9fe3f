"""Stores of thumbnails: a folder's, an object store's, and the fake."""

from __future__ import annotations

import pytest
from fakes import FakeThumbnailStore
from sightline_bucket import ThumbnailStore

SHA256 = "0" * 64


@pytest.fixture(params=["folder", "S3", "fake"])
def thumbnails(request, tmp_path):
    if request.param == "folder":
        return ThumbnailStore((tmp_path / "thumbnails").as_uri())
    if request.param == "S3":
        return ThumbnailStore(f"s3://{request.getfixturevalue('s3').make_bucket()}")
    return FakeThumbnailStore()


def test_a_thumbnail_is_returned_as_stored(thumbnails):
    assert thumbnails.get(SHA256) is None
    assert not thumbnails.exists(SHA256)
    for webp in (b"webp", b"another"):
        thumbnails.put(SHA256, webp)
        assert thumbnails.exists(SHA256)
        assert thumbnails.get(SHA256) == webp


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
def test_an_invalid_sha256_or_map_id_is_refused(thumbnails, sha256, map_id):
    with pytest.raises(ValueError, match="is not a"):
        thumbnails.put(sha256, b"webp", map_id=map_id)
