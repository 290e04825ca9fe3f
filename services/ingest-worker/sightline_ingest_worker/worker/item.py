"""The ingest item: an object that is being indexed, one class for each stage, and its possible outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketObject
from sightline_catalogue import Image
from sightline_pictures import READER_VERSION, Picture
from sightline_pictures.metadata import NO_TAGS, Tags, stamp_of

OUTCOMES = ("indexed", "copied", "unchanged", "failed", "waiting", "gone")
"""The outcomes of a key: `indexed` was encoded, `copied` has the vector of equal bytes, `unchanged` was up to date,
`failed` cannot be indexed, `waiting` changed while it was read and is tried again, `gone` is not in the bucket now."""


def is_outdated(reader: int | None) -> bool:
    """Return whether what was read by a version of the code has to be read again."""
    return reader is None or reader < READER_VERSION


class FailureKind(Enum):
    """What a failure means for the next try."""

    LASTING = "lasting"
    """Nothing but another content of the object changes it."""
    TRANSIENT = "transient"
    """Another try may succeed."""
    INCOMPLETE = "incomplete"
    """The file may still be being written."""
    REFUSED = "refused"
    """The bucket does not allow it to be read."""
    UNREADABLE = "unreadable"
    """It could not be read; it is tried again, ever more rarely."""
    POSTPONED = "postponed"
    """Others take long; it is tried again before long, as if it had not been."""


@dataclass(frozen=True)
class Failure:
    """Why an object is not indexed."""

    reason: str
    kind: FailureKind = FailureKind.LASTING


@dataclass(frozen=True)
class IngestItem:
    """An object to index.

    Attributes:
        seen: The object as it was before it was read.
        known: Its record, if it has one.
        failure: Why it is not read.
        sidecars: The files beside it that describe it.
    """

    key: str
    id: str
    seen: BucketObject
    known: Image | None = None
    failure: Failure | None = None
    sidecars: tuple[BucketObject, ...] = ()

    @property
    def sidecar_stamp(self) -> str | None:
        """What its record holds of its sidecars."""
        return stamp_of((one.display_name, one.etag) for one in self.sidecars)


@dataclass(frozen=True)
class ReadItem:
    """An object that was read, or that cannot be read. Its bytes are held apart, to be freed first.

    Attributes:
        seen: The object as it was after it was read.
        sha256: The SHA-256 of its bytes; None if it was not read, or changed meanwhile.
        changed: Whether it changed while it was read.
        sidecar_tags: What its sidecars say.
    """

    item: IngestItem
    seen: BucketObject
    sha256: str | None = None
    changed: bool = False
    sidecar_tags: tuple[Tags, ...] = ()

    @property
    def attempts(self) -> int:
        """The number of earlier tries since it last changed."""
        known = self.item.known
        return known.attempts if known is not None and known.etag == self.seen.etag else 0


@dataclass(frozen=True)
class Properties:
    """The properties of an image file.

    Attributes:
        tags: What the file itself says about the picture.
    """

    width: int | None = None
    height: int | None = None
    format: str | None = None
    tags: Tags = NO_TAGS
    note: str | None = None

    @classmethod
    def of(cls, source: Picture | Image, tags: Tags = NO_TAGS) -> Properties:
        """Return those of an opened picture, or of an image of the catalogue with its file's tags."""
        tags = source.tags if isinstance(source, Picture) else tags
        return cls(source.width, source.height, source.format, tags, source.note)


@dataclass(frozen=True)
class Content:
    """What is derived from an object's bytes, and so is the same for equal bytes.

    Attributes:
        pixels: (crop_height, crop_width, 3) uint8, the model's input; None where nothing is to be encoded.
        vector: (dimensions + visual_dimensions,) float32: its vector and its visual one side by side, as the catalogue
            takes them.
        copied: Whether the vector comes from the catalogue.
        reader: The version of the code that read the properties; None where they are of a record that names none.
        input_sha256: Of the pixels that the vector is of, in hexadecimal.
    """

    properties: Properties = Properties()
    pixels: NDArray[np.uint8] | None = None
    vector: NDArray[np.float32] | None = None
    copied: bool = False
    failure: Failure | None = None
    reader: int | None = None
    input_sha256: str | None = None

    @property
    def is_outdated(self) -> bool:
        """Whether an older version of the code read it."""
        return is_outdated(self.reader)


@dataclass(frozen=True)
class FinishedItem:
    """An object to store.

    Attributes:
        duplicate_of: The key of an earlier object of the same task with the same bytes, if there is one.
    """

    read: ReadItem
    content: Content
    duplicate_of: str | None = None
