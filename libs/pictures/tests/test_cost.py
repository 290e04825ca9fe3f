"""Files whose parts repeat so that a few bytes would cost minutes or gigabytes: refused before they are decoded."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pillow_heif
import pytest
from PIL import Image
from sightline_pictures import PictureError, open_picture, picture
from sightline_pictures.cost import check_cost
from sightline_pictures.formats import detect
from slow_picture import slow_jpeg

SMALL = Image.new("RGB", (16, 16), (10, 200, 30))


def encode(format: str) -> bytes:
    out = BytesIO()
    SMALL.save(out, format)
    return out.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(extra: bytes) -> bytes:
    jpeg = encode("JPEG")
    return jpeg[:2] + extra + jpeg[2:]


def sequential_jpeg(side: int, scans: int) -> bytes:
    """Return a JPEG that is not progressive, of scans without a byte."""
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xDB, b"\0" + b"\x01" * 64),
            segment(0xC0, struct.pack(">BHHB", 8, side, side, 3) + b"\x01\x11\0\x02\x11\0\x03\x11\0"),
            *(segment(0xC4, bytes([kind]) + b"\x01" + bytes(16)) for kind in (0, 0x10)),
            *(segment(0xDA, bytes([1, 1 + number % 3, 0, 0, 0x3F, 0])) for number in range(scans)),
            b"\xff\xd9",
        ]
    )


def chunk(name: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(extra: bytes) -> bytes:
    png = encode("PNG")
    return png[:33] + extra + png[33:]


def gif_with(extra: bytes) -> bytes:
    gif = encode("GIF")
    at = 13 + (3 << ((gif[10] & 7) + 1))
    return gif[:at] + extra + gif[at:]


def tiff(strips: int, data: bytes, tags: int = 0) -> bytes:
    """Return a TIFF of a row a strip, all of which are the same bytes, and some tags that are all of the file, too."""
    offsets = 8 + len(data)
    counts = offsets + 4 * strips
    directory = counts + 4 * strips
    entries = [
        (256, 4, 1, 16), (257, 4, 1, strips), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
        (273, 4, strips, offsets), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, strips, counts),
        *((40_000 + number, 7, len(data), 8) for number in range(tags)),
    ]  # fmt: skip
    return b"".join(
        [
            b"II*\0", struct.pack("<L", directory), data,
            struct.pack(f"<{strips}L", *([8] * strips)), struct.pack(f"<{strips}L", *([len(data)] * strips)),
            struct.pack("<H", len(entries)), *(struct.pack("<HHLL", *entry) for entry in entries), bytes(4),
        ]
    )  # fmt: skip


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def full(name: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(name, bytes([version, 0, 0, 0]), *parts)


def heif(parts: dict[int, list[int]], side: int = 4000, shared: list[int] | None = None, size: int = 4000) -> bytes:
    """Return a HEIC whose first item is the picture.

    Args:
        parts: By item, those that it is made of.
        side: Of each item, in pixels.
        shared: Items that have the file's bytes as their data, all of them.
        size: How many bytes that is.
    """
    everything = sorted({*parts, *(part for some in parts.values() for part in some), *(shared or [])})
    places = b"".join(struct.pack(">HHHII", item, 0, 1, 0, size) for item in shared or [])
    properties = b"".join(struct.pack(">HBB", item, 1, 1) for item in everything)
    meta = full(
        b"meta",
        full(b"pitm", struct.pack(">H", 1)),
        full(b"iloc", b"\x44\0", struct.pack(">H", len(shared or [])), places),
        full(b"iinf", struct.pack(">H", len(everything)),
             *(full(b"infe", struct.pack(">HH", item, 0), b"hvc1\0", version=2) for item in everything)),
        full(b"iref", *(box(b"dimg", struct.pack(f">HH{len(some)}H", item, len(some), *some))
                        for item, some in parts.items())),
        box(b"iprp", box(b"ipco", full(b"ispe", struct.pack(">II", side, side))),
            full(b"ipma", struct.pack(">I", len(everything)), properties)),
    )  # fmt: skip
    return box(b"ftyp", b"heic\0\0\0\0heic") + meta + box(b"mdat", bytes(size))


def layers(width: int, depth: int) -> dict[int, list[int]]:
    """Return parts of which each layer is made of all those of the next."""
    made = {1: list(range(10, 10 + width))}
    for layer in range(1, depth):
        below = list(range(10 + layer * width, 10 + (layer + 1) * width))
        made |= {10 + (layer - 1) * width + place: below for place in range(width)}
    return made


WEBP_CHUNK = b"XXXX" + bytes(4)
BOMBS = {
    "a progressive JPEG's scans": lambda: slow_jpeg(12_000, 30),
    "a JPEG's empty scans": lambda: sequential_jpeg(14_000, 30),
    "a JPEG's comments": lambda: with_segments(segment(0xFE, b"") * 5_000),
    "a JPEG's blocks of EXIF": lambda: with_segments(segment(0xE1, b"Exif\0\0II") * 200),
    "a JPEG's filling": lambda: with_segments(b"\xff" * 100_000),
    "a JPEG that is filling": lambda: b"\xff\xd8" + b"\xff" * 100_000,
    "a PNG's chunks": lambda: png_with(chunk(b"prVt") * 70_000),
    "a PNG's empty pixels": lambda: png_with(chunk(b"IDAT") * 70_000),
    "a GIF's comments": lambda: gif_with(b"\x21\xfe\x01a\0" * 20_000),
    "a GIF's empty comments": lambda: gif_with(b"\x21\xfe\0" * 20_000),
    "a GIF's long comment": lambda: gif_with(b"\x21\xfe" + b"\x01a" * 20_000 + b"\0"),
    "a GIF's extensions": lambda: gif_with(b"\x21\xff\x0bNETSCAPE2.0\0" * 70_000),
    "a GIF's tiny blocks": lambda: gif_with(b"\x21\xff" + b"\x01a" * 80_000 + b"\0"),
    "a WebP's chunks": lambda: encode("WEBP") + WEBP_CHUNK * 70_000,
    "a TIFF's shared strips": lambda: tiff(4_000, zlib.compress(bytes(16)) + bytes(1_000)),
    "a TIFF's shared values": lambda: tiff(1, bytes(4_000), tags=2_000),
    "a HEIC's layers": lambda: heif(layers(2, 7)),
    "a HEIC's deep layers": lambda: heif(layers(1, 12), side=10),
    "a HEIC that is part of itself": lambda: heif({1: [2], 2: [1]}, side=10),
    "a HEIC's parts": lambda: heif({1: list(range(2, 12))}),
    "a HEIC's one part": lambda: heif({1: [2] * 1_000}),
    "a HEIC's references": lambda: heif({1: [2] * 20_000}, side=1),
    "a HEIC's shared bytes": lambda: heif({}, shared=list(range(1, 1_000))),
    "a JPEG 2000's boxes": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"free") * 5_000,
    "a JPEG 2000's segments": lambda: b"\xff\x4f\xff\x51\0\x29" + bytes(39) + segment(0x64, b"") * 5_000,
    "a JPEG XL's boxes": lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"free") * 5_000,
    "a Photoshop file's resources": lambda: (
        b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 16, 16, 8, 3) + bytes(4)
        + struct.pack(">I", 12 * 5_000) + (b"8BIM" + bytes(8)) * 5_000
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_what_repeats_too_often_is_refused_before_it_is_decoded(name, monkeypatch):
    data = BOMBS[name]()
    monkeypatch.setattr(picture, "_open", None)
    assert len(data) < 2_000_000
    with pytest.raises(PictureError, match="too long to decode"):
        open_picture(data, max_bytes=1 << 26, max_pixels=200_000_000)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "JPEG2000"])
def test_ordinary_pictures_are_not(format):
    check(encode(format))


def check(data: bytes) -> None:
    kind = detect(data)
    assert kind is not None
    check_cost(data, kind.name)


def test_pictures_of_many_parts_are_not():
    tiles = 60 * 45
    check(heif({1: list(range(2, tiles + 2))}, side=1))
    out = BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (900, 700))).save(out)
    check(out.getvalue())
    check(with_segments(segment(0xE2, bytes(65_000)) * 255))
    check(png_with(chunk(b"IDAT", bytes(8)) * 20_000))
    check(slow_jpeg(12_000, 14))
    check(tiff(4_000, zlib.compress(bytes(16))))
    frames = [Image.new("P", (40, 40), number) for number in range(60)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], comment=b"c" * 60_000)
    check(out.getvalue())


def test_what_follows_a_jpeg_is_not_counted():
    check(slow_jpeg(12_000, 14) + b"\xff\xda" * 100_000)


@pytest.mark.parametrize("name", BOMBS)
def test_what_ends_early_is_left_to_its_reader(name):
    """No check fails in a way of its own, wherever a file ends."""
    data = BOMBS[name]()[:700]
    for end in range(12, len(data)):
        kind = detect(data[:end])
        if kind is not None:
            with suppress(PictureError):
                check_cost(data[:end], kind.name)
