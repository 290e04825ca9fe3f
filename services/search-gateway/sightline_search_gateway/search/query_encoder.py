"""Queries to vectors, through the encoder and a cache."""

from __future__ import annotations

from collections.abc import Sequence
from threading import BoundedSemaphore, Lock
from typing import Any

import grpc
import numpy as np
from cachetools import TTLCache
from numpy.typing import NDArray
from sightline.encoder.client import (
    BULK,
    INTERACTIVE,
    Encoded,
    EncoderClient,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
)
from sightline_catalogue import ModelRef

from sightline_search_gateway.http.problems import Problem, retry_after
from sightline_search_gateway.http.telemetry import Telemetry

Vector = NDArray[np.float32]
BULK_SECONDS = 60.0
TURN_SECONDS = 0.25
"""So long a query waits for its turn with the encoder: a burst passes, and behind a slow encoder threads come back."""
SMALLEST_NORM = 1e-6


class QueryEncoder:
    """Encodes under a collection's fingerprint. Safe to use from several threads.

    Args:
        encoder: The encoders' client.
        size: Texts whose vectors are kept; 0 keeps none.
        seconds: How long they are kept.
        timeout_seconds: Of a call.
        at_once: Calls under way; more wait a moment and are refused, so that a slow encoder cannot take every thread.
        telemetry: Counts hits and misses.
    """

    def __init__(
        self,
        encoder: EncoderClient,
        *,
        size: int,
        seconds: float,
        timeout_seconds: float,
        at_once: int,
        telemetry: Telemetry,
    ) -> None:
        self._encoder = encoder
        self._timeout_seconds = timeout_seconds
        self._telemetry = telemetry
        self._lock = Lock()
        self._turns = BoundedSemaphore(at_once)
        self._texts: TTLCache[tuple[str, str], Vector] = TTLCache(maxsize=size, ttl=seconds)
        # Two encoders may know one model by two names (two paths, say): the fingerprint decides.
        self._names: dict[str, str] = {}

    def encode_text(self, text: str, model: ModelRef) -> Vector:
        """Return a text's (dimensions,) float32 unit vector.

        Raises:
            EncoderError, ItemError: As the client does.
            Problem: No encoder serves the model.
        """
        key = (model.fingerprint, text)
        with self._lock:
            vector = self._texts.get(key)
        self._telemetry.query_cache(hit=vector is not None)
        if vector is None:
            vector = self._encode([text], [], model)
            with self._lock:
                if self._texts.maxsize > 0:
                    self._texts[key] = vector
        return vector

    def encode_texts(self, texts: Sequence[str], model: ModelRef) -> NDArray[np.float32]:
        """Return many texts' (n, dimensions) float32 unit vectors; queries go ahead of them.

        Raises:
            EncoderError, ItemError: As the client does.
            Problem: No encoder serves the model.
        """
        return self._encode_in_turn(list(texts), [], model, BULK)

    def encode_image(self, data: bytes, model: ModelRef) -> Vector:
        """Return a picture file's (dimensions,) float32 unit vector.

        Raises:
            EncoderError, ItemError: As the client does.
            Problem: It is no picture, or no encoder serves the model.
        """
        try:
            return self._encode([], [data], model)
        except InvalidItem as error:
            raise Problem("not-a-picture", error.message) from error

    def _encode(self, texts: list[str], images: list[bytes], model: ModelRef) -> Vector:
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise Problem("overloaded", "Many queries wait for the encoder; try again soon.", headers=retry_after(1))
        try:
            vector: Vector = self._encode_in_turn(texts, images, model)[0]
            return vector
        finally:
            self._turns.release()

    def _encode_in_turn(
        self, texts: list[str], images: list[bytes], model: ModelRef, priority: Any = INTERACTIVE
    ) -> NDArray[np.float32]:
        name = self._names.get(model.fingerprint, model.id)
        try:
            encoded = self._call(texts, images, name, model.fingerprint, priority)
        except (FingerprintMismatch, InvalidRequest) as error:
            if error.code not in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND):
                raise
            name = self._name_of(model)
            encoded = self._call(texts, images, name, model.fingerprint, priority)
        vectors: NDArray[np.float32] = encoded.vectors()
        return vectors

    def _call(self, texts: list[str], images: list[bytes], name: str, fingerprint: str, priority: Any) -> Encoded:
        # Where nobody waits, many texts may take longer than a query.
        seconds = self._timeout_seconds if priority == INTERACTIVE else max(BULK_SECONDS, self._timeout_seconds)
        if texts:
            return self._encoder.encode_texts(
                texts, model=name, fingerprint=fingerprint, priority=priority, timeout_seconds=seconds
            )
        return self._encoder.encode_images(
            images, model=name, fingerprint=fingerprint, priority=priority, timeout_seconds=seconds
        )

    def _name_of(self, model: ModelRef) -> str:
        served = self._encoder.models(timeout_seconds=self._timeout_seconds)
        for candidate in served:
            if candidate.fingerprint == model.fingerprint:
                self._names[model.fingerprint] = candidate.id
                return str(candidate.id)
        raise Problem(
            "no-encoder",
            f"The collection was made with {model.id} ({model.fingerprint[:12]}), and no encoder serves that; served: "
            f"{', '.join(f'{other.id} ({other.fingerprint[:12]})' for other in served) or 'nothing'}.",
        )


def combine(weighted: list[tuple[float, Vector]]) -> Vector:
    """Return the normalised weighted sum of unit vectors, (dimensions,) float32.

    Raises:
        Problem: They cancel each other out.
    """
    total = np.sum([weight * vector for weight, vector in weighted], axis=0, dtype=np.float64)
    norm = float(np.linalg.norm(total))
    if norm < SMALLEST_NORM:
        raise Problem("invalid-request", "The parts of the query cancel each other out; change their weights.")
    return np.asarray(total / norm, dtype=np.float32)
