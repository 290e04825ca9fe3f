"""Encodes pixels: calls the encoder, and waits while it is overloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.client import BULK, Encoded, InvalidItem, ItemError, Overloaded, RawPixels
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.item import Content, Failure, FailureKind
from sightline_ingest_worker.worker.metrics import WAITS, step

OVERLOADED_TRIES = 30
ENCODE_TIMEOUT_SECONDS = 30.0


def encode(context: WorkerContext, target: Target, contents: Mapping[str, Content]) -> dict[str, Content]:
    """Return contents with a vector or a failure of their own in place of pixels.

    Raises:
        EncoderError: The encoder does not answer, or stays overloaded.
        Stopping: The worker is stopping.
    """
    pixels = {sha256: content.pixels for sha256, content in contents.items() if content.pixels is not None}
    if not pixels:
        return dict(contents)
    retrying = Retrying(
        retry=retry_if_exception_type(Overloaded),
        stop=stop_after_attempt(OVERLOADED_TRIES),
        wait=_retry_after,
        before_sleep=lambda _: WAITS.labels("encoder").inc(),
        sleep=context.pause,
        reraise=True,
    )
    images = [RawPixels(rgb, preprocessed=True) for rgb in pixels.values()]
    rows = retrying(_call, context, target, images).rows()
    encoded = {sha256: _with_result(contents[sha256], row) for sha256, row in zip(pixels, rows, strict=True)}
    return {**contents, **encoded}


def _call(context: WorkerContext, target: Target, images: Sequence[RawPixels]) -> Encoded:
    with step("encode"):
        return context.encoder.encode_images(
            images,
            model=target.model.id,
            fingerprint=target.model.fingerprint,
            priority=BULK,
            visual=True,
            timeout_seconds=ENCODE_TIMEOUT_SECONDS,
        )


def _retry_after(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    return error.retry_after_seconds if isinstance(error, Overloaded) else 0.0


def _with_result(content: Content, result: NDArray[np.float32] | ItemError) -> Content:
    if not isinstance(result, ItemError):
        return replace(content, pixels=None, vector=result)
    kind = FailureKind.LASTING if isinstance(result, InvalidItem) else FailureKind.TRANSIENT
    failure = Failure(result.message, kind)
    return replace(content, pixels=None, failure=failure)
