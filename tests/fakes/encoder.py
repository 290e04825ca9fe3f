"""An encoder in memory, whose vectors are hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import grpc
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sightline.encoder.client import (
    INTERACTIVE,
    Encoded,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    ItemError,
    RawPixels,
)
from sightline.encoder.v1 import encoder_pb2
from sightline_catalogue import ModelRef
from sightline_pictures import PictureError, Preprocessing, open_picture, preprocess
from sightline_pictures.proto import to_proto

MODEL = ModelRef(id="embedded", fingerprint="f" * 64, dimensions=8, visual_dimensions=4)
PREPROCESSING = Preprocessing("squash", 8, crop_width=8, crop_height=8)
INPUT_SHAPE = (8, 8, 3)
MAX_BYTES = MAX_PIXELS = 100_000_000

Vector = NDArray[np.float32]


def vector_of(content: bytes | str) -> Vector:
    """Return a unit vector, (8,) float32, that depends on the content alone."""
    return _hashed(content.encode() if isinstance(content, str) else content, MODEL.dimensions)


def visual_vector_of(content: bytes) -> Vector:
    """Return a visual unit vector, (4,) float32, that has nothing to do with the other one."""
    return _hashed(b"seen " + content, MODEL.visual_dimensions)


def _hashed(data: bytes, dimensions: int) -> Vector:
    seed = int.from_bytes(hashlib.sha256(data).digest()[:4], "big")
    vector = np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)


def picture_vector(picture: bytes | RawPixels) -> Vector:
    """Return the vector of a picture: of a file's bytes, of its pixels, and of the model's input the same.

    Raises:
        InvalidItem: It is not an image, or pixels do not fit.
    """
    return vector_of(_input(picture))


def picture_row(picture: bytes | RawPixels) -> Vector:
    """Return the vector of a picture and its visual one, side by side as the catalogue takes them."""
    content = _input(picture)
    return np.concatenate([vector_of(content), visual_vector_of(content)])


def _input(picture: bytes | RawPixels) -> bytes:
    if isinstance(picture, RawPixels):
        if picture.preprocessed and picture.rgb.shape != INPUT_SHAPE:
            raise InvalidItem(f"{picture.rgb.shape} is not the model's input, {INPUT_SHAPE}")
        if picture.preprocessed:
            return picture.rgb.tobytes()
        image = Image.fromarray(picture.rgb)
    else:
        try:
            image = open_picture(picture, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS).image
        except PictureError as error:
            raise InvalidItem(str(error)) from error
    return preprocess(image, PREPROCESSING).tobytes()


class FakeEncoder:
    """An encoder of one model.

    Attributes:
        name: The model's id.
        fingerprint: The model's.
        error: What every call raises.
        errors: What the next calls to encode raise, in order.
        item_errors: What the next items come back as, in order.
        before: Called before anything is encoded.
        texts: All that were encoded.
        batches: How many images each call had.
        preprocessed: How many images came as the model's input.
        priorities: Of the calls to encode.
        reranking: As it lists its model.
    """

    def __init__(self) -> None:
        self.name = MODEL.id
        self.fingerprint = MODEL.fingerprint
        self.error: Exception | None = None
        self.errors: list[Exception] = []
        self.item_errors: list[ItemError] = []
        self.before: Callable[[], None] = lambda: None
        self.texts: list[str] = []
        self.batches: list[int] = []
        self.preprocessed = 0
        self.reranking: encoder_pb2.Reranking | None = None
        self.priorities: list[int] = []

    def models(self, *, timeout_seconds: float | None = None) -> list[encoder_pb2.Model]:
        if self.error is not None:
            raise self.error
        return [
            encoder_pb2.Model(
                id=self.name,
                fingerprint=self.fingerprint,
                dimensions=MODEL.dimensions,
                visual_dimensions=MODEL.visual_dimensions,
                context_length=77,
                runtime="torch",
                device="cpu",
                preprocessing=to_proto(PREPROCESSING),
                reranking=self.reranking,
            )
        ]

    def default_model(self, *, timeout_seconds: float | None = None) -> encoder_pb2.Model:
        return self.models(timeout_seconds=timeout_seconds)[0]

    def encode_texts(
        self,
        texts: Sequence[str],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: int = INTERACTIVE,
        timeout_seconds: float | None = None,
    ) -> Encoded:
        self._begin("texts", texts, model, fingerprint, priority)
        self.texts += texts
        results = [self._result(vector_of, text) for text in texts]
        return Encoded(self.name, self.fingerprint, results, [None] * len(texts))

    def encode_images(
        self,
        images: Sequence[bytes | RawPixels],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: int = INTERACTIVE,
        visual: bool = False,
        timeout_seconds: float | None = None,
    ) -> Encoded:
        self._begin("images", images, model, fingerprint, priority)
        self.batches.append(len(images))
        self.preprocessed += sum(isinstance(image, RawPixels) and image.preprocessed for image in images)
        rows = [self._result(picture_row, image) for image in images]
        results = [row if isinstance(row, ItemError) else row[: MODEL.dimensions] for row in rows]
        seen = [None if isinstance(row, ItemError) or not visual else row[MODEL.dimensions :] for row in rows]
        return Encoded(self.name, self.fingerprint, results, seen)

    def _begin(self, what: str, items: Sequence[object], model: str, fingerprint: str, priority: int) -> None:
        if self.error is not None:
            raise self.error
        if self.errors:
            raise self.errors.pop(0)
        if model not in ("", self.name):
            message = f"model {model!r} is not served here; served are: {self.name}"
            raise InvalidRequest(message, grpc.StatusCode.NOT_FOUND)
        if fingerprint not in ("", self.fingerprint):
            raise FingerprintMismatch(f"model {self.name!r} has fingerprint {self.fingerprint}, not {fingerprint}")
        if not items:
            raise InvalidRequest(f"a request needs {what}")
        self.priorities.append(priority)
        self.before()

    def _result(self, encode: Callable[..., Vector], item: str | bytes | RawPixels) -> Vector | ItemError:
        if self.item_errors:
            return self.item_errors.pop(0)
        try:
            return encode(item)
        except InvalidItem as error:
            return error
