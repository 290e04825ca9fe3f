"""Pictures that were uploaded for a map alone: encoded and shown, never put into the collection."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sightline.encoder.client import BULK, EncoderClient, ItemError, RawPixels
from sightline_bucket import ThumbnailStore
from sightline_catalogue import ModelRef
from sightline_pictures import PictureSettings, Preprocessing, open_picture, preprocess, thumbnail

THUMBNAIL_SIDE = 384
BATCH = 16
MODELS_SECONDS = 5.0
ENCODE_SECONDS = 60.0


@dataclass(frozen=True)
class UploadedPicture:
    """A picture of an upload.

    Attributes:
        name: As it was sent, a path perhaps.
        label: The folder that it lies in; None for none.
        sha256: Of the file.
        pixels: Brought to the model's input.
    """

    name: str
    label: str | None
    sha256: str
    pixels: NDArray[np.uint8]


class NoEncoder(Exception):
    """No encoder serves the collection's model."""


def label_of(name: str) -> str | None:
    """Return the folder that a file of that name lies in; None where the name has none."""
    folders = [part for part in name.replace("\\", "/").split("/")[:-1] if part not in ("", ".", "..")]
    return folders[-1] if folders else None


def dump_files(pictures: Sequence[UploadedPicture]) -> bytes:
    """Return SHA-256 and name of each picture, as the store keeps them."""
    return orjson.dumps([(one.sha256, one.name) for one in pictures])


def digest_of(pictures: Iterable[UploadedPicture]) -> str:
    """Return what is equal for equal uploads."""
    return hashlib.sha256(orjson.dumps(sorted((one.sha256, one.label) for one in pictures))).hexdigest()


class Reader:
    """Opens pictures of an upload, keeps their thumbnails, and has them encoded.

    Args:
        encoder: The encoders' client.
        thumbnails: Where thumbnails go.
        limits: Of pictures.
        turn: Held while a picture is decoded.
    """

    def __init__(
        self,
        encoder: EncoderClient,
        thumbnails: ThumbnailStore,
        limits: PictureSettings,
        turn: AbstractContextManager[Any],
    ) -> None:
        self._encoder = encoder
        self._thumbnails = thumbnails
        self._limits = limits
        self._turn = turn

    def served(self, model: ModelRef) -> tuple[str, Preprocessing]:
        """Return an encoder's name of a model, and how pictures are brought to its input.

        Raises:
            NoEncoder: None serves it.
        """
        for one in self._encoder.models(timeout_seconds=MODELS_SECONDS):
            if one.fingerprint == model.fingerprint:
                return one.id, Preprocessing.from_proto(one.preprocessing)
        raise NoEncoder(f"The collection was made with {model.id}, and no encoder serves that.")

    def read(self, name: str, load: Callable[[int], bytes], preprocessing: Preprocessing) -> UploadedPicture:
        """Return a picture, after keeping its thumbnail.

        Args:
            name: As it was sent.
            load: Reads at most so many bytes of the file.
            preprocessing: Of the model.

        Raises:
            PictureError: It is no picture within limits.
        """
        with self._turn:
            data = load(self._limits.max_bytes + 1)
            picture = open_picture(
                data,
                max_bytes=self._limits.max_bytes,
                max_pixels=self._limits.max_pixels,
                min_side=max(preprocessing.min_side, THUMBNAIL_SIDE),
            )
            sha256 = hashlib.sha256(data).hexdigest()
            self._thumbnails.put(sha256, thumbnail(picture.image))
            pixels = preprocess(picture.image, preprocessing)
        return UploadedPicture(name, label_of(name), sha256, pixels)

    def encode(
        self, pictures: Sequence[UploadedPicture], name: str, fingerprint: str
    ) -> list[NDArray[np.float32] | ItemError]:
        """Return each picture's (d,) float32 unit vector, or why it has none.

        Raises:
            EncoderError: As the client does.
        """
        found: list[NDArray[np.float32] | ItemError] = []
        for begin in range(0, len(pictures), BATCH):
            batch = [RawPixels(one.pixels, preprocessed=True) for one in pictures[begin : begin + BATCH]]
            found += self._encoder.encode_images(
                batch, model=name, fingerprint=fingerprint, priority=BULK, timeout_seconds=ENCODE_SECONDS
            ).results
        return found
