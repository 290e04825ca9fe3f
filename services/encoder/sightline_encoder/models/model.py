"""A loaded model: encodes texts and pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sightline_pictures import Preprocessing

from sightline_encoder.models.source import ModelSource
from sightline_encoder.runtimes.tower import Runtime, Tower, Vectors, side_by_side


class Model:
    """Both towers of a model on one runtime. Safe to use from several threads.

    Attributes:
        id: As in ENCODER_MODELS.
        fingerprint: SHA-256 in hexadecimal; two vectors may be compared only if theirs are equal.
        dimensions: Of a vector.
        visual_dimensions: Of the vector that compares pictures with pictures; 0 where the model has none.
        context_length: Tokens of a text that are read; the rest is cut.
        preprocessing: How a picture becomes `encode_pixels`' input.
        runtime: `torch` or `openvino`.
        device: `cpu` or `cuda:N`.
        reranking: How the pictures that a text finds are put in a better order; None where they stay as they are found.
        before: The model that this one takes the place of; None where there is none.
    """

    def __init__(self, source: ModelSource, runtime: Runtime, text: Tower, image: Tower) -> None:
        self.id = source.id
        self.fingerprint = source.fingerprint
        self.dimensions = source.dimensions
        self.visual_dimensions = source.visual_dimensions
        self.context_length = source.context_length
        self.preprocessing: Preprocessing = source.preprocessing
        self.reranking = source.reranking
        self.runtime = runtime.name
        self.device = runtime.device
        self.before = None if source.before is None else Model(source.before, runtime, text, image)
        self._jit = runtime.jit
        # Not the source itself: what it builds the networks from can be let go.
        self._tokenize = source.tokenize
        self._text, self._text_widths, self._text_place = text, source.text.widths, source.text_place
        self._image, self._image_widths, self._image_place = image, source.image.widths, source.image_place

    @classmethod
    def compile(cls, source: ModelSource, runtime: Runtime, cache: Path) -> Model:
        """Return the model with both towers compiled; what must be converted is kept in the cache folder."""
        return cls(source, runtime, runtime.compile(source.text, cache), runtime.compile(source.image, cache))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        return side_by_side(self._text(*self._tokenize(texts)), self._text_widths)[self._text_place]

    def encode_pixels(
        self, pixels: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, visual: bool = False
    ) -> Vectors:
        """Return (n, dimensions) float32 unit vectors for n pictures of (height, width, 3) uint8, preprocessed.

        Args:
            pixels: The pictures.
            visual: Whether the visual vectors come with them: (n, dimensions + visual_dimensions), side by side.
        """
        if len(pixels) == 0:
            return np.empty((0, self.dimensions + visual * self.visual_dimensions), np.float32)
        rows = self._image(np.stack(list(pixels)) if not isinstance(pixels, np.ndarray) else pixels)
        vectors = side_by_side(rows, self._image_widths)[self._image_place :]
        return np.hstack(vectors[:2]) if visual and self.visual_dimensions else vectors[0]

    def warm_up(self, max_batch: int = 1) -> None:
        """Encode texts and grey pictures: checks that the model works, and triggers what is compiled on first use.

        Args:
            max_batch: The largest batch to compile for.
        """
        self.encode_texts(["a picture"])
        grey = np.full((self.preprocessing.crop_height, self.preprocessing.crop_width, 3), 128, np.uint8)
        self.encode_pixels([grey])
        if self._jit:
            size = 2
            while size < 2 * max_batch:
                self.encode_texts(["a picture", "another one of two"] * (size // 2))
                self.encode_pixels([grey] * size)
                size *= 2
