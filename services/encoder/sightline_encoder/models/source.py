"""A model's source: everything about it, before its weights are loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_pictures import Preprocessing

from sightline_encoder.runtimes.tower import TowerSource

Tokenize = Callable[[Sequence[str]], tuple[NDArray[Any], ...]]


RERANKING = Reranking(depth=100, best=10, alike_from=0.3, alike_to=0.5)
"""How the nearest pictures of a text are put in a better order. The figures are those that `make quality` was best
with, for the visual vectors of `embedded`."""


@dataclass(frozen=True)
class ModelSource:
    """A model whose weights are not loaded yet.

    Attributes:
        id: As in ENCODER_MODELS.
        fingerprint: SHA-256 in hexadecimal of everything that decides its vectors.
        dimensions: Of a vector.
        context_length: Tokens of a text that are read.
        preprocessing: How a picture becomes the image tower's input.
        tokenize: Texts to the text tower's inputs, one row a text.
        image: Takes (n, height, width, 3) uint8, returns (n, its widths' sum) float32: vectors side by side.
        text: Takes what `tokenize` returns, returns the like.
        visual_dimensions: Of the vector that compares pictures with pictures; 0 where the model has none.
        image_place: Which of the image tower's vectors is the image's; the visual one follows it.
        text_place: Which of the text tower's vectors is the text's.
        reranking: How the pictures that a text finds are put in a better order; None where they stay as they are found.
        before: The model that this one takes the place of, on the same towers.
        weights_bytes: Of the files of its weights, most of which are in float32; 0 where they are few.
    """

    id: str
    fingerprint: str
    dimensions: int
    context_length: int
    preprocessing: Preprocessing
    tokenize: Tokenize
    image: TowerSource
    text: TowerSource
    visual_dimensions: int = 0
    image_place: int = 0
    text_place: int = 0
    reranking: Reranking | None = None
    before: ModelSource | None = None
    weights_bytes: int = 0


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Return the SHA-256 in hexadecimal of the parts as canonical JSON."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def synthetic_pictures(height: int, width: int) -> NDArray[np.uint8]:
    """Return (8, height, width, 3) uint8: pictures of smooth colours, edges, texture and noise, the same every time.

    Inputs for conversion and for comparing precisions.
    """
    random = np.random.default_rng(0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(max(height, width))
    pictures = []
    for index in range(8):
        colours = random.uniform(0, 255, (3, 3))
        waves = np.sin((1 + 6 * index) * (x * random.uniform(0.5, 2) + y * random.uniform(0.5, 2)))
        disc = ((x - random.uniform(0.3, 0.7)) ** 2 + (y - random.uniform(0.3, 0.7)) ** 2) < random.uniform(0.02, 0.1)
        picture = colours[0] * (1 - y[..., None]) + colours[1] * y[..., None] + 40 * waves[..., None]
        picture = np.where(disc[..., None], colours[2] + 60 * waves[..., None], picture)
        pictures.append(picture + random.normal(0, 4 * index, picture.shape))
    stacked: NDArray[np.uint8] = np.clip(np.stack(pictures), 0, 255).astype(np.uint8)
    return stacked
