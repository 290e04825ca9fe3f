"""Wires the application: settings to clients to services."""

from __future__ import annotations

import time
from threading import Thread

from apiflask import APIFlask
from sightline_bucket import ThumbnailStore, open_bucket
from sightline_catalogue import Catalogue, CatalogueError
from sightline_pictures.decoder_pool import DecoderPool
from sightline_service.encoder_client import open_encoder
from sightline_service.tracing import set_up_tracing

from sightline_search_gateway.app import create_app
from sightline_search_gateway.clients.watcher import WatcherClient
from sightline_search_gateway.container import EXTENSION, Clients, Container
from sightline_search_gateway.http.telemetry import QUIET
from sightline_search_gateway.maps.service import MapService
from sightline_search_gateway.operations import PROBE_SECONDS
from sightline_search_gateway.search.blas_threads import use_one_thread
from sightline_search_gateway.search.shared_cache import SharedCache
from sightline_search_gateway.settings import Settings

PREPARE_SECONDS = 2.0
PICTURES_AT_ONCE = 2
"""How many pictures each process decodes at once, so that searches keep their share of the processor."""


def bootstrap(settings: Settings) -> APIFlask:
    """Return the application; the other services, which are not called yet, may start later.

    Raises:
        BucketError: The bucket or the store of thumbnails cannot be opened.
    """
    return create_app(settings, connect(settings))


def serve_app(settings: Settings) -> APIFlask:
    """Return the application of a process that serves; a thread prepares what searches need meanwhile."""
    use_one_thread()
    # Each process has its own: this is called after the fork.
    traced = set_up_tracing(settings.tracing, "search-gateway")
    app = bootstrap(settings)
    if traced:
        from opentelemetry.instrumentation.flask import FlaskInstrumentor

        FlaskInstrumentor().instrument_app(app, excluded_urls=",".join(sorted(QUIET)))
    Thread(target=_prepare, args=(app.extensions[EXTENSION],), name="prepare", daemon=True).start()
    return app


def _prepare(container: Container) -> None:
    """Have the vocabulary encoded and relevance calibrated before the first search, once there is a collection."""
    while True:
        try:
            collection = container.catalogue.current_if_any()
        except CatalogueError:
            collection = None
        if collection is not None:
            words = container.vocabulary.get(collection.model)
            if words is not None:
                container.calibrator.calibration(collection, words)
                return
        time.sleep(PREPARE_SECONDS)


def connect(settings: Settings) -> Clients:
    """Return the services that the settings name; connections open on first use."""
    # A person waits for the answer: no longer than ingestion's time-out, and perhaps less.
    seconds = min(settings.catalogue.timeout_seconds, settings.gateway.timeout_seconds)
    catalogue = settings.catalogue.model_copy(update={"timeout_seconds": seconds})
    probe = catalogue.model_copy(update={"timeout_seconds": min(seconds, PROBE_SECONDS)})
    thumbnails = ThumbnailStore(settings.thumbnails.url, settings.disk.reserve_mb)
    return Clients(
        catalogue_probe=Catalogue(probe, settings.bucket.id),
        catalogue=Catalogue(catalogue, settings.bucket.id),
        encoder=open_encoder(settings.encoder),
        bucket=open_bucket(settings.bucket),
        thumbnails=thumbnails,
        watcher=WatcherClient(settings.queue),
        shared_cache=SharedCache(settings.queue),
        maps=MapService(settings.queue, settings.maps, thumbnails),
        decoders=DecoderPool(
            PICTURES_AT_ONCE, settings.pictures.max_seconds, callers=max(2, settings.gateway.threads // 2)
        ),
    )
