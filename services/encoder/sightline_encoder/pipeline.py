"""The pipeline from texts and images to vectors: admits, decodes, batches, encodes. Knows nothing of gRPC calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, cast

import grpc
import numpy as np
import structlog
from numpy.typing import NDArray
from sightline.encoder.errors import InvalidItem, InvalidRequest, ItemError, Overloaded, Unavailable
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_pictures import PictureError, Preprocessing, preprocess
from sightline_pictures.decoder_process import Abandoned, Attempt, TooSlow
from sightline_pictures.rendering import render_input

from sightline_encoder.batcher import (
    BULK_WAIT_SECONDS,
    INTERACTIVE_WAIT_SECONDS,
    Batcher,
    Observer,
    PendingCall,
    QueueSpec,
)
from sightline_encoder.decode_pool import DecodePool
from sightline_encoder.raw_pixels import raw_input, raw_picture
from sightline_encoder.settings import EncoderSettings
from sightline_encoder.thread_priority import lower_thread_priority

log = structlog.get_logger()

Vectors = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class EncodingModel(Protocol):
    """The part of `models.Model` that the pipeline uses."""

    id: str
    fingerprint: str
    dimensions: int
    visual_dimensions: int
    context_length: int
    preprocessing: Preprocessing
    reranking: Reranking | None
    runtime: str
    device: str

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        ...

    def encode_pixels(self, pixels: Sequence[Pixels], *, visual: bool) -> Vectors:
        """Return (n, dimensions + visual_dimensions) float32: both unit vectors of preprocessed pictures."""
        ...


@dataclass(frozen=True)
class QueueKey:
    """Identifies a queue: model, kind of item, priority."""

    model: str
    kind: Literal["text", "image"]
    bulk: bool

    @property
    def priority_name(self) -> str:
        """`interactive` or `bulk`."""
        return "bulk" if self.bulk else "interactive"

    @property
    def priority(self) -> int:
        """The queue's priority: interactive before bulk, texts before images."""
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


Call = PendingCall[QueueKey, "str | Pixels", NDArray[np.float32]]


