from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from sightline_pictures import PictureSettings, preview, thumbnail


def shown(webp: bytes) -> Image.Image:
    image = Image.open(BytesIO(webp), formats=["WEBP"])
    image.load()
    return image


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3000), (384, 288)), ((300, 200), (300, 200)), ((384, 384), (384, 384)), ((10, 20_000), (1, 384))],
)
def test_a_thumbnails_longest_side_is_384_and_nothing_is_blown_up(size, expected):
    assert shown(thumbnail(Image.new("RGB", size, (9, 99, 199)))).size == expected


def test_a_preview_is_at_most_1600_wide(photo):
    assert shown(preview(photo.resize((3200, 800)))).size == (1600, 400)
    assert shown(preview(photo)).size == photo.size


def test_colours_stay_and_nothing_private_goes_along(photo):
    photo.info["exif"] = b"Exif\0\0where it was taken"
    photo.info["icc_profile"] = b"profile"
    small = shown(thumbnail(photo))
    assert not {"exif", "icc_profile"} & set(small.info)
    left, right = small.resize((2, 1)).getpixel((0, 0)), small.resize((2, 1)).getpixel((1, 0))
    assert left[0] > right[0]
    assert left[2] < right[2]


def test_other_modes_are_taken(photo):
    assert shown(thumbnail(photo.convert("L"))).size == photo.size
    assert shown(preview(photo.convert("CMYK"))).size == photo.size


def test_settings_come_from_the_environment(monkeypatch):
    assert PictureSettings().max_pixels == 200_000_000
    assert PictureSettings().max_bytes == 67_108_864
    monkeypatch.setenv("IMAGE_MAX_BYTES", "1000")
    assert PictureSettings().max_bytes == 1000
