"""Queries to vectors, through the encoder and a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import BoundedSemaphore, Lock, Thread

import grpc
import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray
from sightline.encoder.client import (
    BULK,
    INTERACTIVE,
    EncoderClient,
    EncoderError,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    Unavailable,
)
from sightline.encoder.v1.encoder_pb2 import Model, Reranking
from sightline_catalogue import ModelRef

from sightline_search_gateway.errors import ServiceError

Vector = NDArray[np.float32]
BULK_SECONDS = 60.0
SLOT_WAIT_SECONDS = 0.25
"""How long a query waits for a slot: enough for a burst, and behind a slow encoder threads are freed soon."""
SMALLEST_NORM = 1e-6
ASK_AGAIN_SECONDS = 60.0
RETRY_SECONDS = 5.0
"""How long it is known how the encoders list a model; and until they are asked again that did not answer."""


class QueryEncoder:
    """Encodes under a collection's fingerprint. Safe to use from several threads.

    Args:
        encoder: The encoders' client.
        size: Texts whose vectors are kept; 0 keeps none.
        seconds: How long they are kept.
        timeout_seconds: Of a call.
        at_once: Calls under way; more wait a moment and are refused, so that a slow encoder cannot take every thread.
        on_lookup: Called with whether a text's vector was cached.
    """

    def __init__(
        self,
        encoder: EncoderClient,
        *,
        size: int,
        seconds: float,
        timeout_seconds: float,
        at_once: int,
        on_lookup: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._encoder = encoder
        self._timeout_seconds = timeout_seconds
        self._on_lookup = on_lookup
        self._lock = Lock()
        self._slots = BoundedSemaphore(at_once)
        # A picture may take long to decode: most slots are left to texts.
        self._picture_slots = BoundedSemaphore(max(1, at_once // 3))
        self._texts: TTLCache[tuple[str, str], Vector] = TTLCache(maxsize=size, ttl=seconds)
        # Two encoders may know one model by two names (two paths, say): the fingerprint decides.
        self._served: dict[str, Model] = {}
        self._ask_at: dict[str, float] = {}

    def encode(self, query: str | bytes, model: ModelRef, *, visual: bool = False) -> Vector:
        """Return the (dimensions,) float32 unit vector of a text, or of a picture file. Texts are cached.

        With `visual` it is the picture's visual one, (visual_dimensions,), where the model has such.

        Raises:
            EncoderError, ItemError: As the client does.
            ServiceError: The file is not a picture, no encoder serves the model, or too many queries wait.
        """
        cached = self._cached(query, model)
        if cached is not None:
            self._ask_again_if_due(model, waits=False)
            return cached
        if isinstance(query, str):
            call = partial(self._encoder.encode_texts, [query])
        else:
            call = partial(self._encoder.encode_images, [query], visual=visual)
        seconds = self._timeout_seconds
        call = partial(call, fingerprint=model.fingerprint, priority=INTERACTIVE, timeout_seconds=seconds)
        with ExitStack() as slots:
            if not isinstance(query, str):
                slots.enter_context(_slot(self._picture_slots))
            slots.enter_context(_slot(self._slots))
            try:
                known = self._served.get(model.fingerprint)
                encoded = call(model=model.id if known is None else known.id)
            except (FingerprintMismatch, InvalidRequest) as error:
                if error.code not in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND):
                    raise
                encoded = call(model=self._ask(model).id)
            except Unavailable as error:
                if isinstance(query, str) or error.code is not grpc.StatusCode.DEADLINE_EXCEEDED:
                    raise
                raise ServiceError(
                    "overloaded",
                    "The encoder is busy with other pictures, or this one takes long to decode; try again soon.",
                    retry_after_seconds=5,
                ) from error
        try:
            vector: Vector = encoded.vectors()[0]
        except InvalidItem as error:
            if isinstance(query, str):
                raise
            raise ServiceError("not-a-picture", error.message) from error
        if (seen := encoded.visual[0]) is not None:
            return seen
        if isinstance(query, str):
            self._ask_again_if_due(model, waits=model.fingerprint not in self._served)
            with self._lock:
                if self._texts.maxsize > 0:
                    self._texts[model.fingerprint, query] = vector
        return vector

    def reranking(self, model: ModelRef) -> Reranking | None:
        """Return how what a text finds is put in order; None where it stays, and before the first text was encoded."""
        served = self._served.get(model.fingerprint)
        return served.reranking if served is not None and served.HasField("reranking") else None

    def encode_texts(self, texts: Sequence[str], model: ModelRef) -> NDArray[np.float32]:
        """Return many texts' (n, dimensions) float32 unit vectors; queries go ahead of them.

        Raises:
            EncoderError, ItemError: As the client does.
            ServiceError: No encoder serves the model.
        """
        encoded = self._encoder.encode_texts(
            texts,
            model=(self._served.get(model.fingerprint) or self._ask(model)).id,
            fingerprint=model.fingerprint,
            priority=BULK,
            # No person waits for these: many texts may take longer than a query.
            timeout_seconds=max(BULK_SECONDS, self._timeout_seconds),
        )
        vectors: NDArray[np.float32] = encoded.vectors()
        return vectors

    def _cached(self, query: str | bytes, model: ModelRef) -> Vector | None:
        if not isinstance(query, str):
            return None
        with self._lock:
            vector: Vector | None = self._texts.get((model.fingerprint, query))
        self._on_lookup(vector is not None)
        return vector

    def _ask(self, model: ModelRef) -> Model:
        """Return a model as the encoders list it now."""
        served = self._served[model.fingerprint] = served_model(self._encoder, model, self._timeout_seconds)
        self._ask_at[model.fingerprint] = time.monotonic() + ASK_AGAIN_SECONDS
        return served

    def _ask_again_if_due(self, model: ModelRef, *, waits: bool) -> None:
        """Ask how a model is listed, if that is not known or was long ago; in the background, unless it `waits`."""
        now = time.monotonic()
        if now < self._ask_at.get(model.fingerprint, 0.0):
            return
        # Others do not ask meanwhile.
        self._ask_at[model.fingerprint] = now + RETRY_SECONDS
        if waits:
            self._try_to_ask(model)
        else:
            Thread(target=self._try_to_ask, args=(model,), name="models", daemon=True).start()

    def _try_to_ask(self, model: ModelRef) -> None:
        with suppress(EncoderError, ServiceError):
            self._ask(model)


@contextmanager
def _slot(slots: BoundedSemaphore) -> Iterator[None]:
    if not slots.acquire(timeout=SLOT_WAIT_SECONDS):
        raise ServiceError("overloaded", "Many queries wait for the encoder; try again soon.", retry_after_seconds=1)
    try:
        yield
    finally:
        slots.release()


def served_model(encoder: EncoderClient, model: ModelRef, timeout_seconds: float) -> Model:
    """Return the entry of a collection's model in the encoders' list, by its fingerprint.

    Raises:
        EncoderError: As the client does.
        ServiceError: No encoder serves the model.
    """
    served = encoder.models(timeout_seconds=timeout_seconds)
    for candidate in served:
        if candidate.fingerprint == model.fingerprint:
            return candidate
    raise ServiceError(
        "no-encoder",
        f"The collection was made with {model.id} ({model.fingerprint[:12]}), and no encoder serves that; served: "
        f"{', '.join(f'{other.id} ({other.fingerprint[:12]})' for other in served) or 'nothing'}.",
    )


def combine(weighted: list[tuple[float, Vector]]) -> Vector:
    """Return the normalised weighted sum of unit vectors, (dimensions,) float32.

    Raises:
        ServiceError: They cancel each other out.
    """
    if len(weighted) == 1 and weighted[0][0] > 0:
        return weighted[0][1]
    total = np.sum([weight * vector for weight, vector in weighted], axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(total))
    if norm < SMALLEST_NORM:
        raise ServiceError("invalid-request", "The parts of the query cancel each other out; change their weights.")
    return np.asarray(total / norm, dtype=np.float32)
