"""The fields of a payload that are derived from its others, for filters and counts."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Literal

from qdrant_client import grpc as api

from sightline_catalogue.identity import storable
from sightline_catalogue.image import Image
from sightline_catalogue.words import indexed_words, stem_of

Shape = Literal["landscape", "portrait", "square", "panorama"]
SHAPES: tuple[Shape, ...] = ("landscape", "portrait", "square", "panorama")
PANORAMA = 2.0
"""From so many times as long as wide on, upright or not."""
SQUARE = 1.05
"""Up to so many times as long as wide."""

VERSION = 1
"""Of what is derived, and how; raise it where either changes, and the fields of older points are derived again."""
DERIVED = "derived"
"""The field that holds the version that a point's fields are of."""
NAME, WORDS, CAMERA_WORDS, LENS_WORDS = "name", "words", "camera_words", "lens_words"
PIXELS, SHAPE, YEAR = "pixels", "shape", "year"
DERIVED_FIELDS = (DERIVED, NAME, WORDS, CAMERA_WORDS, LENS_WORDS, PIXELS, SHAPE, YEAR)
SOURCES = (
    *("key", "folders", "title", "keywords", "camera", "lens", "width", "height", "taken_at", "modified_at"),
    *("indexed_at", "added_at"),
)
"""The fields that these are derived from."""


def shape_of(width: int | None, height: int | None) -> Shape | None:
    """Return the shape of a picture of so many pixels, upright; None where they are not known."""
    if not width or not height:
        return None
    ratio = max(width, height) / min(width, height)
    if ratio >= PANORAMA:
        return "panorama"
    if ratio <= SQUARE:
        return "square"
    return "landscape" if width > height else "portrait"


def write_derived(fields: MutableMapping[str, api.Value], image: Image) -> None:
    """Write what is derived of an image into a message's payload; what cannot be is left out."""
    name = stem_of(image.key.rpartition("/")[2])
    texts = {
        NAME: indexed_words([name]),
        WORDS: indexed_words([name, *image.folders[-1:], image.title or "", *image.keywords]),
        CAMERA_WORDS: indexed_words([image.camera or ""]),
        LENS_WORDS: indexed_words([image.lens or ""]),
        SHAPE: shape_of(image.width, image.height),
    }
    for field, text in texts.items():
        if text:
            fields[field].string_value = storable(text)
    if image.width is not None and image.height is not None:
        fields[PIXELS].integer_value = image.width * image.height
    # As filters by date see it, so that a year's count is that of what its filter finds.
    moment = image.taken_at or image.modified_at
    if moment is not None:
        fields[YEAR].integer_value = moment.year
    fields[DERIVED].integer_value = VERSION
