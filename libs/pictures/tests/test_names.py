from __future__ import annotations

import pytest
from sightline_pictures import (
    HEAD_BYTES,
    NameKind,
    extension_of,
    has_image_extension,
    is_image_head,
    name_kind,
    what_it_is,
)


def test_extensions_of_images_are_known_in_any_case():
    assert has_image_extension("a/b.JPG")
    assert has_image_extension("a.b.heic")
    assert has_image_extension("x.tiff")
    assert not any(map(has_image_extension, ("notes.txt", "jpg", "a.jpg/readme", "", ".jpg", "clip.mp4", "x.eps")))


@pytest.mark.parametrize(
    ("key", "extension", "kind", "what"),
    [
        ("a/b.JPG", ".jpg", NameKind.IMAGE, None),
        ("clip.MP4", ".mp4", NameKind.OTHER, "video"),
        ("logo.svg", ".svg", NameKind.OTHER, "vector graphics"),
        ("IMG_0001", "", NameKind.UNKNOWN, None),
        ("a.jpg/readme", "", NameKind.UNKNOWN, None),
        (".jpg", "", NameKind.UNKNOWN, None),
        ("..jpg", "", NameKind.UNKNOWN, None),
        ("2019.06.01 harbour", ".06.01 harbour"[3:], NameKind.UNKNOWN, None),
        ("photo.jpg.", "", NameKind.UNKNOWN, None),
        ("photo.jpg_original", ".jpg_original", NameKind.UNKNOWN, None),
    ],
)
def test_what_a_name_says(key, extension, kind, what):
    assert (extension_of(key), name_kind(key), what_it_is(key)) == (extension, kind, what)


def test_the_first_bytes_say_what_a_name_does_not(every_format):
    for data in every_format.values():
        assert is_image_head(data[:HEAD_BYTES])
    assert not any(map(is_image_head, (b"", b"%PDF-1.7", b"Dear diary", bytes(HEAD_BYTES))))
