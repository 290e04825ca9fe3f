"""Opens JPEGs, also those whose end is missing, and says how much of it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from sightline_pictures.errors import PictureError
from sightline_pictures.repaired import Repaired, checked_end
from sightline_pictures.source import Loaded, Source, loaded

_LARGE_PIXELS = 25_000_000
"""A JPEG is decoded smaller until it has no more than so many, however narrow it gets."""
_ZEROS = 16
_END = b"\xff\xd9"
_RESTARTS = range(0xD0, 0xD8)
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
START_OF_SCAN, _ADOBE = 0xDA, 0xEE
_APPLICATION = range(0xE0, 0xF0)
_COMMENT = 0xFE
# Bytes that mean nothing, and none of which is that of a marker.
_NOISE = np.random.default_rng(0).integers(1, 255, 4096, dtype=np.uint8).tobytes()


def open_jpeg(data: bytes) -> Source:
    """Open a JPEG; of an MPO, its first picture.

    Raises:
        OSError: It ends in zeros.
    """
    if data.endswith(bytes(_ZEROS)) and not _has_end(data.rstrip(b"\0")):
        # The decoder would take them for pixels.
        raise OSError("truncated")
    opened = JpegImageFile(BytesIO(data), "")
    width, height = opened.size

    def load(min_side: int | None) -> Loaded:
        if min_side is not None and (scale := _scale(width, height, min_side)) > 1:
            opened.draft(None, (max(1, width // scale), max(1, height // scale)))
        opened.load()
        return loaded(opened, (width, height))

    return Source((width, height), load, opened.getexif, info=opened.info)


def _scale(width: int, height: int, min_side: int) -> int:
    """Return the divisor, one of 1, 2, 4 and 8, at which a JPEG is decoded."""
    scale = 1
    while scale < 8 and (min(width, height) >= 2 * scale * min_side or width * height > _LARGE_PIXELS * scale**2):
        scale *= 2
    return scale


def repair_jpeg(data: bytes) -> Repaired | None:
    """Return a JPEG whose end is missing with one, or one without the segments that are no part of its picture.

    Raises:
        PictureError: More than a tenth of it is missing.
    """
    # Recovered files and interrupted copies have zeros where the rest would be.
    kept = data.rstrip(b"\0")
    kept = (kept if len(data) - len(kept) >= _ZEROS else data).removesuffix(b"\xff")
    segments = list(_segments(kept))
    if segments and segments[-1].end > len(kept):
        kept = kept[: segments.pop().start]
    progress = _progress(kept, segments)
    if not progress.scans:
        if not any(segment.marker in FRAMES for segment in segments) or len(kept) < len(data):
            raise PictureError("truncated: the JPEG file ends before its picture begins")
        return None
    plain = _without_extras(kept, segments)
    for candidate in (kept, plain):
        try:
            share = _missing_share(candidate, progress, segments[-1].start + len(candidate) - len(kept))
        except PictureError:
            raise
        except Exception:  # noqa: S112 - what cannot be decoded even so is left to the caller's error
            continue
        return Repaired(candidate + _END, checked_end(share))
    return None


@dataclass(frozen=True)
class _Segment:
    marker: int
    start: int
    end: int


@dataclass
class _Progress:
    """What a JPEG's scans have brought: their number, and how many more are needed for the whole picture."""

    scans: int = 0
    needed: int = 0
    progressive: bool = False


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield a JPEG's segments up to its end; a scan's goes up to the next one. The last may end beyond the data."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at = data.find(b"\xff", at)
            if at < 0:
                return
            continue
        marker = data[at + 1]
        if marker in (0xFF, 0) or marker in _RESTARTS or marker == 0x01:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == START_OF_SCAN and end <= len(data):
            end = _scan_end(data, end)
        yield _Segment(marker, at, end)
        at = end


def _has_end(data: bytes) -> bool:
    """Return whether a JPEG's end is there."""
    end = max((segment.end for segment in _segments(data)), default=0)
    return data[end : end + 2] == _END


def _scan_end(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] not in (0, 0xFF) and data[at + 1] not in _RESTARTS:
            return at
        at += 1 if data[at + 1] == 0xFF else 2


def _progress(data: bytes, segments: list[_Segment]) -> _Progress:
    """Return what the scans have brought, by what their headers say."""
    progress = _Progress()
    # For each component, the lowest bit that is there of each of its 64 coefficients; 14 where nothing is.
    bits: dict[int, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    for segment in segments:
        body = data[segment.start + 4 : segment.start + 80]
        if segment.marker in FRAMES and len(body) >= 6 and not bits:
            progress.progressive = segment.marker in _PROGRESSIVE
            names = body[6 : 6 + 3 * body[5] : 3]
            bits = {name: np.full(64, 14) for name in names}
        elif segment.marker == START_OF_SCAN and body and len(body) >= 4 + 2 * body[0]:
            progress.scans += 1
            first, last, approximation = body[1 + 2 * body[0] : 4 + 2 * body[0]]
            for name in body[1 : 1 + 2 * body[0] : 2]:
                if name in bits:
                    low = approximation & 15 if progress.progressive else 0
                    bits[name][slice(first, last + 1) if progress.progressive else slice(None)] = low
    for each in bits.values():
        # A scan for what is missing altogether, and one for each bit that is not there yet.
        progress.needed += int(each.max() == 14) + int(each[each < 14].max(initial=0))
    if bits and not progress.progressive:
        progress.needed = 1 if any(each.max() for each in bits.values()) else 0
    return progress


def _missing_share(data: bytes, progress: _Progress, last_scan: int) -> float:
    """Return how much of a JPEG without its end is missing, from 0 to 1.

    It is decoded twice: as it ends, and with noise after its end. Where the two differ is what the noise was taken for.
    """
    single = progress.scans == 1 and not progress.needed
    scale = 8 if single else 2
    difference = ImageChops.difference(_decoded(data + _END, scale), _decoded(data + _NOISE + _END, scale))
    box = difference.getbbox()
    if box is None:
        done = 1.0
    else:
        # Blocks are complete line by line: within the first line that differs, what is left of the difference is there.
        line = max(1, 16 // scale)
        top = box[1] // line * line
        left = difference.crop((0, top, difference.width, min(top + line, difference.height))).getbbox()
        column = (left[0] if left else 0) / difference.width
        done = min(1.0, (top + line * column) / difference.height)
    if single:
        return 1 - done
    if progress.needed:
        scans = progress.scans + progress.needed
        return 1 - (progress.scans - 1 + done) / scans
    # It ends in its last scan, whose length is known by how far it got.
    whole = last_scan + (len(data) - last_scan) / max(done, 0.01)
    return 1 - len(data) / whole


def _decoded(data: bytes, scale: int) -> Image.Image:
    opened = JpegImageFile(BytesIO(data), "")
    opened.draft(None, (max(1, opened.width // scale), max(1, opened.height // scale)))
    opened.load()
    return opened


def _without_extras(data: bytes, segments: list[_Segment]) -> bytes:
    """Return a JPEG without comments and what applications keep in it: browsers read it less strictly than Pillow."""
    kept = [
        data[segment.start : segment.end]
        for segment in segments
        if segment.marker != _COMMENT and (segment.marker not in _APPLICATION or segment.marker == _ADOBE)
    ]
    return data[:2] + b"".join(kept)
