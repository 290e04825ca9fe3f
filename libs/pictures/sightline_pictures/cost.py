"""What decoding a file would cost, counted before a library sees it.

A few bytes may make a decoder work for minutes: by passing over all pixels again, by using the same bytes again, or by
being one of millions of parts. The size that a header states says nothing of that. Each walk here takes time in
proportion to the bytes, and ends after a bounded number of parts; what it does not see is ended by IMAGE_MAX_SECONDS.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from sightline_pictures import tiff
from sightline_pictures.containers import boxes, png_chunks, webp_chunks
from sightline_pictures.errors import too_long
from sightline_pictures.heif_cost import MOST_SHARING, SLACK_BYTES, check_heif
from sightline_pictures.jpeg import FRAMES, START_OF_SCAN

_MOST_SCAN_PIXELS = 3_000_000_000
"""Pixels of a JPEG times its scans: each is a pass over all pixels, and a few bytes make one."""
_MOST_SEGMENTS = 4096
"""Of a JPEG: the largest file is so many, each as long as it can be, four times over."""
_MOST_EXIF_SEGMENTS = 64
"""Pillow joins them, and copies all of them for each."""
_MOST_FILL_BYTES = 65_536
"""Bytes between segments that mean nothing: Pillow reads them one by one."""
_MOST_PARTS = 65_536
"""Chunks, blocks or boxes of a file: with 4 KB each, as some programs write them, a file of 256 MB."""
_MOST_COMMENT_BLOCKS, _MOST_COMMENT_BYTES = 10_000, 1 << 20
"""Of a GIF: Pillow joins them as it does a JPEG's EXIF."""

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7\x01]")
_END_OF_IMAGE, _EXIF_SEGMENT = 0xD9, 0xE1
_JPEG_IN_TIFF = frozenset({6, 7, 34892})


def check_cost(data: bytes, format: str) -> None:
    """Check what is inside a file of a format's name.

    Raises:
        PictureError: Decoding it would take time or memory out of proportion.
    """
    check = _CHECKS.get(format)
    if check is None:
        return
    try:
        check(data)
    except (struct.error, IndexError):
        # It ends early: its reader says so.
        return


def check_jpeg(data: bytes) -> None:
    """Check the scans and segments of a JPEG.

    Raises:
        PictureError: As `check_cost` does.
    """
    at, segments, exif_segments, scans, pixels, fill = 2, 0, 0, 0, 0, 0
    while (found := _MARKER.search(data, at, len(data) if scans else at + _MOST_FILL_BYTES + 2)) is not None:
        start = found.start()
        # After a scan's header come its pixels.
        fill += 0 if scans else start - at
        marker = data[start + 1]
        segments += 1
        if marker == _END_OF_IMAGE or start + 4 > len(data):
            break
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        if marker in FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 5)
            pixels = max(pixels, height * width)
        elif marker == START_OF_SCAN:
            scans += 1
        elif marker == _EXIF_SEGMENT and data.startswith(b"Exif", start + 4):
            exif_segments += 1
        if scans * pixels > _MOST_SCAN_PIXELS:
            raise too_long("a JPEG of too many scans")
        if segments > _MOST_SEGMENTS or exif_segments > _MOST_EXIF_SEGMENTS or fill > _MOST_FILL_BYTES:
            raise too_long("a JPEG of too many segments, or of filling between them")
        at = start + 2 + length
    # Pillow reads what comes before the first marker byte by byte, too.
    if found is None and not scans and len(data) - at > _MOST_FILL_BYTES:
        raise too_long("a JPEG of too many segments, or of filling between them")


def _check_png(data: bytes) -> None:
    for number, chunk in enumerate(png_chunks(data), 1):
        if number > _MOST_PARTS:
            raise too_long("a PNG of too many chunks")
        if chunk.name == b"IEND":
            break


def _check_webp(data: bytes) -> None:
    if any(number > _MOST_PARTS for number, _ in enumerate(webp_chunks(data), 1)):
        raise too_long("a WebP of too many chunks")


