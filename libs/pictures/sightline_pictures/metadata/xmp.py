"""Reads XMP, inside a picture's file or beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sightline_pictures.metadata.values import (
    LONGEST_TITLE,
    NO_TAGS,
    DateSource,
    Tags,
    clean,
    date_of,
    keywords_of,
    make_and_model,
    place_of,
    rating_of,
    title_of,
)

LARGEST_PACKET = 4 * 1024 * 1024
"""Bytes; what is larger is not read."""
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_EXIF = "{http://ns.adobe.com/exif/1.0/}"
_PHOTOSHOP = "{http://ns.adobe.com/photoshop/1.0/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_TIFF = "{http://ns.adobe.com/tiff/1.0/}"
_EXIF_EX = "{http://cipa.jp/exif/1.0/}"
_AUX = "{http://ns.adobe.com/exif/1.0/aux/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ORIGINAL = (f"{_EXIF}DateTimeOriginal", f"{_PHOTOSHOP}DateCreated")
_CREATED = (f"{_XMP}CreateDate", f"{_EXIF}DateTimeDigitized")
_COORDINATE = re.compile(r"([0-9]{1,3})(?:,([0-9]{1,2}(?:\.[0-9]+)?)(?:,([0-9]{1,2}(?:\.[0-9]+)?))?)?([NSEW])")
_PACKET = (b"<x:xmpmeta", b"</x:xmpmeta>")


def packet_in(data: bytes) -> bytes:
    """Return the first XMP packet among the bytes of a file of any format; empty where there is none."""
    start = data.find(_PACKET[0])
    end = data.find(_PACKET[1], start) if start >= 0 else -1
    return data[start : end + len(_PACKET[1])] if end >= 0 else b""


def read_xmp(data: bytes, *, is_sidecar: bool = False) -> Tags:
    """Return what XMP says; nothing where it cannot be read, or defines entities, which XMP never does."""
    data = data.strip(b"\0 \t\r\n")
    if not data or len(data) > LARGEST_PACKET:
        return NO_TAGS
    try:
        root = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return NO_TAGS
    texts: dict[str, list[str]] = {}
    for name, value in _properties(root):
        texts.setdefault(name, []).append(value)

    def text(*names: str) -> str:
        return next((found for name in names for found in texts.get(name, ()) if found), "")

    original = DateSource.SIDECAR if is_sidecar else DateSource.XMP
    sources = [(original, name) for name in _ORIGINAL] + [(DateSource.XMP_CREATED, name) for name in _CREATED]
    return Tags(
        dates=tuple(date for source, name in sources for date in date_of(source, text(name))),
        place=place_of(_degrees(text(f"{_EXIF}GPSLatitude")), _degrees(text(f"{_EXIF}GPSLongitude"))),
        camera=make_and_model(text(f"{_TIFF}Make"), text(f"{_TIFF}Model")),
        lens=make_and_model(text(f"{_EXIF_EX}LensMake"), text(f"{_EXIF_EX}LensModel", f"{_AUX}Lens")),
        rating=rating_of(text(f"{_XMP}Rating")),
        title=title_of(text(f"{_DC}title"), text(f"{_PHOTOSHOP}Headline"), text(f"{_DC}description")),
        keywords=keywords_of(texts.get(f"{_DC}subject", ())),
    )


def _properties(root: Element) -> Iterator[tuple[str, str]]:
    """Yield name and text of the properties of the picture itself, those of a list one by one.

    What it was made of may be described below, each with a description of its own.
    """
    rdf = root if root.tag == f"{_RDF}RDF" else root.find(f".//{_RDF}RDF")
    for description in rdf if rdf is not None else ():
        for name, value in description.attrib.items():
            yield name, clean(value, LONGEST_TITLE)
        for child in description:
            items = child.findall(f"*/{_RDF}li")
            for one in items or (child,):
                yield str(child.tag), clean(one.text, LONGEST_TITLE)


def _degrees(text: str) -> float | None:
    """Return the degrees of a coordinate such as `48,12.492N` or `48,12,30N`; of a plain number these."""
    match = _COORDINATE.fullmatch(text)
    if not match:
        try:
            return float(text)
        except ValueError:
            return None
    degrees, minutes, seconds, side = match.groups()
    value = int(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    return -value if side in "SW" else value
