"""What the gateway is made of; `bootstrap` fills it, tests fill it with fakes."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import cast

from flask import current_app
from sightline.encoder.client import EncoderClient
from sightline_bucket import Bucket, ThumbnailStore
from sightline_catalogue import Catalogue

from sightline_search_gateway.board import IngestBoard
from sightline_search_gateway.ingest.status import IngestStatusService
from sightline_search_gateway.maps.desk import MapDesk
from sightline_search_gateway.previews import ByteCache
from sightline_search_gateway.reach import CatalogueReach
from sightline_search_gateway.relevance import Gauge
from sightline_search_gateway.settings import Settings
from sightline_search_gateway.telemetry import Telemetry
from sightline_search_gateway.vectors import QueryVectors
from sightline_search_gateway.vocabulary import Keeper, WordVectors, read_vocabulary

EXTENSION = "sightline"
QUERY_CACHE_SECONDS = 3600.0
PICTURES_AT_ONCE = 2
"""Pictures decoded at once in each process, so that searches keep their share of it."""


@dataclass(frozen=True)
class Services:
    """The other parts of the system, as the gateway reaches them.

    Attributes:
        probe: The catalogue once more, with less patience: whether it answers, not what.
    """

    catalogue: Catalogue
    probe: Catalogue
    encoder: EncoderClient
    bucket: Bucket
    thumbnails: ThumbnailStore
    board: IngestBoard
    shelf: Keeper
    maps: MapDesk


@dataclass(frozen=True)
class Parts:
    """Everything that a request may use.

    Attributes:
        catalogue: The way to the collection.
        vectors: Queries to vectors.
        previews: Previews made before.
        decoders: Held while a picture is decoded.
        ingest: How far the collection is.
        words: What clusters are named with.
        gauge: What a collection taught about relevance.
    """

    settings: Settings
    services: Services
    telemetry: Telemetry
    catalogue: CatalogueReach
    vectors: QueryVectors
    previews: ByteCache
    decoders: BoundedSemaphore
    ingest: IngestStatusService
    words: WordVectors
    gauge: Gauge


def assemble(settings: Settings, services: Services, telemetry: Telemetry) -> Parts:
    """Return the parts of an application."""
    gateway = settings.gateway
    catalogue = CatalogueReach(services.catalogue)
    vectors = QueryVectors(
        services.encoder,
        size=gateway.query_cache_size,
        seconds=QUERY_CACHE_SECONDS,
        timeout_seconds=gateway.timeout_seconds,
        at_once=max(1, gateway.threads * 3 // 4),
        telemetry=telemetry,
    )
    return Parts(
        settings=settings,
        services=services,
        telemetry=telemetry,
        catalogue=catalogue,
        vectors=vectors,
        previews=ByteCache(gateway.preview_cache_bytes),
        decoders=BoundedSemaphore(PICTURES_AT_ONCE),
        ingest=IngestStatusService(catalogue, services.board, writable=settings.bucket.writable),
        words=WordVectors(read_vocabulary(), vectors.texts, services.shelf),
        gauge=Gauge(),
    )


def parts() -> Parts:
    """Return the parts of the application that handles this request."""
    return cast(Parts, current_app.extensions[EXTENSION])
