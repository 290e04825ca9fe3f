"""What the catalogue knows of one image, and what it answers."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

State = Literal["pending", "indexed", "failed"]

NAMESPACE = uuid.UUID("8a3f1f52-6f0b-5d0e-9f5e-5b7e0c1f2d3a")
"""Of Sightline's images, made up once; another one would give every image another id."""


def image_id(bucket_id: str, raw_key: bytes) -> str:
    """Return an image's id: a UUIDv5 of its bucket's id and its key as the bucket has it, byte for byte.

    A bucket's id holds no NUL byte and neither does a key, so that no two pairs look alike. UUIDv5 is defined over
    bytes; `uuid.uuid5` takes text alone on older Pythons, and a key need not be text.
    """
    digest = hashlib.sha1(NAMESPACE.bytes + bucket_id.encode() + b"\0" + raw_key, usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


@dataclass(frozen=True)
class ModelRef:
    """The model whose vectors a collection holds.

    Attributes:
        id: As the encoder names it.
        fingerprint: SHA-256 in hexadecimal; only vectors of equal fingerprints may be compared.
        dimensions: The length of a vector.
    """

    id: str
    fingerprint: str
    dimensions: int


@dataclass(frozen=True)
class Image:
    """One object of the bucket.

    Attributes:
        key: The object's key; where it is not valid UTF-8, as shown to a person.
        reason: Why it failed, or why it is pending again.
        next_try_at: When it may be tried again; None means at once for a pending one, never for a failed one.
        sha256: Of the file's bytes, in hexadecimal.
        width, height: In pixels, orientation applied.
        label: The name of the folder that it lies in.
        folders: Every folder above it, as paths: `a/b/c.jpg` lies in `a` and `a/b`.
        taken_at: From EXIF.
        modified_at, etag: The object's, when it was read.

    Every time is in UTC.
    """

    id: str
    bucket: str
    key: str
    state: State
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
    camera: str | None = None
    modified_at: datetime | None = None
    indexed_at: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True)
class Filter:
    """Which images are wanted; what is empty or None does not matter, several of one kind mean any of them.

    Attributes:
        after, before: From this time on, and up to but without this time: when the picture was taken, or when it was
            modified where nobody knows when it was taken.
    """

    labels: Sequence[str] = ()
    folders: Sequence[str] = ()
    after: datetime | None = None
    before: datetime | None = None
    states: Sequence[State] = ()
    formats: Sequence[str] = ()


@dataclass(frozen=True)
class Nearest:
    """The answer to a search, the nearest first.

    Attributes:
        similarities: (n,) float32, cosine.
        vectors: (n, dimensions) float32 where they were asked for.
    """

    images: list[Image]
    similarities: NDArray[np.float32]
    vectors: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Page:
    """Some of the images; `cursor` gives the next ones, None means that these were the last."""

    images: list[Image]
    cursor: str | None


@dataclass(frozen=True)
class Counts:
    """How many images are in each state."""

    pending: int = 0
    indexed: int = 0
    failed: int = 0


class Known(NamedTuple):
    """What a comparison with the bucket needs of an image."""

    id: str
    key: str
    etag: str | None
    state: State
    attempts: int
    next_try_at: datetime | None
