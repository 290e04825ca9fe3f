"""An object on its way into the catalogue, one class for each stage, and what can become of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketObject
from sightline_catalogue import Image
from sightline_pictures import Picture

OUTCOMES = ("indexed", "copied", "unchanged", "failed", "waiting", "gone")
"""What a task's keys are counted by: `indexed` were encoded, `copied` took the vector of equal bytes, `unchanged` were
in the catalogue already, `failed` cannot be indexed, `waiting` changed while they were read and come again, `gone` left
the bucket."""


@dataclass(frozen=True)
class Failure:
    """Why an object is not indexed.

    Attributes:
        transient: It might go well another time.
        incomplete: The file may still be being written.
        refused: The bucket does not let it be read.
    """

    reason: str
    transient: bool = False
    incomplete: bool = False
    refused: bool = False


@dataclass(frozen=True)
class IngestItem:
    """An object that is to be read.

    Attributes:
        seen: The object as it was before it was read.
        known: Its record, if it has one.
        failure: Why it is not even read.
    """

    key: str
    id: str
    seen: BucketObject
    known: Image | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class ReadItem:
    """An object that was read, or will not be. Its bytes are kept apart, since they go first.

    Attributes:
        seen: The object as it was after it was read.
        sha256: Of its bytes; None if it was not read, or changed meanwhile.
        changed: It changed while it was read.
    """

    item: IngestItem
    seen: BucketObject
    sha256: str | None = None
    changed: bool = False

    @property
    def attempts(self) -> int:
        """How often it was tried before, since it last changed."""
        known = self.item.known
        return known.attempts if known is not None and known.etag == self.seen.etag else 0


@dataclass(frozen=True)
class Properties:
    """What an image file says of itself."""

    width: int | None = None
    height: int | None = None
    format: str | None = None
    taken_at: datetime | None = None
    camera: str | None = None

    @classmethod
    def of(cls, source: Picture | Image) -> Properties:
        """Return those of an opened picture, or of an image of the catalogue."""
        return cls(**{field.name: getattr(source, field.name) for field in fields(cls)})


@dataclass(frozen=True)
class Content:
    """What equal bytes have in common.

    Attributes:
        pixels: (crop_height, crop_width, 3) uint8, the model's input; None where nothing is to be encoded.
        vector: (dimensions,) float32, of length 1.
        copied: The vector was in the catalogue.
    """

    properties: Properties = Properties()
    pixels: NDArray[np.uint8] | None = None
    vector: NDArray[np.float32] | None = None
    copied: bool = False
    failure: Failure | None = None


@dataclass(frozen=True)
class FinishedItem:
    """An object that is to be stored.

    Attributes:
        duplicate_of: The key of an object of the same task with the same bytes, if one came before.
    """

    read: ReadItem
    content: Content
    duplicate_of: str | None = None
