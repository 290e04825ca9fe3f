"""Filters of images, which searches, maps and the collection share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import Schema
from marshmallow import ValidationError, fields, validate
from sightline_catalogue import SHAPES, canonical_folder
from sightline_pictures.formats import FORMATS

from sightline_search_gateway.schemas.fields import StrictSchema, Written, many, moment, text, wall_moment
from sightline_search_gateway.search.filter_values import (
    BOX_PATTERN,
    CIRCLE_PATTERN,
    MOST_SIZE,
    MOST_STARS,
    read_box,
    read_circle,
    read_format,
    read_shape,
)

MAX_NAME = 1024
NOT_ROOT_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f/][^\x00-\x1f\x7f]*$"


def _format() -> Written:
    return Written(read_format, metadata={"type": "string", "enum": list(FORMATS)})


def _shape() -> Written:
    return Written(read_shape, metadata={"type": "string", "enum": list(SHAPES)})


def _number(description: str) -> fields.Integer:
    return fields.Integer(validate=validate.Range(0, MOST_SIZE), metadata={"description": description})


def _written(description: str, read: Callable[[str], Any], pattern: str) -> Written:
    return Written(read, metadata={"description": description, "type": "string", "pattern": pattern})


def _not_root(path: str) -> None:
    if not canonical_folder(path):
        raise ValidationError("That is all of the collection, of which nothing would be left.")


class Filters(Schema):
    """Which pictures; different filters must all hold, of one that is repeated any."""

    label = many("The name of the folder that the picture lies in; repeat it for several.")
    folder = many("A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.")
    name = many("Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.")
    words = many("Words, each of which is in the file's name, its folders, its title or its keywords.")
    camera = many("Words of the camera's name: `nikon` for `NIKON D70`.")
    lens = many("Words of the lens's name.")
    format = many("A format. Its usual endings, such as `jpg`, are taken too.", _format())
    shape = many("A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.", _shape())
    after = wall_moment("at this moment or later")
    before = wall_moment("before this moment")
    added_after = moment("When the picture first came into the collection: at this moment or later.")
    added_before = moment("When the picture first came into the collection: before this moment.")
    near = _written("Taken within a circle: latitude, longitude, kilometres.", read_circle, CIRCLE_PATTERN)
    box = _written(
        "Taken within a box: south, west, north, east, in degrees; it may cross the date line.", read_box, BOX_PATTERN
    )
    min_bytes = _number("The file's size is at least this.")
    max_bytes = _number("The file's size is at most this.")
    min_pixels = _number("Width times height is at least this.")
    max_pixels = _number("Width times height is at most this.")
    rating = fields.Integer(
        validate=validate.Range(1, MOST_STARS), metadata={"description": "At least so many stars, of five."}
    )
    not_label = many("A label that is left out; repeat it for several, as the others.")
    not_folder = many(
        "A folder that is left out, and what is below it.",
        text(pattern=NOT_ROOT_PATTERN, validate=validate.And(validate.Length(1, MAX_NAME), _not_root)),
    )
    not_name = many("As `name`, left out.")
    not_words = many("As `words`, left out.")
    not_camera = many("As `camera`, left out.")
    not_lens = many("As `lens`, left out.")
    not_format = many("As `format`, left out.", _format())
    not_shape = many("As `shape`, left out.", _shape())


class WantedFilters(StrictSchema, Filters):
    """Filters as an object in JSON, by the names that they have as parameters elsewhere."""


class GivenFilters(fields.Nested):
    """`WantedFilters` that stay as they were given, once they are known to be right."""

    def __init__(self, description: str) -> None:
        super().__init__(WantedFilters, metadata={"description": description})

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Return the filters as they are; see marshmallow."""
        super().deserialize(value, attr, data, **kwargs)
        return value
