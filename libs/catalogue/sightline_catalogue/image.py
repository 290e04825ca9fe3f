"""The catalogue's record of an image, and the results of its calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

State = Literal["pending", "indexed", "failed", "removed"]
PENDING: Final = "pending"
INDEXED: Final = "indexed"
FAILED: Final = "failed"
REMOVED: Final = "removed"
CopyKind = Literal["equal", "near"]
EQUAL: Final = "equal"
NEAR: Final = "near"
STATES: tuple[State, ...] = (PENDING, INDEXED, FAILED)
"""The states of the images that a collection shows and counts; one that is removed is kept, and not shown."""


@dataclass
class Image:
    """One object of a bucket.

    Datetimes but `taken_at` are aware; they come back in UTC, to the microsecond. An empty text comes back as None.
    Labels and folders come back in NFC, whichever form of Unicode a name has.

    Attributes:
        id: As `image_id` gives it.
        bucket: BUCKET_ID.
        key: The object's key; of a name that is not UTF-8, what can be shown of it.
        state: Only an indexed image has a vector that searches find.
        reason: Why it failed, or why it waits; fit to show to a person.
        attempts: How often a worker has tried.
        next_try_at: Not before then; None for at once when pending, never when failed.
        sha256: Of the object's bytes, in hexadecimal.
        bytes: The object's size.
        width: In pixels, upright.
        height: In pixels, upright.
        format: `JPEG`, `PNG` and so on.
        label: The name of the parent folder; None at the top of the bucket.
        folders: The paths of all folders above it, the outermost first.
        taken_at: When it was taken, naive: the time on the wall where that was.
        taken_offset: The wall's offset from UTC, such as `+02:00`; None where it is not known.
        taken_from: What says so: `exif`, `name` and so on.
        place: Where it was taken: latitude and longitude in degrees, WGS 84.
        camera: The camera that took it.
        lens: The lens.
        rating: 1 to 5 stars, or -1 for a rejected picture.
        title: What people called it, or wrote below it.
        keywords: What people noted.
        sidecars: Changes when the files beside it that describe it do; None where there is none.
        note: What is missing of the picture; fit to show to a person.
        reader: The version of the code that read the file; None before there was one.
        input_sha256: Of the pixels that the model was given, in hexadecimal.
        modified_at: When the object was last modified.
        indexed_at: When its vector was stored.
        added_at: When it first came into the collection; None of a record made before that was noted.
        etag: Changes when the object does.
        stamp: What else changes with a file's bytes; where it alone is another, they have to be compared.
        missing_since: Since when its object is known to be missing; None while it is there.
        held_of: Of how many images it was one when it was held as part of a suspected loss; 0 once the loss was
            confirmed, None where it is not held.
        removed_at: When it was removed; None unless it is.
        copy_of: SHA-256 of the picture that it is a copy of, its own where that has the same bytes; None of the first.
            The picture itself may have gone since.
        copy_kind: How it is like that one: of equal bytes or pixels, or nearly equal.
        burst: The same for all pictures of a burst; None where it is of none.
        compared: The version of the code that looked for its copies; None before it was done.
    """

    id: str
    bucket: str
    key: str
    state: State = PENDING
    reason: str | None = None
    attempts: int = 0
    next_try_at: datetime | None = None
    sha256: str | None = None
    bytes: int | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    label: str | None = None
    folders: list[str] = field(default_factory=list)
    taken_at: datetime | None = None
    taken_offset: str | None = None
    taken_from: str | None = None
    place: tuple[float, float] | None = None
    camera: str | None = None
    lens: str | None = None
    rating: int | None = None
    title: str | None = None
    keywords: list[str] = field(default_factory=list)
    sidecars: str | None = None
    note: str | None = None
    reader: int | None = None
    input_sha256: str | None = None
    modified_at: datetime | None = None
    indexed_at: datetime | None = None
    added_at: datetime | None = None
    etag: str | None = None
    stamp: str | None = None
    missing_since: datetime | None = None
    held_of: int | None = None
    removed_at: datetime | None = None
    copy_of: str | None = None
    copy_kind: CopyKind | None = None
    burst: str | None = None
    compared: int | None = None

    @property
    def copy_group(self) -> str | None:
        """The same for all copies of a picture; None where its bytes are not known."""
        return self.copy_of or self.sha256


class ScanState(NamedTuple):
    """The fields of an image that a scan of the bucket compares."""

    id: str
    etag: str | None
    state: State
    key: str
    attempts: int
    next_try_at: datetime | None
    stamp: str | None
    missing_since: datetime | None
    sidecars: str | None
    reader: int | None = None
    compared: int | None = None


@dataclass(frozen=True)
class Nearest:
    """The nearest images of a vector, the nearest first, or as the search had them reordered.

    Attributes:
        images: n images, all of them indexed; without the fields that only ingestion needs, such as etag and reason,
            and those that results do not show, such as place and lens.
        similarities: (n,) float32, cosines.
        vectors: (n, dimensions) float32, of length one; None where they were not requested.
        visual: (n, visual_dimensions) float32, likewise; `vectors` where the model has none of its own.
        copies: Of each image, how many others there are in its group of copies; None unless the search was `distinct`.
    """

    images: list[Image]
    similarities: NDArray[np.float32]
    vectors: NDArray[np.float32] | None = None
    visual: NDArray[np.float32] | None = None
    copies: list[int] | None = None


class Labelled(NamedTuple):
    """An indexed image's id, label and group of copies."""

    id: str
    label: str | None
    copy_group: str | None


@dataclass(frozen=True)
class Page:
    """A page of images, and the cursor of the next one; None at the end.

    `copies` is as in `Nearest`.
    """

    images: list[Image]
    cursor: str | None = None
    copies: list[int] | None = None


@dataclass(frozen=True)
class Counts:
    """How many images are in each state; each image is in exactly one."""

    pending: int = 0
    indexed: int = 0
    failed: int = 0
