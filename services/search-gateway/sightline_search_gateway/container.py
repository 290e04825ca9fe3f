"""Everything that a request may use; `bootstrap` fills it, tests fill it with fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import cast

from flask import current_app
from sightline.encoder.client import EncoderClient
from sightline_bucket import Bucket, ThumbnailStore
from sightline_catalogue import Catalogue
from sightline_pictures.decoder_pool import DecoderPool

from sightline_search_gateway.access.guard import AccessControl
from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.clients.watcher import WatcherClient
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.images.changes import ChangeService
from sightline_search_gateway.images.preview_cache import PreviewCache
from sightline_search_gateway.images.service import ImageService
from sightline_search_gateway.images.shared_renderings import SharedRenderings
from sightline_search_gateway.ingest.disks import FullDisks
from sightline_search_gateway.ingest.retries import RetryService
from sightline_search_gateway.ingest.status import IngestStatusService
from sightline_search_gateway.ingest.upload_decoding import UploadDecoding
from sightline_search_gateway.maps.service import MapService
from sightline_search_gateway.operations import OperationsService
from sightline_search_gateway.search.calibration import Calibrator
from sightline_search_gateway.search.query_encoder import QueryEncoder
from sightline_search_gateway.search.query_vectors import QueryVectorReader
from sightline_search_gateway.search.service import SearchService
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.search.text_search import TextSearch
from sightline_search_gateway.search.vocabulary import VocabularyEmbedder, read_vocabulary
from sightline_search_gateway.settings import Settings

EXTENSION = "sightline"
QUERY_CACHE_SECONDS = 3600.0


@dataclass(frozen=True)
class Clients:
    """Clients of the other services.

    Attributes:
        catalogue_probe: The catalogue again, with a shorter time-out, to check whether it answers.
    """

    catalogue: Catalogue
    catalogue_probe: Catalogue
    encoder: EncoderClient
    bucket: Bucket
    thumbnails: ThumbnailStore
    watcher: WatcherClient
    shared_cache: SharedCache
    maps: MapService
    decoders: DecoderPool


@dataclass(frozen=True)
class Container:
    """Everything that a request may use."""

    settings: Settings
    clients: Clients
    telemetry: Telemetry
    access: AccessControl
    catalogue: CatalogueCircuitBreaker
    search: SearchService
    text_search: TextSearch
    images: ImageService
    changes: ChangeService
    retries: RetryService
    ingest: IngestStatusService
    operations: OperationsService
    vocabulary: VocabularyEmbedder
    calibrator: Calibrator
    upload_slots: BoundedSemaphore

    def upload_decoding(self, is_gone: Callable[[], bool]) -> UploadDecoding:
        """Return what decodes the files of an upload, as long as its client waits."""
        seconds = self.settings.gateway.upload_seconds
        return UploadDecoding(self.clients.decoders, self.settings.pictures, self.upload_slots, seconds, is_gone)


def assemble(settings: Settings, clients: Clients, telemetry: Telemetry) -> Container:
    """Return the container of an application."""
    gateway = settings.gateway
    catalogue = CatalogueCircuitBreaker(clients.catalogue)
    query_encoder = QueryEncoder(
        clients.encoder,
        size=gateway.query_cache_size,
        seconds=QUERY_CACHE_SECONDS,
        timeout_seconds=gateway.timeout_seconds,
        at_once=max(1, gateway.threads * 3 // 4),
        on_lookup=telemetry.query_cache,
    )
    vocabulary = VocabularyEmbedder(read_vocabulary(), query_encoder.encode_texts, clients.shared_cache)
    calibrator = Calibrator()
    limits, bucket_id = settings.pictures, settings.bucket.id
    renderings = SharedRenderings[tuple[str, bytes]](max(1, gateway.threads // 4))
    previews = PreviewCache(gateway.preview_cache_bytes)
    images = ImageService(
        catalogue, clients.bucket, clients.thumbnails, limits, bucket_id, previews, clients.decoders, renderings
    )
    query_vectors = QueryVectorReader(query_encoder, images)
    depth = settings.catalogue.max_depth
    search = SearchService(catalogue, query_encoder, query_vectors, vocabulary, calibrator, depth)
    full_disks = FullDisks(clients.thumbnails, clients.watcher)
    return Container(
        settings=settings,
        clients=clients,
        telemetry=telemetry,
        access=AccessControl(gateway),
        catalogue=catalogue,
        search=search,
        text_search=TextSearch(catalogue, search, depth),
        images=images,
        changes=ChangeService(images, clients.bucket, clients.thumbnails, clients.watcher, bucket_id),
        retries=RetryService(catalogue, clients.watcher),
        ingest=IngestStatusService(catalogue, clients.watcher, full_disks, writable=settings.bucket.writable),
        operations=OperationsService(catalogue, clients.catalogue_probe, clients.encoder, clients.watcher, full_disks),
        vocabulary=vocabulary,
        calibrator=calibrator,
        upload_slots=BoundedSemaphore(max(1, gateway.threads // 4)),
    )


def current() -> Container:
    """Return the container of the application that handles this request."""
    return cast(Container, current_app.extensions[EXTENSION])
