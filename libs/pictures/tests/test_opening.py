from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile
from PIL.ExifTags import Base
from sightline_pictures import Picture, PictureError, open_picture

FORMATS = ("JPEG", "PNG", "WebP", "GIF", "BMP", "TIFF", "AVIF", "HEIC")
LIMITS = {"max_bytes": 1 << 24, "max_pixels": 10_000_000}
# Pillow says on the side what it finds odd in a damaged file; what counts is what comes back.
PILLOW_WARNS = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


def opened(data: bytes, **changes: int | None) -> Picture:
    return open_picture(data, **{**LIMITS, **changes})


def reason(data: bytes, **changes: int) -> str:
    with pytest.raises(PictureError) as caught:
        opened(data, **changes)
    assert "\n" not in caught.value.reason
    assert caught.value.reason == str(caught.value)
    return caught.value.reason


def survives(data: bytes) -> str | None:
    """Open whatever it is; return why it is refused. Any other error fails the test."""
    try:
        opened(data)
    except PictureError as error:
        return error.reason
    return None


def png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one).astype(int) - np.asarray(other).astype(int)).mean())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read(name, every_format, photo):
    picture = opened(every_format[name])
    assert (picture.format, picture.width, picture.height) == (name, 320, 240)
    assert picture.image.mode == "RGB"
    assert picture.image.size == (320, 240)
    assert difference(picture.image, photo) < 12