class Pipeline:
    """Encodes the items of concurrent calls in batches, for several models on one device.

    Args:
        models: The models that are ready.
        settings: Batch sizes, the queues' bounds, and the limits of one picture.
        observer: Receives the batcher's events.
        default: The id of the default model; the first where none is named.
        loading: Ids of the models that are not ready yet.
    """

    def __init__(
        self,
        models: Sequence[EncodingModel],
        settings: EncoderSettings,
        observer: Observer[QueueKey] | None = None,
        default: str | None = None,
        loading: Sequence[str] = (),
    ) -> None:
        self.models = {model.id: model for model in models}
        self.default = default or models[0].id
        self.loading = loading
        self._pictures = settings.pictures
        self._observer = observer or Observer()
        self._bytes = _ByteBudget(settings.queue_bytes)
        keys = [
            QueueKey(model.id, kind, bulk) for model in models for kind in ("text", "image") for bulk in (False, True)
        ]
        queues = [
            QueueSpec(
                key=key,
                priority=key.priority,
                capacity=settings.queue_size,
                max_batch=settings.max_text_batch_size if key.kind == "text" else settings.max_batch_size,
                max_wait_seconds=BULK_WAIT_SECONDS if key.bulk else INTERACTIVE_WAIT_SECONDS,
            )
            for key in keys
        ]
        # Interactive texts have a thread of their own, so that a person's query never waits for a batch of images. No
        # other thread serves them: two would halve the batches, and move the weights between processors' caches.
        urgent = [key for key in keys if key.kind == "text" and not key.bulk]
        others = [key for key in keys if key not in urgent]
        # On a CPU the two threads compete for the cores, and texts go first. The thread that feeds a GPU keeps its
        # priority.
        on_cpu = all(model.device == "cpu" for model in models)

        def on_thread_start(served: Collection[QueueKey]) -> None:
            if on_cpu and not any(key in urgent for key in served):
                lower_thread_priority()

        self._batcher = Batcher(queues, self._encode, [others, urgent], observer, on_thread_start)
        self._decoders = DecodePool(settings.forward_threads, self._pictures.max_seconds, on_cpu=on_cpu)

    def model(self, model_id: str) -> EncodingModel:
        """Return a model by id; the default for an empty one.

        Raises:
            InvalidRequest: It is not served.
            Unavailable: It is not ready yet.
        """
        model_id = model_id or self.default
        try:
            return self.models[model_id]
        except KeyError:
            if model_id in self.loading:
                raise Unavailable(f"model {model_id!r} is still being loaded") from None
            served = ", ".join(self.models)
            message = f"model {model_id!r} is not served here; served are: {served}"
            raise InvalidRequest(message, grpc.StatusCode.NOT_FOUND) from None

    def encode_texts(self, model: EncodingModel, texts: Sequence[str], *, bulk: bool) -> Call:
        """Queue texts; the call's future gives a (dimensions,) vector or an ItemError each.

        Raises:
            Overloaded: They do not fit now.
        """
        call = self._batcher.admit(QueueKey(model.id, "text", bulk), len(texts))
        for index, text in enumerate(texts):
            call.submit(index, text)
        return call

    def encode_images(self, model: EncodingModel, images: Sequence[ImageInput], *, bulk: bool) -> Call:
        """Queue images for decoding and encoding; the call's future is as for texts, with both vectors side by side.

        Raises:
            Overloaded: They do not fit now.
        """
        key = QueueKey(model.id, "image", bulk)
        size = sum(len(image.data) for image in images)
        if not self._bytes.acquire(size):
            self._observer.refused(key, len(images))
            raise Overloaded("too many bytes of images are queued", 0.5)
        try:
            call = self._batcher.admit(key, len(images))
        except Overloaded:
            self._bytes.release(size)
            raise
        call.future.add_done_callback(lambda _: self._bytes.release(size))
        for index, image in enumerate(images):
            if image.preprocessed and image.size is not None:
                self._settle(call, index, partial(raw_input, image.data, *image.size, model.preprocessing))
            else:
                # Nobody waits for bulk: there it is better to finish one call before the next.
                place = 0 if bulk else index
                self._decoders.submit(key.priority, place, partial(self._decode, call, index, image, model))
        return call

    def close(self) -> None:
        """Finish what is queued and stop the threads."""
        self._decoders.close()
        self._batcher.close()

    def _decode(self, call: Call, index: int, image: ImageInput, model: EncodingModel, attempt: Attempt) -> None:
        """Have an image decoded and preprocessed, and queue it for encoding.

        Raises:
            TooSlow: It takes longer, and the attempt is not the last.
        """
        limits, steps = self._pictures, model.preprocessing

        def make() -> Pixels:
            if image.size is not None:
                return preprocess(raw_picture(image.data, *image.size, limits.max_pixels), steps)
            return attempt.run(render_input, lambda: call.cancelled, image.data, limits, steps)

        if not call.cancelled:
            self._settle(call, index, make)

    def _settle(self, call: Call, index: int, make: Callable[[], Pixels]) -> None:
        """Queue the pixels that `make` returns for encoding; an error is the item's result."""
        try:
            pixels = make()
        except TooSlow:
            raise
        except Abandoned:
            pass
        except PictureError as error:
            call.fail(index, InvalidItem(error.reason))
        except Exception:
            log.exception("decoding failed")
            call.fail(index, ItemError("the image could not be preprocessed; the encoder's log says why"))
        else:
            call.submit(index, pixels)

    def _encode(self, key: QueueKey, payloads: list[str | Pixels]) -> Sequence[Vectors | ItemError]:
        model = self.models[key.model]
        try:
            if key.kind == "text":
                vectors = model.encode_texts(cast("list[str]", payloads))
            else:
                vectors = model.encode_pixels(cast("list[Pixels]", payloads), visual=True)
        except Exception:
            log.exception("forward pass failed", model=key.model, kind=key.kind, items=len(payloads))
            raise
        if np.isfinite(vectors).all():
            return list(vectors)
        failure = ItemError("the model gave no finite vector for this item")
        return [vector if np.isfinite(vector).all() else failure for vector in vectors]


class _ByteBudget:
    """A limit of the bytes that may be held at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._lock = threading.Lock()

    def acquire(self, amount: int) -> bool:
        with self._lock:
            if self._used + amount > self._limit:
                return False
            self._used += amount
            return True

    def release(self, amount: int) -> None:
        with self._lock:
            self._used -= amount
