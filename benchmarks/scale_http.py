"""The whole search over HTTP in a million images: `make bench-scale-http POINTS=1000000`.

The real gateway, encoder and database run over what `make bench-scale` has filled; the encoder's model is `embedded`,
its vectors rotated into the grown ones' space, so that a search by text is what it would be. No text comes twice.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_encoder import models
from sightline_encoder.bootstrap import Loaded, bootstrap
from sightline_encoder.settings import EncoderSettings
from sightline_service import configure_logging, load_settings

from benchmarks import search
from benchmarks.harness import pictures, results
from benchmarks.harness.grown import MODEL, folder_of
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.system import system
from benchmarks.harness.vectors import rotated

WARM_UP = 300
PLANS = {
    "1 client": ("1", 1, "a photo of a {}"),
    "1 client, clusters": ("1_clusters", 1, "a picture of a {}"),
    "8 clients": ("8", 8, "a drawing of a {}"),
    "32 clients": ("32", 32, "a close-up of a {}"),
}
"""By name, the end of figures' names, clients, and the form of the texts."""


class RotatedModel:
    """A model whose vectors are rotated into more dimensions; see `EncodingModel`."""

    def __init__(self, model: models.Model) -> None:
        self.id, self.fingerprint, self.dimensions = MODEL.id, MODEL.fingerprint, MODEL.dimensions
        self.context_length, self.preprocessing = model.context_length, model.preprocessing
        self.visual_dimensions = 0
        self.reranking: Reranking | None = None
        self.runtime, self.device = model.runtime, model.device
        self._model = model

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        return rotated(self._model.encode_texts(texts), self.dimensions)

    def encode_pixels(self, pixels: Sequence[NDArray[np.uint8]], *, visual: bool = False) -> Vectors:
        """Return (n, dimensions) float32 unit vectors of preprocessed pictures; it has no visual ones."""
        return rotated(self._model.encode_pixels(pixels), self.dimensions)


def load(settings: EncoderSettings) -> Iterable[Loaded]:
    """Load and warm the model."""
    model = models.load("embedded", settings)
    model.warm_up(max(settings.max_batch_size, settings.max_text_batch_size))
    return [Loaded([RotatedModel(model)], model.id)]


def serve() -> None:
    """Run the encoder's own service with the rotated model until SIGTERM."""
    settings = load_settings(EncoderSettings)
    configure_logging(settings.log, "encoder")
    asyncio.run(bootstrap(settings, load).run())
    os._exit(0)


def main() -> None:
    """Search, print, draw and write."""
    points = results.options("bench-scale-http", __doc__, points=(int, 1_000_000)).points
    if not (folder_of(points) / "filling.json").is_file():
        sys.exit(f"there is no database of {points:,} images yet: run make bench-scale SIZES={points}")
    runs: dict[str, search.Run] = {}
    services = system(
        settings={"EDGE_DATA_DIR": str(folder_of(points) / "data")},
        # Nothing that would look at the bucket.
        only=("redis", "qdrant-edge", "encoder", "search-gateway"),
        instead={"encoder": "from benchmarks.scale_http import serve; serve()"},
    )
    with services as running:
        port = running.stack.ports.gateway
        search.search(port, pictures.texts("warm {}", count=WARM_UP), 1, clusters=True)
        for name, (_, clients, form) in PLANS.items():
            results.say(name)
            texts = pictures.texts(form, count=search.QUERIES)
            runs[name] = search.search(port, texts, clients, clusters="clusters" in name)
    search.show("bench-scale-http", f"GET /search over HTTP, {points:,} images, at p50", runs)
    figures: dict[str, float] = {}
    for name, run in runs.items():
        figures |= run.figures(f"_{PLANS[name][0]}") | {f"queries_per_second_{PLANS[name][0]}": run.rate}
    settings = {"points": points, "queries": search.QUERIES, "limit": search.LIMIT}
    results.write("bench-scale-http", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
