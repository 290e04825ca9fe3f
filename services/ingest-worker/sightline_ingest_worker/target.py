"""Where vectors go: the collection of the encoder's default model."""

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
"""How long the encoder's default model is taken for the same."""
MODELS_SECONDS = 3.0


@dataclass(frozen=True)
class Target:
    """Where vectors go, and how pictures become the model's input."""

    collection: Collection
    model: ModelRef
    preprocessing: Preprocessing
    max_images: int
    """Of one request to the encoder."""


class TargetSource:
    """Finds the target, and keeps it for a while.

    Args:
        encoder: Its first model is the one that images are indexed for.
        catalogue: Gets the model's collection if it has none.
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
            EncoderError, CatalogueError: They do not answer, and no recent answer is kept.
        """
        with self._lock:
            if self._target is None or time.monotonic() - self._found_at > TARGET_SECONDS:
                model = self._encoder.models(timeout_seconds=MODELS_SECONDS)[0]
                ref = ModelRef(id=model.id, fingerprint=model.fingerprint, dimensions=model.dimensions)
                if self._target is None or self._target.model != ref:
                    collection = self._catalogue.ensure_collection(ref)
                    preprocessing = from_proto(model.preprocessing)
                    limit = self._request_limit(preprocessing)
                    self._target = Target(collection, ref, preprocessing, limit)
                    log.info("indexing for a model", model=ref.id, collection=collection.name)
                self._found_at = time.monotonic()
            return self._target

    def _request_limit(self, preprocessing: Preprocessing) -> int:
        limits = self._encoder.limits(timeout_seconds=MODELS_SECONDS)
        image_bytes = 3 * preprocessing.crop_width * preprocessing.crop_height + 1024
        return max(1, min(limits.max_images, limits.max_message_bytes // image_bytes))

    def forget(self) -> None:
        """Ask again next time: the model or the collection may be another."""
        with self._lock:
            self._target = None
