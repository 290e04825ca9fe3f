"""The target of indexing: the encoder's default model, and the collection that holds its vectors."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from sightline.encoder.client import EncoderClient
from sightline_catalogue import Catalogue, Collection, ModelRef
from sightline_pictures import Preprocessing
from sightline_pictures.proto import from_proto

log = structlog.get_logger()

TARGET_SECONDS = 30.0
"""How long the target is cached."""
MODELS_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class Target:
    """The collection to index into, the model to encode with, and its preprocessing."""

    collection: Collection
    model: ModelRef
    preprocessing: Preprocessing
    max_images: int
    """The most images of one request to the encoder."""


class TargetSource:
    """Finds the target, and caches it for TARGET_SECONDS.

    Args:
        encoder: Its default model is the one that images are indexed with.
        catalogue: The model's collection is created in it, if it has none.
    """

    def __init__(self, encoder: EncoderClient, catalogue: Catalogue) -> None:
        self._encoder = encoder
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._target: Target | None = None
        self._found_at = 0.0

    def __call__(self) -> Target:
        """Return the target.

        Raises:
            EncoderError, CatalogueError: A service does not answer, and no recent target is cached.
        """
        with self._lock:
            if self._target is None or time.monotonic() - self._found_at > TARGET_SECONDS:
                model = self._encoder.default_model(timeout_seconds=MODELS_TIMEOUT_SECONDS)
                ref = ModelRef(model.id, model.fingerprint, model.dimensions, model.visual_dimensions)
                if self._target is None or self._target.model != ref:
                    collection = self._catalogue.ensure_collection(ref)
                    preprocessing = from_proto(model.preprocessing)
                    limit = self._request_limit(preprocessing)
                    self._target = Target(collection, ref, preprocessing, limit)
                    log.info("indexing for a model", model=ref.id, collection=collection.name)
                self._found_at = time.monotonic()
            return self._target

    def _request_limit(self, preprocessing: Preprocessing) -> int:
        limits = self._encoder.limits(timeout_seconds=MODELS_TIMEOUT_SECONDS)
        image_bytes = 3 * preprocessing.crop_width * preprocessing.crop_height + 1024
        return max(1, min(limits.max_images, limits.max_message_bytes // image_bytes))

    def forget(self) -> None:
        """Drop the cached target: the model or the collection may have changed."""
        with self._lock:
            self._target = None
