"""The way of an item: admitted, decoded, batched, encoded. Knows no gRPC."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray
from PIL import Image
from sightline_pictures import PictureError, PictureSettings, Preprocessing, open_picture, preprocess

from sightline_encoder.batcher import Batcher, Group, Lane, Observer, Silent
from sightline_encoder.decoding import DecodePool
from sightline_encoder.errors import EncodingFailed, InvalidItem, Overloaded, UnknownModel
from sightline_encoder.priority import step_back
from sightline_encoder.settings import EncoderSettings

log = structlog.get_logger()

Vectors = NDArray[np.float32]
INTERACTIVE_WAIT_SECONDS, BULK_WAIT_SECONDS = 0.002, 0.010
"""A batch that is not full closes when its first item has waited so long."""


class EncodingModel(Protocol):
    """What the pipeline needs of a model; see `models.Model`."""

    id: str
    fingerprint: str
    dimensions: int
    context_length: int
    preprocessing: Preprocessing
    runtime: str
    device: str

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        ...

    def encode_pixels(self, pixels: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors of preprocessed pictures."""
        ...


@dataclass(frozen=True)
class LaneName:
    """Whose work a lane holds."""

    model: str
    kind: Literal["text", "image"]
    bulk: bool

    @property
    def priority(self) -> str:
        """`interactive` or `bulk`."""
        return "bulk" if self.bulk else "interactive"

    @property
    def rank(self) -> int:
        """Interactive before bulk, texts before images."""
        return 2 * self.bulk + (self.kind == "image")


@dataclass(frozen=True)
class ImageInput:
    """One image of a request: a file's bytes, or width times height pixels of RGB.

    Attributes:
        data: The bytes.
        size: Width and height of raw pixels; None for a file.
        preprocessed: Whether the pixels are the model's input already.
    """

    data: bytes
    size: tuple[int, int] | None = None
    preprocessed: bool = False


