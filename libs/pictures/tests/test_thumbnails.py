from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from sightline_pictures import Crop, PictureError, PictureSettings, preview, thumbnail
from sightline_pictures.rendering import render_crop


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


def corners() -> bytes:
    """Return a picture file of 200 x 100 pixels, each quarter of its own colour, that is shown turned by a quarter."""
    image = Image.new("RGB", (200, 100), "red")
    for box, colour in (((100, 0), "lime"), ((0, 50), "blue"), ((100, 50), "white")):
        image.paste(Image.new("RGB", (100, 50), colour), box)
    exif = Image.Exif()
    exif[0x0112] = 6
    out = BytesIO()
    image.save(out, "PNG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(
    ("x", "y", "colour"),
    [(0, 0, (0, 0, 255)), (0.5, 0, (255, 0, 0)), (0, 0.5, (255, 255, 255)), (0.5, 0.5, (0, 255, 0))],
)
def test_a_crop_is_of_the_upright_picture(x, y, colour):
    cropped = shown(render_crop(corners(), PictureSettings(), Crop(x, y, 0.5, 0.5)))
    assert cropped.size == (50, 100)
    assert cropped.getpixel((25, 50)) == pytest.approx(colour, abs=4)


def test_a_crop_of_a_large_picture_is_a_preview_of_it(photo):
    out = BytesIO()
    photo.resize((4000, 3000)).save(out, "JPEG")
    assert shown(render_crop(out.getvalue(), PictureSettings(), Crop(0, 0, 1, 1))).size == (1600, 1200)
    assert shown(render_crop(out.getvalue(), PictureSettings(), Crop(0.9, 0.9, 0.1, 0.1))).size == (400, 300)


def test_a_crop_has_at_least_16_pixels_a_side():
    assert shown(render_crop(corners(), PictureSettings(), Crop(0, 0, 0.16, 0.08))).size == (16, 16)
    with pytest.raises(PictureError, match="15 x 100 pixels; a side has at least 16"):
        render_crop(corners(), PictureSettings(), Crop(0.85, 0.5, 0.15, 0.5))
