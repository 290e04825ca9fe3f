"""Files beside a picture that describe it: `.xmp` files, and the `.json` files of Google Takeout."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from sightline_pictures.formats import EXTENSIONS
from sightline_pictures.metadata.takeout import read_takeout
from sightline_pictures.metadata.values import NO_TAGS, Tags
from sightline_pictures.metadata.xmp import LARGEST_PACKET, read_xmp

LARGEST_SIDECAR = LARGEST_PACKET
"""Bytes; what is larger is not read."""
_XMP, _JSON = ".xmp", ".json"
_TAKEOUT = ".supplemental-metadata"
_LONGEST_TAKEOUT = 46
"""Characters of the name of Takeout's file, without `.json`; the rest is cut off."""
_NUMBERED = re.compile(r"(.+)(\([0-9]+\))(\.[^.]+)")
_NUMBER_AT_END = re.compile(r"(.+)\([0-9]+\)")


def is_sidecar(key: str) -> bool:
    """Return whether a key is that of a file that describes a picture, as far as a name tells."""
    name = key.rpartition("/")[2].lower()
    if name.endswith(_XMP):
        return len(name) > len(_XMP)
    if not name.endswith(_JSON):
        return False
    stem = name.removesuffix(_JSON)
    if numbered := _NUMBER_AT_END.fullmatch(stem):
        stem = numbered[1]
    # Only where the name was cut off may the picture's extension be lacking.
    return len(stem) >= _LONGEST_TAKEOUT or any(_has_extension(one) for one in (stem, stem.rpartition(".")[0]))


def _has_extension(name: str) -> bool:
    stem, dot, extension = name.rpartition(".")
    return bool(stem) and dot + extension in EXTENSIONS


def sidecar_keys(key: str) -> tuple[str, ...]:
    """Return the keys that files describing a picture may have, the best first."""
    folder, slash, name = key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    names = [f"{name}{_XMP}", f"{name}.XMP"]
    if dot and stem:
        names += [f"{stem}{_XMP}", f"{stem}.XMP"]
    titles = [(name, "")]
    if numbered := _NUMBERED.fullmatch(name):
        # Of a second `a.jpg`, which is `a(1).jpg` here: `a.jpg(1).json`.
        titles.append((numbered[1] + numbered[3], numbered[2]))
    if stem.endswith("-edited"):
        titles.append((f"{stem.removesuffix('-edited')}{dot}{extension}", ""))
    for title, number in titles:
        ends = range(len(_TAKEOUT), 0, -1)
        names += [f"{title}{_TAKEOUT[:end]}{number}{_JSON}" for end in ends]
        names += [f"{title[:_LONGEST_TAKEOUT]}{number}{_JSON}"]
    return tuple(f"{folder}{slash}{one}" for one in dict.fromkeys(names))


def stamp_of(sidecars: Iterable[tuple[str, str]]) -> str | None:
    """Return what changes when a picture's sidecars do, of their keys and ETags in any order; None without one."""
    named = sorted(sidecars)
    return hashlib.sha256(repr(named).encode()).hexdigest()[:16] if named else None


def read_sidecar(key: str, data: bytes) -> Tags:
    """Return what a sidecar says; nothing where it cannot be read, or is too large."""
    if len(data) > LARGEST_SIDECAR:
        return NO_TAGS
    return read_xmp(data, is_sidecar=True) if key.lower().endswith(_XMP) else read_takeout(data)
