"""An encoder for collections of grown vectors: the `embedded` model, its vectors turned into their dimensions.

    python -m benchmarks.harness.turned_encoder

It is the encoder's own service with its own settings, and costs what that costs; a text's vector lies where the grown
images lie, so that a search by text is what it would be.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.bootstrap import bootstrap
from sightline_encoder.errors import StartupError
from sightline_encoder.pipeline import EncodingModel
from sightline_encoder.settings import EncoderSettings
from sightline_service import configure_logging, load_settings

from benchmarks.harness.grown import MODEL
from benchmarks.harness.growth import Vectors, turned


class TurnedModel:
    """A model whose vectors are turned into more dimensions; see `EncodingModel`."""

    def __init__(self, model: models.Model) -> None:
        self.id, self.fingerprint, self.dimensions = MODEL.id, MODEL.fingerprint, MODEL.dimensions
        self.context_length = model.context_length
        self.preprocessing = model.preprocessing
        self.runtime = model.runtime
        self.device = model.device
        self._model = model

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        return turned(self._model.encode_texts(texts), self.dimensions)

    def encode_pixels(self, pixels: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors of preprocessed pictures."""
        return turned(self._model.encode_pixels(pixels), self.dimensions)


def load(settings: EncoderSettings) -> list[EncodingModel]:
    """Load and warm the model."""
    model = models.load("embedded", settings)
    model.warm_up(max(settings.max_batch_size, settings.max_text_batch_size))
    return [TurnedModel(model)]


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_settings(EncoderSettings)
    configure_logging(settings.log, "encoder")
    try:
        asyncio.run(bootstrap(settings, load).run())
    except StartupError as error:
        sys.exit(error.message)
    os._exit(0)


if __name__ == "__main__":
    main()
