"""Pictures that were uploaded for a map alone: encoded and shown, never put into the collection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray
from sightline.encoder.client import BULK, EncoderClient, ItemError, RawPixels
from sightline_catalogue import ModelRef, canonical
from sightline_pictures import PictureError, Preprocessing
from sightline_pictures.proto import from_proto
from sightline_pictures.rendering import render_thumbnail_and_input
from sightline_service.batches import batched

from sightline_search_gateway.errors import Refused
from sightline_search_gateway.ingest.upload_decoding import UploadDecoding
from sightline_search_gateway.ingest.upload_names import SentFile
from sightline_search_gateway.search.query_encoder import served_model

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
        thumbnail: WebP.
        row: Its vector and, where the model has one, its visual one, side by side.
    """

    name: str
    label: str | None
    sha256: str
    thumbnail: bytes
    row: NDArray[np.float32]


@dataclass(frozen=True)
class _Opened:
    name: str
    sha256: str
    thumbnail: bytes
    pixels: NDArray[np.uint8]


def label_of(name: str) -> str | None:
    """Return the folder that a file of that name lies in; None where the name has none."""
    folders = [part for part in name.replace("\\", "/").split("/")[:-1] if part not in ("", ".", "..")]
    return canonical(folders[-1]) if folders else None


def dump_files(pictures: Sequence[UploadedPicture]) -> bytes:
    """Return SHA-256 and name of each picture, as the store keeps them."""
    return orjson.dumps([(one.sha256, one.name) for one in pictures])


def digest_of(pictures: Iterable[UploadedPicture]) -> str:
    """Return a hash that is equal for equal uploads."""
    return hashlib.sha256(orjson.dumps(sorted((one.sha256, one.label) for one in pictures))).hexdigest()


@dataclass(frozen=True)
class Reader:
    """Opens pictures of an upload and has them encoded.

    Args:
        decoding: Decodes the pictures.
    """

    encoder: EncoderClient
    decoding: UploadDecoding

    def read(self, files: Sequence[SentFile], model: ModelRef) -> tuple[list[UploadedPicture], list[Refused]]:
        """Return the pictures among some files, and of each other file name and reason.

        Raises:
            EncoderError: As the client does.
            ServiceError: No encoder serves the model.
        """
        served = served_model(self.encoder, model, MODELS_SECONDS)
        preprocessing = from_proto(served.preprocessing)
        pictures: list[UploadedPicture] = []
        refused: list[Refused] = []
        # Batch by batch: the pixels of all would fill the memory.
        for some in batched(files, BATCH):
            opened: list[_Opened] = []
            for file in some:
                try:
                    opened.append(self._open(file, preprocessing))
                except PictureError as error:
                    refused.append(Refused(name=file.name, reason=error.reason))
            for one, row in zip(opened, self._encode(opened, served.id, model.fingerprint), strict=True):
                if isinstance(row, ItemError):
                    refused.append(Refused(name=one.name, reason=row.message))
                else:
                    pictures.append(UploadedPicture(one.name, label_of(one.name), one.sha256, one.thumbnail, row))
        return pictures, refused

    def _open(self, file: SentFile, preprocessing: Preprocessing) -> _Opened:
        data, (webp, pixels) = self.decoding.run(render_thumbnail_and_input, file, preprocessing)
        return _Opened(file.name, hashlib.sha256(data).hexdigest(), webp, pixels)

    def _encode(self, opened: Sequence[_Opened], name: str, fingerprint: str) -> list[NDArray[np.float32] | ItemError]:
        if not opened:
            return []
        pixels = [RawPixels(one.pixels, preprocessed=True) for one in opened]
        encoded = self.encoder.encode_images(
            pixels, model=name, fingerprint=fingerprint, priority=BULK, visual=True, timeout_seconds=ENCODE_SECONDS
        )
        return encoded.rows()
