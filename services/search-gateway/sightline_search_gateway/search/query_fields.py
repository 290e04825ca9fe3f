"""The fields that a query in the search box may name, and the parameters of the API that their values become."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sightline_catalogue import canonical_folder

from sightline_search_gateway.search import filter_values

Parameters = dict[str, Any]
"""Of a call, by name: those that may be repeated as lists, as the schema `Filters` loads them."""


@dataclass(frozen=True)
class Field:
    """A field, such as `folder:` of `folder:2019`.

    Attributes:
        read: Returns what a value becomes; raises ValueError, which says what it takes, for any other.
        without: The parameter of what is left out by a minus; None where nothing can be.
        once: Whether it takes one value: two could never both hold, or are not known how to be joined.
    """

    read: Callable[[str], Parameters]
    without: str | None = None
    once: bool = False


def _many(parameter: str, read: Callable[[str], str]) -> Field:
    return Field(lambda value: {parameter: [read(value)]}, f"not_{parameter}")


def _words(value: str) -> str:
    if not any(character.isalnum() for character in value):
        raise ValueError("a text with a letter or a digit in it, such as holiday")
    return value


def _label(value: str) -> str:
    if not value:
        raise ValueError("the name of a folder, such as cats")
    return value


def _folder(value: str) -> str:
    if not canonical_folder(value):
        raise ValueError("the path of a folder in the collection, such as holidays/2019")
    return value


def _after(value: str) -> Parameters:
    return {"after": filter_values.read_period(value)[0]}


def _before(value: str) -> Parameters:
    return {"before": filter_values.read_period(value)[0]}


def _date(value: str) -> Parameters:
    after, before = filter_values.read_period(value)
    return {"after": after} | ({"before": before} if before is not None else {})


def _added(value: str) -> Parameters:
    return {"added_after": filter_values.read_period(value)[0].replace(tzinfo=UTC)}


FIELDS: dict[str, Field] = {
    "folder": _many("folder", _folder),
    "label": _many("label", _label),
    "name": _many("name", _words),
    "words": _many("words", _words),
    "camera": _many("camera", _words),
    "lens": _many("lens", _words),
    "type": _many("format", filter_values.read_format),
    "shape": _many("shape", filter_values.read_shape),
    "date": Field(_date, once=True),
    "after": Field(_after),
    "before": Field(_before),
    "added": Field(_added),
    "size": Field(filter_values.read_size),
    "rating": Field(lambda value: {"rating": filter_values.read_stars(value)}),
    "near": Field(lambda value: {"near": filter_values.read_circle(value)}, once=True),
    "box": Field(lambda value: {"box": filter_values.read_box(value)}, once=True),
}
OTHER_NAMES = {
    "format": "type", "ext": "type", "extension": "type", "filetype": "type", "kind": "type",
    "filename": "name", "file": "name", "title": "words", "keyword": "words", "keywords": "words", "tag": "words",
    "tags": "words", "path": "folder", "dir": "folder", "directory": "folder", "album": "folder", "in": "folder",
    "class": "label", "category": "label", "make": "camera", "model": "camera", "since": "after", "from": "after",
    "until": "before", "to": "before", "year": "date", "month": "date", "day": "date", "taken": "date", "on": "date",
    "stars": "rating", "place": "near", "location": "near", "gps": "near", "around": "near", "within": "box",
    "orientation": "shape", "pixels": "size", "bytes": "size", "resolution": "size", "imported": "added",
}  # fmt: skip
"""What people call fields elsewhere."""
ALIKE = 0.7
"""From so much on of difflib's ratio, a name is taken for a slip."""


def nearest_field(name: str) -> str | None:
    """Return the field that is probably meant by a name, which is no field's; None where none is like it."""
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    return next(iter(difflib.get_close_matches(name, FIELDS, 1, ALIKE)), None)


def join_parameters(one: Parameters, other: Parameters) -> Parameters:
    """Return parameters that say what two say: of a list any, of bounds both.

    Raises:
        ValueError: A parameter has two values that cannot be joined; its text is the parameter's name.
    """
    joined = dict(one)
    for name, value in other.items():
        known = joined.get(name)
        if known is None or known == value:
            joined[name] = value
        elif isinstance(value, list):
            joined[name] = [*known, *value]
        elif name in ("near", "box"):
            raise ValueError(name)
        else:
            is_most = name.startswith("max_") or name.endswith("before")
            joined[name] = min(known, value) if is_most else max(known, value)
    return joined