class Pipeline:
    """Batches what calls bring, for several models on one device.

    Args:
        models: The default first.
        settings: Batch sizes, waits and bounds.
        pictures: Limits of one picture.
        observer: Hears of batches; its lanes are LaneName.
    """

    def __init__(
        self,
        models: Sequence[EncodingModel],
        settings: EncoderSettings,
        pictures: PictureSettings,
        observer: Observer | None = None,
    ) -> None:
        self.models = {model.id: model for model in models}
        self._default = models[0]
        self._pictures = pictures
        self._observer = observer or Silent()
        self._budget = _Budget(settings.queue_bytes)
        names = [
            LaneName(model.id, kind, bulk) for model in models for kind in ("text", "image") for bulk in (False, True)
        ]
        lanes = [
            Lane(
                name=name,
                rank=name.rank,
                capacity=settings.queue_size,
                max_batch=settings.max_text_batch_size if name.kind == "text" else settings.max_batch_size,
                max_wait_seconds=BULK_WAIT_SECONDS if name.bulk else INTERACTIVE_WAIT_SECONDS,
            )
            for name in names
        ]
        # Interactive texts have a thread of their own: a person's query never waits for a batch of images that runs. It
        # is the only one that takes them. Two would halve the batches, and pass the weights between processors' caches.
        urgent = [name for name in names if name.kind == "text" and not name.bulk]
        others = [name for name in names if name not in urgent]
        # On a CPU the two share the cores, and pictures step back for texts. A GPU's thread must not starve it.
        on_cpu = all(model.device == "cpu" for model in models)

        def prepare(served: Collection[LaneName]) -> None:
            if on_cpu and not any(name in urgent for name in served):
                step_back()

        self._batcher = Batcher(lanes, self._encode, [others, urgent], observer, prepare)
        self._decoders = DecodePool(settings.picture_threads)

    def model(self, model_id: str) -> EncodingModel:
        """Return a model by id; the default for an empty one.

        Raises:
            UnknownModel: It is not served.
        """
        if not model_id:
            return self._default
        try:
            return self.models[model_id]
        except KeyError:
            served = ", ".join(self.models)
            raise UnknownModel(f"model {model_id!r} is not served here; served are: {served}") from None

    def encode_texts(self, model: EncodingModel, texts: Sequence[str], *, bulk: bool) -> Group:
        """Queue texts; the group's future gives a (dimensions,) vector or an EncoderError each.

        Raises:
            Overloaded: They do not fit now.
        """
        group = self._batcher.admit(LaneName(model.id, "text", bulk), len(texts))
        for index, text in enumerate(texts):
            group.ready(index, text)
        return group

    def encode_images(self, model: EncodingModel, images: Sequence[ImageInput], *, bulk: bool) -> Group:
        """Queue images for decoding and encoding; the group's future is as for texts.

        Raises:
            Overloaded: They do not fit now.
        """
        name = LaneName(model.id, "image", bulk)
        size = sum(len(image.data) for image in images)
        if not self._budget.take(size):
            self._observer.refused(name, len(images))
            raise Overloaded("too many bytes of images wait", 0.5)
        try:
            group = self._batcher.admit(name, len(images))
        except Overloaded:
            self._budget.give(size)
            raise
        group.future.add_done_callback(lambda _: self._budget.give(size))
        for index, image in enumerate(images):
            if image.preprocessed:
                self._decode(group, index, image, model)
            else:
                self._decoders.submit(name.rank, _Decoding(self, group, index, image, model))
        return group

    def close(self) -> None:
        """Finish what is queued and stop the threads."""
        self._decoders.close()
        self._batcher.close()

    def _decode(self, group: Group, index: int, image: ImageInput, model: EncodingModel) -> None:
        if group.cancelled:
            return
        try:
            pixels = self._pixels(image, model.preprocessing)
        except PictureError as error:
            group.fail(index, InvalidItem(error.reason))
        except InvalidItem as error:
            group.fail(index, error)
        except Exception:
            log.exception("decoding failed")
            group.fail(index, EncodingFailed("the image could not be prepared; the encoder's log says why"))
        else:
            group.ready(index, pixels)

    def _pixels(self, image: ImageInput, steps: Preprocessing) -> NDArray[np.uint8]:
        if image.size is None:
            picture = open_picture(
                image.data,
                max_bytes=self._pictures.max_bytes,
                max_pixels=self._pictures.max_pixels,
                min_side=steps.min_side,
            )
            return preprocess(picture.image, steps)
        width, height = image.size
        if width < 1 or height < 1 or len(image.data) != width * height * 3:
            raise InvalidItem(
                f"raw image: {len(image.data):,} bytes are not {width} x {height} x 3, or there are no pixels"
            )
        if width * height > self._pictures.max_pixels:
            raise InvalidItem(
                f"{width:,} x {height:,} pixels; the limit is {self._pictures.max_pixels:,} (IMAGE_MAX_PIXELS)"
            )
        pixels = np.frombuffer(image.data, np.uint8).reshape(height, width, 3)
        if not image.preprocessed:
            return preprocess(Image.fromarray(pixels), steps)
        if (width, height) != (steps.crop_width, steps.crop_height):
            raise InvalidItem(
                f"preprocessed image of {width} x {height} pixels; the model's input is"
                f" {steps.crop_width} x {steps.crop_height}"
            )
        return pixels

    def _encode(self, lane: LaneName, payloads: list[Any]) -> Sequence[Any]:
        model = self.models[lane.model]
        try:
            vectors = model.encode_texts(payloads) if lane.kind == "text" else model.encode_pixels(payloads)
        except Exception:
            log.exception("forward pass failed", model=lane.model, kind=lane.kind, items=len(payloads))
            raise
        if np.isfinite(vectors).all():
            return list(vectors)
        failure = EncodingFailed("the model gave no finite vector for this item")
        return [vector if np.isfinite(vector).all() else failure for vector in vectors]


@dataclass(frozen=True)
class _Decoding:
    pipeline: Pipeline
    group: Group
    index: int
    image: ImageInput
    model: EncodingModel

    def __call__(self) -> None:
        self.pipeline._decode(self.group, self.index, self.image, self.model)


class _Budget:
    """A number of bytes that may be held at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._lock = threading.Lock()

    def take(self, amount: int) -> bool:
        with self._lock:
            if self._used + amount > self._limit:
                return False
            self._used += amount
            return True

    def give(self, amount: int) -> None:
        with self._lock:
            self._used -= amount
