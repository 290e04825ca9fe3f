"""What the gateway is made of; `bootstrap` fills it, tests fill it with fakes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore
from typing import cast

from flask import current_app
from sightline.encoder.client import EncoderClient
from sightline_bucket import Bucket, ThumbnailStore
from sightline_catalogue import Catalogue

from sightline_search_gateway.board import IngestBoard
from sightline_search_gateway.previews import ByteCache
from sightline_search_gateway.settings import Settings
from sightline_search_gateway.telemetry import Telemetry
from sightline_search_gateway.vectors import QueryVectors

EXTENSION = "sightline"


@dataclass(frozen=True)
class Services:
    """The other parts of the system, as the gateway reaches them."""

    catalogue: Catalogue
    encoder: EncoderClient
    bucket: Bucket
    thumbnails: ThumbnailStore
    board: IngestBoard


@dataclass(frozen=True)
class Parts:
    """Everything that a request may use."""

    settings: Settings
    services: Services
    telemetry: Telemetry

    @cached_property
    def vectors(self) -> QueryVectors:
        """Queries to vectors."""
        gateway = self.settings.gateway
        return QueryVectors(
            self.services.encoder,
            size=gateway.query_cache_size,
            seconds=gateway.query_cache_seconds,
            timeout_seconds=gateway.timeout_seconds,
            at_once=max(1, gateway.threads * 3 // 4),
            telemetry=self.telemetry,
        )

    @cached_property
    def previews(self) -> ByteCache:
        """Previews made before."""
        return ByteCache(self.settings.gateway.preview_cache_bytes)

    @cached_property
    def decoders(self) -> BoundedSemaphore:
        """Held while a picture is decoded."""
        return BoundedSemaphore(self.settings.gateway.picture_threads)


def parts() -> Parts:
    """Return the parts of the application that handles this request."""
    return cast(Parts, current_app.extensions[EXTENSION])
