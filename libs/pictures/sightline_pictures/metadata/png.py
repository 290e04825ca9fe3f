"""Reads the metadata of PNG files, what follows the pixels too: Pillow knows that only once it has decoded them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from email.utils import parsedate_to_datetime
from itertools import islice

from sightline_pictures.containers import png_chunks
from sightline_pictures.metadata.exif import read_exif
from sightline_pictures.metadata.values import NO_TAGS, Date, DateSource, Tags, checked, clean, date_of, title_of
from sightline_pictures.metadata.xmp import read_xmp

_LARGEST = 1 << 20
"""Bytes of a text, unpacked; what is larger is not read."""
_MOST_CHUNKS = 100_000
_KINDS = (b"eXIf", b"tIME", b"tEXt", b"zTXt", b"iTXt")
_XMP = "XML:com.adobe.xmp"
_EXIF = ("Raw profile type exif", "Raw profile type APP1")
_CREATED = "Creation Time"
_TITLES = ("Title", "Description")


def read_png(data: bytes) -> list[Tags]:
    """Return what the chunks say, each for itself."""
    found: list[Tags] = []
    for kind, body in _chunks(data):
        if kind == b"eXIf":
            found.append(read_exif(body))
        elif kind == b"tIME" and len(body) == 7:
            parts = (int.from_bytes(body[:2], "big"), *body[2:])
            found.append(Tags(dates=checked(DateSource.PNG_MODIFIED, parts, offset=0, is_utc=True)))
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            found.append(_text_tags(kind, body))
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kinds of chunks that hold metadata, each with its bytes."""
    for chunk in islice(png_chunks(data), _MOST_CHUNKS):
        if chunk.name in _KINDS and chunk.end - chunk.body <= _LARGEST:
            yield chunk.name, data[chunk.body : chunk.end]


def _text_tags(kind: bytes, body: bytes) -> Tags:
    keyword, _, value = body.partition(b"\0")
    name = keyword.decode("latin-1")
    if name not in (_XMP, _CREATED, *_TITLES, *_EXIF):
        return NO_TAGS
    if kind == b"zTXt":
        value = _inflated(value[1:])
    elif kind == b"iTXt":
        packed = value[:1] == b"\1"
        # Its language, and the keyword in that language.
        value = value[2:].partition(b"\0")[2].partition(b"\0")[2]
        value = _inflated(value) if packed else value
    if name == _XMP:
        return read_xmp(value)
    if name == _CREATED:
        return Tags(dates=_created(clean(value)))
    if name in _TITLES:
        return Tags(title=title_of(value if kind == b"iTXt" else value.decode("latin-1")))
    # Its name and length, then hexadecimal digits in lines.
    _, _, digits = value.strip().partition(b"\n")
    _, _, digits = digits.strip().partition(b"\n")
    with suppress(ValueError):
        return read_exif(bytes.fromhex(digits.decode("ascii", "replace")))
    return NO_TAGS


def _inflated(data: bytes) -> bytes:
    with suppress(zlib.error):
        return zlib.decompressobj().decompress(data, _LARGEST)
    return b""


def _created(text: str) -> tuple[Date, ...]:
    """Return a creation time, which the standard wants in RFC 1123's form and many write in another."""
    if found := date_of(DateSource.PNG, text):
        return found
    with suppress(ValueError, TypeError, OverflowError):
        moment = parsedate_to_datetime(text)
        zone = moment.utcoffset()
        offset = None if zone is None else int(zone.total_seconds()) // 60
        return checked(DateSource.PNG, moment.timetuple()[:6], offset=offset)
    return ()
