"""Which images of a fake collection a filter lets through, and what facets count of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sightline_catalogue import REMOVED, Between, Box, Circle, Filter, Image
from sightline_catalogue.identity import canonical, canonical_folder

EARTH_KM = 6371.0


def canonical_folders(folders: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(canonical_folder, folders))))


def fits(image: Image, filter: Filter | None) -> bool:
    filter = filter or Filter()
    if not (image.state in filter.states if filter.states else image.state != REMOVED):
        return False
    conditions = _conditions(image, replace(filter, excluded=None))
    left_out = _conditions(image, filter.excluded) if filter.excluded else []
    return all(conditions) and not any(left_out)


def facet_values(image: Image, name: str) -> list[object]:
    if name == "folder":
        return list(image.folders)
    value = {"shape": _shape(image), "year": moment.year if (moment := _moment(image)) else None}
    found = value[name] if name in value else getattr(image, name)
    return [] if found is None else [found]


def _conditions(image: Image, filter: Filter) -> list[bool]:
    """Return of each field of a filter that is set whether an image meets it."""
    stem = image.key.rpartition("/")[2].rpartition(".")[0]
    words = _words(" ".join([stem, *image.folders, *image.keywords]))
    moment = _moment(image)
    pixels = image.width * image.height if image.width and image.height else None
    found = {
        "labels": image.label in map(canonical, filter.labels),
        "folders": any(folder in image.folders for folder in canonical_folders(filter.folders)),
        "states": image.state in filter.states,
        "formats": image.format in filter.formats,
        "sha256": image.sha256 in filter.sha256,
        "names": any(_begin(_words(stem), text) for text in filter.names),
        "words": any(_are_among(words, text) for text in filter.words),
        "cameras": any(_are_among(_words(image.camera or ""), text) for text in filter.cameras),
        "lenses": any(_are_among(_words(image.lens or ""), text) for text in filter.lenses),
        "shapes": _shape(image) in filter.shapes,
        "after": moment is not None and filter.after is not None and moment >= filter.after,
        "before": moment is not None and filter.before is not None and moment < filter.before,
        "bytes": _is_between(image.bytes, filter.bytes),
        "pixels": _is_between(pixels, filter.pixels),
        "rating": image.rating is not None and filter.rating is not None and image.rating >= filter.rating,
        "near": _is_near(image, filter.near),
        "inside": _is_inside(image, filter.inside),
        "added_after": bool(filter.added_after and image.indexed_at and image.indexed_at >= filter.added_after),
        "added_before": bool(filter.added_before and image.indexed_at and image.indexed_at < filter.added_before),
    }
    return [met for name, met in found.items() if getattr(filter, name) not in ((), None)]


def _moment(image: Image) -> datetime | None:
    return image.taken_at or (image.modified_at and image.modified_at.replace(tzinfo=None))


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", text.casefold())


def _asked(text: str) -> list[str]:
    return _words(re.sub(r"\.(jpg|png)$", "", text.strip()))


def _are_among(words: list[str], text: str) -> bool:
    asked = _asked(text)
    return bool(asked) and set(asked) <= set(words)


def _begin(words: list[str], text: str) -> bool:
    asked = _asked(text)
    return bool(asked) and all(any(word.startswith(one) for word in words) for one in asked)


def _shape(image: Image) -> str | None:
    if not image.width or not image.height:
        return None
    ratio = max(image.width, image.height) / min(image.width, image.height)
    if ratio >= 2:
        return "panorama"
    if ratio <= 1.05:
        return "square"
    return "landscape" if image.width > image.height else "portrait"


def _is_between(number: int | None, between: Between | None) -> bool:
    if number is None or between is None:
        return False
    return (between.least is None or number >= between.least) and (between.most is None or number <= between.most)


def _is_near(image: Image, circle: Circle | None) -> bool:
    if image.place is None or circle is None:
        return False
    north, east = map(math.radians, image.place)
    other_north, other_east = math.radians(circle.latitude), math.radians(circle.longitude)
    height = math.sin((north - other_north) / 2) ** 2
    width = math.sin((east - other_east) / 2) ** 2 * math.cos(north) * math.cos(other_north)
    return 2 * EARTH_KM * math.asin(math.sqrt(height + width)) <= circle.kilometres


def _is_inside(image: Image, box: Box | None) -> bool:
    if image.place is None or box is None:
        return False
    latitude, longitude = image.place
    is_east, is_west = longitude >= box.west, longitude <= box.east
    return box.south <= latitude <= box.north and (is_east and is_west if box.west <= box.east else is_east or is_west)
