"""Wires the service: settings, models, pipeline, gRPC server, metrics."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from sightline_service.metrics import MetricsServer, serve_metrics

from sightline_encoder.conversion import convert_in_subprocess
from sightline_encoder.errors import StartupError
from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.pipeline import EncodingModel, Pipeline
from sightline_encoder.server import EncoderServer
from sightline_encoder.settings import EncoderSettings
from sightline_encoder.thread_priority import lower_thread_priority

log = structlog.get_logger()

Loader = Callable[[EncoderSettings], Sequence[EncodingModel]]


class Service:
    """The encoder's service: listens at once, loads its models in the background, shuts down gracefully."""

    def __init__(self, settings: EncoderSettings, load: Loader, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._load = load
        self._metrics = EncoderMetrics(registry)
        self._registry = registry
        self._metrics_server: MetricsServer | None = None
        self._pipeline: Pipeline | None = None
        self.server = EncoderServer(settings, self._metrics)

    async def start(self) -> None:
        """Listen; health is NOT_SERVING.

        Raises:
            StartupError: A port is in use.
        """
        await self.server.start()
        settings = self._settings
        try:
            self._metrics_server = serve_metrics(settings.metrics.address, settings.metrics_port, self._registry)
        except OSError as error:
            await self.server.stop()
            raise StartupError(
                f"cannot serve metrics on {settings.metrics.address}:{settings.metrics_port} (ENCODER_METRICS_PORT; 0"
                f" turns them off): {error.strerror}"
            ) from error
        log.info("listening", address=settings.address, port=self.server.port)

    async def warm(self) -> None:
        """Load the models in a thread, then serve.

        Raises:
            StartupError: A model cannot be served.
        """
        began = time.monotonic()
        models = await _run_in_thread(lambda: self._load(self._settings))
        self._pipeline = Pipeline(models, self._settings, self._metrics)
        for model in models:
            self._metrics.add_model(model.id, model.fingerprint, model.runtime, model.device)
        await self.server.serve(self._pipeline)
        log.info("serving", models=[model.id for model in models], seconds=round(time.monotonic() - began, 2))

    async def stop(self) -> None:
        """Finish the calls in flight, then close."""
        await self.server.stop()
        if self._pipeline is not None:
            await asyncio.to_thread(self._pipeline.close)
        if self._metrics_server is not None:
            await asyncio.to_thread(self._metrics_server.close)

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            StartupError: It cannot start.
        """
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        await self.start()
        stopped = asyncio.create_task(stopping.wait())
        warming = asyncio.create_task(self.warm())
        try:
            await asyncio.wait({stopped, warming}, return_when=asyncio.FIRST_COMPLETED)
            if warming.done():
                warming.result()
                await stopped
            log.info("stopping")
        finally:
            warming.cancel()
            stopped.cancel()
            await self.stop()
        log.info("stopped")


async def _run_in_thread(work: Callable[[], Sequence[EncodingModel]]) -> Sequence[EncodingModel]:
    """Run work in a daemon thread; unlike with asyncio.to_thread, the process may end before the work does."""
    done: Future[Sequence[EncodingModel]] = Future()
    # From now on it cannot be cancelled: who waits may be, and the work goes on until it is done or the process ends.
    done.set_running_or_notify_cancel()

    def target() -> None:
        # The runtime starts its threads here, and they inherit the priority: lower than that of the thread that serves
        # texts, which computes a short text by itself.
        lower_thread_priority()
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=target, name="load", daemon=True).start()
    return await asyncio.wrap_future(done)


def load_models(
    settings: EncoderSettings, convert: Callable[[str], None] | None = convert_in_subprocess
) -> Sequence[EncodingModel]:
    """Load and warm the models that the settings name; `convert` as `models.load` takes it.

    Raises:
        ModelError: One of them cannot be served.
    """
    from sightline_encoder import models
    from sightline_encoder.runtimes import choose_runtime

    runtime = choose_runtime(settings)
    loaded: list[models.Model] = []
    for model_id in settings.model_ids:
        began = time.monotonic()
        model = models.load(model_id, settings, runtime, convert)
        model.warm_up(max(settings.max_batch_size, settings.max_text_batch_size))
        log.info(
            "model ready",
            model=model.id,
            fingerprint=model.fingerprint,
            runtime=model.runtime,
            device=model.device,
            seconds=round(time.monotonic() - began, 2),
        )
        loaded.append(model)
    # Behind the others, so that the first stays the default.
    return loaded + [model.before for model in loaded if model.before is not None]


def bootstrap(settings: EncoderSettings, load: Loader = load_models, registry: CollectorRegistry = REGISTRY) -> Service:
    """Return the service; nothing runs yet. Tests load fake models."""
    return Service(settings, load, registry)
