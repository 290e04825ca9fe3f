"""The pictures that a benchmark runs over: a folder of the user's, or the sample pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sightline_bucket import BucketSettings, open_bucket
from sightline_local import samples
from sightline_pictures import has_image_extension

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
MODELS = DATA / "models"
"""Where `make demo` keeps converted models; shared, so that a benchmark does not convert them again."""


@dataclass(frozen=True)
class Collection:
    """A folder of pictures.

    Attributes:
        name: `samples`, or the folder's own name.
        folder: Where it is; only read.
        keys: Of its pictures, relative to the folder.
        captions: By key; for measuring, never for search.
    """

    name: str
    folder: Path
    keys: list[str]
    captions: dict[str, str]

    def label(self, key: str) -> str | None:
        """Return the folder that a picture lies in; None at the top."""
        return key.split("/")[-2] if "/" in key else None


def find(images: str | None) -> Collection:
    """Return the collection at a path, or the sample pictures, fetched if they are not there yet.

    Exits with one line on stderr where there is none.
    """
    try:
        if images is None:
            folder, name = DATA / "samples", "samples"
            samples.fetch(folder)
        else:
            folder = Path(images).expanduser().resolve()
            name = folder.name
            if not folder.is_dir():
                sys.exit(f"IMAGES={images} is not a folder")
    except samples.SamplesUnavailable as error:
        sys.exit(str(error))
    bucket = open_bucket(BucketSettings(url=folder.as_uri()))
    keys = [found.key for found in bucket.list() if found.key and not found.problem and has_image_extension(found.key)]
    if not keys:
        sys.exit(f"there are no pictures in {folder}")
    return Collection(name, folder, keys, _captions(folder, keys))


def _captions(folder: Path, keys: list[str]) -> dict[str, str]:
    """Return the captions kept beside the folder in FOLDER-captions.json, or beside each picture in a .txt file."""
    beside = folder.with_name(f"{folder.name}-captions.json")
    if beside.is_file():
        written = json.loads(beside.read_text(encoding="utf-8"))
        return {key: written[key].strip() for key in keys if written.get(key, "").strip()}
    captions = {}
    for key in keys:
        text = (folder / key).with_suffix(".txt")
        if text.is_file():
            first = text.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
            if first:
                captions[key] = first
    return captions


def chunks(items: list[T], size: int) -> Iterator[list[T]]:
    """Yield a list's pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
