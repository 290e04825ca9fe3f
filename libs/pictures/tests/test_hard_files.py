"""Files that people's archives really have: what each shows, or why it is not read."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import numpy as np
import pillow_heif
import pytest
from hard_files import (
    CORNERS,
    chunk,
    corners,
    high_range,
    high_range_png,
    marked,
    page,
    psd,
    raw_file,
    samples,
    tiff,
    with_chunk,
)
from PIL import Image, ImageDraw, PngImagePlugin
from sightline_pictures import Picture, PictureError, open_picture, read_tags

SIZE = (120, 80)
MARKED = marked(SIZE)
GREY = MARKED.convert("L")
GREY_CORNERS = corners(GREY)
WHITE = Image.new("RGB", SIZE, "white")


def opened(data: bytes) -> Picture:
    return open_picture(data, max_bytes=1 << 26, max_pixels=30_000_000, min_side=300)


def reason(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        opened(data)
    return caught.value.reason


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def assert_shows(picture: Picture, expected: Any = CORNERS, within: int = 12) -> None:
    assert (picture.width, picture.height) == SIZE
    assert np.abs(corners(picture.image) - np.array(expected)).max() <= within, corners(picture.image).tolist()


# TIFF


@pytest.mark.parametrize("kind", ["u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"])
@pytest.mark.parametrize("layout", ["plain", "planar", "big-endian", "predicted", "tiled"])
def test_tiff_samples_of_any_type_are_read(kind, layout):
    options = {
        "plain": {},
        "planar": {"planar": True},
        "big-endian": {"order": ">", "zipped": True},
        "predicted": {"predictor": 3 if kind[0] == "f" else 2, "zipped": True},
        "tiled": {"tile": 32, "zipped": True, "predictor": 3 if kind[0] == "f" else 2},
    }[layout]
    order = options.get("order", "<")
    assert_shows(opened(tiff(page(samples(MARKED, kind), 2, **options), order=order)))
    options.pop("planar", None)
    assert_shows(opened(tiff(page(samples(GREY, kind), 1, **options), order=order)), GREY_CORNERS)


@pytest.mark.parametrize("order", ["<", ">"])
def test_white_is_zero_in_sixteen_bits(order):
    data = tiff(page(65535 - samples(GREY, "u2"), 0, order=order), order=order)
    assert_shows(opened(data), GREY_CORNERS)


@pytest.mark.parametrize("kind", ["u2", "u4", "f4"])
def test_a_hot_pixel_does_not_blacken_the_others(kind):
    values = np.asarray(GREY).astype(kind) * (16 if kind[0] == "u" else 1 / 255)
    values[40, 60] = 60_000 if kind == "u2" else 2e9
    assert_shows(opened(tiff(page(values, 1))), GREY_CORNERS)


def test_values_that_stand_for_none_do_not_set_the_range():
    heights = np.asarray(GREY).astype(np.int16) * 4 - 300
    heights[30:50, 40:80] = -32768
    assert_shows(opened(tiff(page(heights, 1))), GREY_CORNERS, 16)
    floats = heights.astype(np.float32)
    floats[30:50, 40:80] = -9999
    assert_shows(opened(tiff(page(floats, 1, tags={42113: "-9999"}))), GREY_CORNERS, 16)


@pytest.mark.parametrize("mark", [{254: 1}, {255: 2}, {}])
def test_the_page_that_is_a_reduced_one_is_passed_over(mark):
    small = page(np.asarray(MARKED.resize((30, 20))), 2, tags=mark)
    assert_shows(opened(tiff(small, page(samples(MARKED, "f4"), 2))))
    assert_shows(opened(tiff(small, below=[page(np.asarray(MARKED), 2, zipped=True)])))


def test_transparency_in_planes_is_laid_on_white():
    alpha = samples(Image.linear_gradient("L").resize(SIZE), "u2")
    pixels = np.dstack([samples(MARKED, "u2"), alpha * 0 + 65535])
    assert_shows(opened(tiff(page(pixels, 2, planar=True, tags={338: 2}))))


def test_a_tiff_that_does_not_say_where_its_pixels_are():
    broken = page(samples(MARKED, "f4"), 2)
    broken[0] = [b""]
    assert "TIFF" in reason(tiff(broken))


# JPEG


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_how_much_of_a_jpeg_is_missing_is_said(progressive, subsampling):
    rng = np.random.default_rng(5)
    noisy = Image.fromarray(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)).resize((600, 400))
    data = saved(noisy, "JPEG", quality=90, progressive=progressive, subsampling=subsampling)
    assert opened(data).note is None
    assert opened(data[:-2]).note is None
    for kept in (0.97, 0.93):
        note = opened(data[: int(len(data) * kept)]).note
        assert note is not None
        assert note.endswith("missing")
        assert abs(int(note.split()[2]) - 100 * (1 - kept)) <= 3
        zeros = data[: int(len(data) * kept)] + bytes(len(data) // 20)
        assert opened(zeros).note is not None
    for kept in (0.8, 0.5, 0.2):
        said = reason(data[: int(len(data) * kept)])
        assert said.startswith("truncated: its last ")
        if not progressive:
            assert abs(int(said.split()[3]) - 100 * (1 - kept)) <= 4
    for length in range(3, 700, 40):
        assert reason(data[:length]).startswith("truncated: ")


def test_what_is_no_part_of_a_jpegs_picture_does_not_matter():
    data = saved(MARKED, "JPEG", quality=95)
    for extra in (b"\xff\xe1\0\x10Exif\0\0" + b"\xff" * 8, b"\xff\xed\0\x01", b"\xff\xff\xff"):
        assert_shows(opened(data[:2] + extra + data[2:]), within=20)
    assert_shows(opened(data + b"a video of the moment" * 99), within=20)
    assert_shows(opened(saved(MARKED, "MPO", save_all=True, append_images=[WHITE], quality=95)), within=20)


# PNG


PNG = saved(MARKED, "PNG")


def large_text() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("workflow", "x" * 2_000_000, zip=True)
    return saved(MARKED, "PNG", pnginfo=notes)


@pytest.mark.parametrize(
    "data",
    [
        PNG[:-12],
        PNG[:-16],
        PNG[:-20],
        with_chunk(PNG, chunk(b"tEXt", b"a\0b", 7)),
        with_chunk(PNG, chunk(b"iCCP", b"a\0\0junk", 7)),
        with_chunk(PNG, chunk(b"iTXt", b"x" * 30)),
        with_chunk(PNG, b"".join(chunk(b"tEXt", b"k\0" + b"x" * 900_000) for _ in range(40))),
        large_text(),
    ],
    ids=["no end", "cut after", "cut checksum", "text", "profile", "international text", "megabytes", "compressed"],
)
def test_what_is_not_pixels_of_a_png_does_not_matter(data):
    assert_shows(opened(data))


def test_how_much_of_a_png_is_missing_is_said():
    assert reason(PNG[: len(PNG) // 2]).startswith("truncated: its last ")


# Transparency


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_white_on_transparent_is_seen_and_black_stays_on_white(mode):
    for colour, ground in (((250, 250, 250, 255), 128), ((0, 0, 0, 255), 255)):
        logo = Image.new("RGBA", SIZE, (255, 255, 255, 0))
        ImageDraw.Draw(logo).ellipse((30, 20, 90, 60), fill=colour)
        if mode == "P":
            image = Image.new("P", SIZE, 0)
            image.putpalette([255, 255, 255, *colour[:3]])
            ImageDraw.Draw(image).ellipse((30, 20, 90, 60), fill=1)
            data = saved(image, "PNG", transparency=0)
        else:
            data = saved(logo.convert(mode), "PNG")
        pixels = opened(data).image
        assert pixels.getpixel((2, 2)) == (ground,) * 3
        assert pixels.getpixel((60, 40)) == colour[:3]


@pytest.mark.parametrize("alpha", [0, 255])
def test_an_alpha_of_zeros_in_a_bmp_means_nothing(alpha):
    pixels = np.dstack([np.asarray(MARKED)[:, :, ::-1], np.full(SIZE[::-1], alpha, np.uint8)])[::-1].tobytes()
    head = struct.pack("<IiiHHIIiiII", 108, *SIZE, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    head += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    data = b"BM" + struct.pack("<IHHI", 14 + len(head) + len(pixels), 0, 0, 14 + len(head)) + head + pixels
    assert_shows(opened(data))
    assert_shows(opened(data[:-2]))


# Animations


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
def test_the_first_frame_that_shows_something_counts(name):
    options: dict[str, Any] = {"quality": 95} if name in ("WEBP", "AVIF") else {}
    data = saved(WHITE, name, save_all=True, append_images=[MARKED, WHITE], **options)
    assert_shows(opened(data), within=50)
    blank = opened(saved(WHITE, name, save_all=True, append_images=[Image.new("RGB", SIZE)], **options))
    assert blank.image.getpixel((5, 5)) == (255, 255, 255)


def test_later_frames_that_are_cut_off_do_not_matter():
    data = saved(MARKED, "GIF", save_all=True, append_images=[MARKED.rotate(180)])
    assert_shows(opened(data[:-600]), within=50)


def test_a_webp_whose_metadata_is_cut_off():
    data = saved(MARKED, "WEBP", quality=95, exif=b"Exif\0\0" + bytes(500))
    assert_shows(opened(data[:-100]), within=40)
    assert reason(data[: len(data) // 3]).startswith("truncated: its last ")


# Photoshop, JPEG 2000, JPEG XL


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_photoshops_flat_picture_is_read(kind):
    values = samples(MARKED, kind) if kind != "f4" else (samples(MARKED, "f8") ** 2.2).astype("f4")
    picture = opened(psd(values))
    assert picture.format == "PSD"
    assert_shows(picture)
    if kind != "f4":
        assert_shows(opened(psd(samples(GREY, kind), 1)), GREY_CORNERS)
    saved_selection = np.dstack([values, values[:, :, 0] * 0])
    assert_shows(opened(psd(saved_selection)))


def test_photoshop_files_without_their_picture_say_so():
    assert "without its flat picture" in reason(psd(samples(MARKED, "u1"), flat=False))


@pytest.mark.parametrize("alone", [False, True])
def test_jpeg_2000_is_read_at_a_fraction_of_its_size(alone):
    picture = opened(saved(MARKED, "JPEG2000", no_jp2=alone))
    assert picture.format == "JPEG 2000"
    assert_shows(picture)
    large = opened(saved(MARKED.resize((1501, 1300)), "JPEG2000", no_jp2=alone))
    assert (large.width, large.height) == (1501, 1300)
    assert large.image.width == 750
    assert np.abs(corners(large.image) - np.array(CORNERS)).max() <= 12


def test_jpeg_xl_is_read():
    # It has no wheel for Linux on ARM.
    pylibjxl = pytest.importorskip("pylibjxl")
    pixels = np.asarray(MARKED)
    exif = Image.Exif()
    exif[271], exif[274] = "Canon", 6
    data = pylibjxl.encode(pixels, exif=exif.tobytes().removeprefix(b"Exif\0\0"))
    picture = opened(data)
    assert (picture.format, picture.tags.camera) == ("JPEG XL", "Canon")
    assert read_tags(data).camera == "Canon"
    assert_shows(picture, within=25)
    assert_shows(opened(pylibjxl.encode(np.asarray(GREY))), GREY_CORNERS, 25)
    assert_shows(opened(pylibjxl.encode(np.dstack([pixels, pixels[:, :, 0] * 0 + 255]))), within=25)
    assert_shows(opened(pylibjxl.jpeg_to_jxl(saved(MARKED, "JPEG", quality=95))), within=25)
    assert "JPEG XL" in reason(b"\xff\x0a" + bytes(2000))


def test_a_jpeg_xl_without_its_library_says_so(monkeypatch):
    monkeypatch.setattr("sightline_pictures.jxl.find_spec", lambda name: None)
    assert "not read on this computer" in reason(b"\xff\x0a" + bytes(2000))


# Camera raw


def colourful(picture: Picture) -> None:
    """Check the corners' colours, as far as a development keeps them."""
    found = corners(picture.image)
    assert [int(row.argmax()) for row in found[:3]] == [0, 1, 2], found.tolist()
    assert found[3][2] < found[3][:2].min() - 40