@pytest.mark.parametrize("name", FORMATS)
@PILLOW_WARNS
def test_a_truncated_file_of_any_format_is_refused_or_decodes_but_never_fails_otherwise(name, every_format):
    data = every_format[name]
    said = set()
    for length in {*range(1, 64), *range(64, len(data), max(1, len(data) // 40))}:
        said.add((survives(data[:length]) or "").split(":")[0])
    assert "truncated" in said
    assert reason(data[: len(data) // 2]).startswith("truncated:")


@pytest.mark.parametrize("name", FORMATS)
@PILLOW_WARNS
def test_damaged_bytes_of_any_format_raise_nothing_else(name, every_format):
    data = every_format[name]
    rng = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(data)
        for at in rng.integers(0, min(len(data), 2000), 4):
            broken[at] = rng.integers(0, 256)
        assert survives(bytes(broken)) != ""


@given(data=st.binary(max_size=300), magic=st.sampled_from(["", *FORMATS]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@PILLOW_WARNS
def test_arbitrary_bytes_raise_nothing_else(data, magic, every_format):
    start = every_format[magic][:20] if magic else b""
    assert survives(start + data) != ""


def test_what_is_no_picture_says_what_it_is():
    assert reason(b"").startswith("empty file")
    assert reason(b"Dear diary,\nthis is no picture. \xc3\xa9\n") == "not an image: it looks like text"
    assert "PDF" in reason(b"%PDF-1.7\n")
    assert "PostScript" in reason(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n")
    assert "zero bytes" in reason(bytes(5000))
    assert "video" in reason(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41")
    assert "JPEG, PNG" in reason(bytes(range(1, 256)))


def test_other_formats_of_pillow_are_not_parsed(photo):
    for other in ("PPM", "TGA", "ICO", "PCX", "EPS", "SGI"):
        out = BytesIO()
        photo.save(out, other)
        assert reason(out.getvalue()).startswith("not an image")


@pytest.mark.parametrize("extra", [b"", b"\0\0\0\0IEND\xaeB`\x82"])
def test_a_png_header_of_50_000_by_50_000_is_refused_before_decoding(extra):
    said = reason(png_header(50_000, 50_000) + extra, max_pixels=200_000_000)
    assert said == "50,000 x 50,000 pixels; the limit is 200,000,000 (IMAGE_MAX_PIXELS)"


@pytest.mark.parametrize("name", FORMATS)
def test_the_limit_of_pixels_is_the_callers(name, every_format):
    assert reason(every_format[name], max_pixels=320 * 240 - 1) == (
        "320 x 240 pixels; the limit is 76,799 (IMAGE_MAX_PIXELS)"
    )
    assert opened(every_format[name], max_pixels=320 * 240).width == 320


@pytest.mark.parametrize("name", FORMATS)
def test_the_limit_of_pixels_is_checked_without_decoding(name, every_format, monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    assert "IMAGE_MAX_PIXELS" in reason(every_format[name], max_pixels=1000)


def test_the_limit_of_bytes_comes_first(every_format):
    data = every_format["BMP"]
    assert reason(data, max_bytes=1000) == f"{len(data):,} bytes; the limit is 1,000 (IMAGE_MAX_BYTES)"


def test_pillows_own_limit_neither_matters_nor_changes(monkeypatch, every_format):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # The readers of the other two compare with it themselves, far above the limit that is usual here.
        for name in set(FORMATS) - {"WebP", "TIFF"}:
            assert opened(every_format[name]).width == 320
    assert Image.MAX_IMAGE_PIXELS == 1000


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "TIFF", "AVIF", "HEIC"])
def test_exif_orientation_is_applied_once(name, turn, photo, file_of):
    # Where each orientation keeps the picture's redder half: left, right, or top and bottom of the upright picture.
    exif = Image.Exif()
    exif[Base.Orientation] = turn
    if name == "HEIC":
        picture = opened(file_of(photo, name, exif=exif.tobytes()))
    else:
        picture = opened(file_of(photo, name, exif=exif))
    upright = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}.get(turn)
    expected = photo if upright is None else photo.transpose(Image.Transpose(upright))
    assert (picture.width, picture.height) == picture.image.size == expected.size
    assert difference(picture.image, expected) < 12


def test_width_and_height_are_the_whole_picture_even_where_less_is_decoded(photo, file_of):
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    data = file_of(photo.resize((1600, 1200)), "JPEG", exif=exif)
    picture = opened(data, min_side=300)
    assert (picture.width, picture.height) == (1200, 1600)
    assert picture.image.size == (300, 400)
    assert opened(data, min_side=301).image.size == (600, 800)
    assert opened(data).image.size == (1200, 1600)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_decoding_smaller_keeps_what_the_picture_shows(name, mode, photo, file_of):
    large = photo.resize((801, 601), Image.Resampling.BICUBIC).convert(mode)
    if mode == "RGBA":
        if name in ("JPEG", "BMP"):
            pytest.skip("it knows no transparency")
        large.putalpha(Image.linear_gradient("L").resize(large.size))
    data = file_of(large, name)
    whole, smaller = opened(data), opened(data, min_side=150)
    assert (smaller.width, smaller.height) == (whole.width, whole.height) == (801, 601)
    if name == "GIF":
        # Averages of a palette's indices mean nothing.
        assert smaller.image.size == (801, 601)
    else:
        assert min(smaller.image.size) == (150 if name == "JPEG" else 300)
    assert difference(smaller.image.resize((160, 120)), whole.image.resize((160, 120))) < 5


def test_a_smaller_jpeg_than_asked_for_is_left_as_it_is(every_format):
    assert opened(every_format["JPEG"], min_side=5000).image.size == (320, 240)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB", "L", "1"])
def test_transparency_is_laid_on_white(mode, file_of):
    if mode in ("RGBA", "LA"):
        image = Image.new(mode, (20, 10), (0,) * len(mode))
        image.paste((0,) * (len(mode) - 1) + (255,), (0, 0, 10, 10))
        data = file_of(image, "PNG")
    else:
        image = Image.new("L", (20, 10), 255)
        image.paste(0, (0, 0, 10, 10))
        image = image.convert("RGB").quantize(2) if mode == "P" else image.convert(mode)
        clear = {"P": image.getpixel((15, 5)), "RGB": (255, 255, 255), "L": 255, "1": 255}[mode]
        data = file_of(image, "PNG", transparency=clear)
    pixels = np.asarray(opened(data).image)
    assert (pixels[:, :10] == 0).all()
    assert (pixels[:, 10:] == 255).all()


def test_half_transparent_black_is_grey(file_of):
    pixels = np.asarray(opened(file_of(Image.new("RGBA", (4, 4), (0, 0, 0, 128)), "WebP", lossless=True)).image)
    assert abs(int(pixels[0, 0, 0]) - 127) <= 1


def test_a_gifs_first_frame_counts(file_of):
    first, second = Image.new("RGB", (30, 20), (255, 0, 0)), Image.new("RGB", (30, 20), (0, 0, 255))
    picture = opened(file_of(first, "GIF", save_all=True, append_images=[second]))
    assert picture.image.getpixel((5, 5)) == (255, 0, 0)


def test_a_tiffs_first_page_counts(file_of):
    first, second = Image.new("RGB", (30, 20), (255, 0, 0)), Image.new("RGB", (3, 2), (0, 0, 255))
    picture = opened(file_of(first, "TIFF", save_all=True, append_images=[second]))
    assert picture.image.size == (30, 20)
    assert picture.image.getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("name", ["TIFF", "PNG"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_sixteen_bit_greys_keep_their_steps(name, bits, file_of):
    ramp = np.linspace(0, 2**bits - 1, 256).astype(np.uint16)[None].repeat(4, 0)
    pixels = np.asarray(opened(file_of(Image.fromarray(ramp), name)).image)
    assert pixels[0, 0].tolist() == [0, 0, 0]
    assert pixels[0, -1].tolist() == [255, 255, 255]
    assert abs(int(pixels[0, 128, 0]) - 128) <= 1


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 5000.0)])
def test_floating_point_tiffs_are_brought_into_range(low, high, file_of):
    ramp = np.linspace(low, high, 256, dtype=np.float32)[None].repeat(4, 0)
    ramp[1, 0] = np.nan
    pixels = np.asarray(opened(file_of(Image.fromarray(ramp), "TIFF")).image)
    assert pixels[0, 0, 0] == 0
    assert pixels[0, -1, 0] == 255


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "LAB", "L", "1", "P", "I", "F"])
def test_other_modes_of_tiff_become_rgb(mode, photo, file_of):
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.buildTransform(*profiles, "RGB", "LAB").apply(photo)
    else:
        image = photo.convert(mode)
    picture = opened(file_of(image, "TIFF"))
    assert picture.image.mode == "RGB"
    reference = photo.convert("L" if mode in ("L", "1", "I", "F") else "RGB").convert("RGB")
    assert difference(picture.image, reference) < (130 if mode == "1" else 25)


def test_a_cmyk_jpeg_has_its_colours_the_right_way_round(file_of):
    red = Image.new("RGB", (64, 64), (230, 20, 20)).convert("CMYK")
    r, g, b = opened(file_of(red, "JPEG")).image.getpixel((30, 30))
    assert r > 200
    assert max(g, b) < 60


def test_an_icc_profile_is_applied(photo, file_of):
    # Red and blue swapped: a profile whose effect cannot be missed.
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = plain.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"????", b"bXYZ", 1)
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    picture = opened(file_of(photo, "PNG", icc_profile=swapped))
    red, green, blue = photo.split()
    assert difference(picture.image, Image.merge("RGB", (blue, green, red))) < 4
    assert difference(opened(file_of(photo, "PNG", icc_profile=plain)).image, photo) < 1


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200])
def test_a_broken_icc_profile_is_ignored(profile, photo, file_of):
    assert difference(opened(file_of(photo, "PNG", icc_profile=profile)).image, photo) == 0


def test_a_grey_picture_with_an_rgb_profile_opens(photo, file_of):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert opened(file_of(photo.convert("L"), "JPEG", icc_profile=profile)).image.mode == "RGB"