def _check_gif(data: bytes) -> None:
    """Check a GIF's blocks: those of its pixels have up to 255 bytes, and few bytes are a sign of nothing good."""
    steps, most_steps = 0, _MOST_PARTS + len(data) // 64
    extensions = comments = comment_bytes = 0
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while at < len(data) and data[at] in (0x21, 0x2C):
        is_comment = False
        if data[at] == 0x21:
            is_comment = data[at + 1] == 0xFE
            extensions += 1
            at += 2
        else:
            flags = data[at + 9]
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        start = at
        while length := data[at]:
            at += length + 1
            steps += 1
            comments += is_comment
            if steps > most_steps:
                break
        at += 1
        comment_bytes += at - start if is_comment else 0
        # One that is empty is one, too.
        comments += is_comment
        if comments > _MOST_COMMENT_BLOCKS or comment_bytes > _MOST_COMMENT_BYTES:
            raise too_long("a GIF of too many comments")
        if extensions > _MOST_PARTS or steps > most_steps:
            raise too_long("a GIF of too many blocks")


def check_tiff(data: bytes) -> None:
    """Check how often a TIFF's directories use the same bytes, and the scans of the JPEGs in it.

    Raises:
        PictureError: As `check_cost` does.
    """
    most = MOST_SHARING * len(data) + SLACK_BYTES
    scans = None
    used = 0
    for page in tiff.pages(data):
        # What a damaged entry claims beyond the file's end is not there.
        if sum(min(length, len(data)) for length in page.lengths()) > most:
            raise too_long("a TIFF whose entries use the same bytes too often")
        for tag in (tiff.STRIP_BYTES, tiff.TILE_BYTES):
            used += sum(min(length, len(data)) for length in page.integers(tag))
        if used > most:
            raise too_long("a TIFF whose strips or tiles use the same bytes too often")
        if page.integer(tiff.COMPRESSION) in _JPEG_IN_TIFF and page.pixels:
            scans = data.count(b"\xff\xda") if scans is None else scans
            width, height = page.size
            strip = min(width * page.integer(tiff.ROWS_PER_STRIP, height), page.pixels)
            part = page.integer(tiff.TILE_WIDTH) * page.integer(tiff.TILE_HEIGHT) or strip
            # Random bytes look like the start of a scan once in 65,536.
            if (scans - len(data) // 32_768) * part > _MOST_SCAN_PIXELS:
                raise too_long("a TIFF of JPEGs of too many scans")


def _check_raw(data: bytes) -> None:
    if data[:2] in (b"II", b"MM"):
        check_tiff(data)


def _check_psd(data: bytes) -> None:
    at = 26 + 4 + struct.unpack_from(">I", data, 26)[0]
    end = min(len(data), at + 4 + struct.unpack_from(">I", data, at)[0])
    at += 4
    resources = 0
    while at + 12 <= end:
        resources += 1
        if resources > _MOST_SEGMENTS:
            raise too_long("a Photoshop file of too many resources")
        name = data[at + 6] + 1
        at += 6 + name + name % 2
        (length,) = struct.unpack_from(">I", data, at)
        at += 4 + length + length % 2


def _check_boxes(data: bytes) -> None:
    """Check the outermost boxes of a JPEG XL or JPEG 2000, and the main header's segments of the latter."""
    if data[:4] == b"\0\0\0\x0c" and any(number > _MOST_SEGMENTS for number, _ in enumerate(boxes(data), 1)):
        raise too_long("a file of too many boxes")
    at = data.find(b"\xff\x4f\xff\x51")
    segments = 0
    while 0 <= at < len(data) - 4 and data[at] == 0xFF and data[at + 1] != 0x93:
        segments += 1
        if segments > _MOST_SEGMENTS:
            raise too_long("a JPEG 2000 of too many segments")
        at += 2 if data[at + 1] == 0x4F else 2 + int.from_bytes(data[at + 2 : at + 4], "big")


_CHECKS: dict[str, Callable[[bytes], None]] = {
    "JPEG": check_jpeg,
    "PNG": _check_png,
    "WebP": _check_webp,
    "GIF": _check_gif,
    "TIFF": check_tiff,
    "HEIC": check_heif,
    "AVIF": check_heif,
    "JPEG XL": _check_boxes,
    "JPEG 2000": _check_boxes,
    "PSD": _check_psd,
    "camera raw": _check_raw,
}