@pytest.mark.parametrize("turn", [1, 6])
def test_a_raw_file_is_developed_or_its_preview_is_shown(turn):
    upright = marked((1200, 800))
    picture = opened(raw_file(upright, turn))
    assert (picture.format, picture.tags.camera) == ("camera raw", "Sightline Tester")
    assert (picture.width, picture.height) == ((1200, 800) if turn == 1 else (800, 1200))
    assert max(picture.image.size) == 600
    if turn == 1:
        colourful(picture)
    preview = page(np.asarray(marked((900, 600))), 2)
    shown = opened(raw_file(upright, turn, preview))
    assert (shown.width, shown.height) == (picture.width, picture.height)
    if turn == 1:
        colourful(shown)


def test_a_raw_file_of_an_unknown_kind_shows_its_preview_or_says_why_not():
    sensor = page(samples(GREY, "u2"), 32803, tags={259: 9999})
    picture = opened(tiff(page(np.asarray(MARKED), 2, tags={254: 1}), below=[sensor]))
    assert picture.format == "camera raw"
    assert_shows(picture)
    assert "camera" in reason(tiff(sensor))
    assert "camera" in reason(b"FUJIFILMCCD-RAW 0201" + bytes(3000))


# High dynamic range


@pytest.mark.parametrize("transfer", [16, 18])
@pytest.mark.parametrize("name", ["PNG", "HEIC"])
def test_high_dynamic_range_is_mapped_to_what_looks_right(name, transfer):
    size = (320, 240)
    if name == "PNG":
        data = high_range_png(size, transfer)
    else:
        out = BytesIO()
        coded = pillow_heif.from_bytes("RGB;16", size, high_range(size, transfer).tobytes())
        codes = {"color_primaries": 9, "transfer_characteristics": transfer, "matrix_coefficients": 9}
        coded.save(out, quality=95, full_range_flag=1, **codes)
        data = out.getvalue()
    image = opened(data).image
    # What is as bright as paper is compressed a little: there is something brighter.
    assert np.abs(corners(image) - np.array(CORNERS)).max() <= 45, corners(image).tolist()
    light = image.getpixel((size[0] * 5 // 12, size[1] * 5 // 12))
    assert min(light) > 240


# Names do not matter


def test_reasons_are_in_our_words():
    broken = [
        tiff(page(samples(MARKED, "u1"), 2, tags={259: 4711})),
        b"BM" + bytes(60),
        b"8BPS\0\1" + bytes(60),
        b"GIF89a" + bytes(20),
        b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    ]
    for data in broken:
        said = reason(data)
        assert said.startswith(("damaged", "truncated", "a kind of", "0 x 0")) or "pixels" in said, said
