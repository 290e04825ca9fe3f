"""One object on its way into the catalogue, and what became of a task's objects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketObject
from sightline_catalogue import Image

MAX_ATTEMPTS = 5
"""Times that a picture is tried whose failure might pass."""
WAIT_SECONDS = 2.0
"""After so long a file that was being written is looked at again."""
LONGEST_WAIT_SECONDS = 300.0


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait before a picture is tried again that was tried `attempts` times."""
    return timedelta(seconds=min(WAIT_SECONDS * 2 ** min(attempts, 10), LONGEST_WAIT_SECONDS))


@dataclass
class Outcome:
    """How many of a task's keys ended how.

    `indexed` were encoded, `copied` took the vector of equal bytes, `unchanged` were in the catalogue already,
    `failed` cannot be indexed, `waiting` changed while they were read and come again, `gone` left the bucket.
    """

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, count: int = 1) -> None:
        """Count."""
        self.counts[outcome] += count

    def __getitem__(self, outcome: str) -> int:
        return self.counts[outcome]

    def __iadd__(self, other: Outcome) -> Outcome:
        self.counts.update(other.counts)
        return self


@dataclass(frozen=True)
class Failure:
    """Why a picture is not indexed.

    Attributes:
        passing: It might go well another time.
        incomplete: The file may still be on its way.
        refused: The bucket will not have it read.
    """

    reason: str
    passing: bool = False
    incomplete: bool = False
    refused: bool = False


@dataclass
class Work:
    """One object of a task.

    Attributes:
        seen: The object as it was before it was read.
        known: Its point, if it has one.
        twin: An earlier object of the same task with the same bytes.
        pixels: (crop_height, crop_width, 3) uint8, the model's input; None where nothing is to be encoded.
        vector: (dimensions,) float32, of length 1.
        copied: The vector was known.
        claimed: No other process encodes these bytes.
        elsewhere: Another process encodes these bytes.
        changed: The object changed while it was read.
    """

    key: str
    id: str
    seen: BucketObject
    known: Image | None = None
    data: bytes = b""
    sha256: str | None = None
    twin: Work | None = None
    pixels: NDArray[np.uint8] | None = None
    vector: NDArray[np.float32] | None = None
    copied: bool = False
    claimed: bool = False
    elsewhere: bool = False
    changed: bool = False
    failure: Failure | None = None
    width: int | None = None
    height: int | None = None
    format: str | None = None
    taken_at: datetime | None = None
    camera: str | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether its vector comes from another process."""
        return self.elsewhere or (self.twin is not None and self.twin.elsewhere)

    @property
    def attempts(self) -> int:
        """How often it was tried before, since it last changed."""
        return self.known.attempts if self.known is not None and self.known.etag == self.seen.etag else 0

    def take_facts(self, other: Work | Image) -> None:
        """Take what equal bytes have in common."""
        self.width, self.height, self.format = other.width, other.height, other.format
        self.taken_at, self.camera = other.taken_at, other.camera
