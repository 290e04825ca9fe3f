"""Wires the service: settings, models, pipeline, gRPC server, metrics."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog
from prometheus_client import REGISTRY, CollectorRegistry
from sightline_service.metrics import MetricsServer, serve_metrics

from sightline_encoder.conversion import convert_in_subprocess
from sightline_encoder.errors import ModelError, StartupError
from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.pipeline import EncodingModel, Pipeline
from sightline_encoder.server import EncoderServer
from sightline_encoder.settings import EncoderSettings
from sightline_encoder.thread_priority import lower_thread_priority

log = structlog.get_logger()

T = TypeVar("T")
AGAIN_SECONDS = 30.0
"""How long until a model that could not be loaded is tried again, while another one is served."""


@dataclass(frozen=True)
class Loaded:
    """The models that are ready.

    Attributes:
        models: In the order of ENCODER_MODELS, then those that they take the place of.
        default: The id of the default model, which may still be loading.
        loading: Ids of the models that are not ready yet.
    """

    models: Sequence[EncodingModel]
    default: str
    loading: Sequence[str] = ()


Loader = Callable[[EncoderSettings], Iterable[Loaded]]


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
        """Load the models in a thread, and serve each as soon as it is ready.

        Raises:
            StartupError: A model cannot be served.
        """
        began = time.monotonic()
        async for loaded in _in_thread(lambda: self._load(self._settings)):
            before = self._pipeline
            self._pipeline = Pipeline(loaded.models, self._settings, self._metrics, loaded.default, loaded.loading)
            for model in loaded.models:
                self._metrics.add_model(model.id, model.fingerprint, model.runtime, model.device)
            await self.server.serve(self._pipeline)
            served = [model.id for model in loaded.models]
            log.info("serving", models=served, loading=list(loaded.loading), seconds=round(time.monotonic() - began, 2))
            if before is not None:
                await asyncio.to_thread(before.close)

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


async def _in_thread(work: Callable[[], Iterable[T]]) -> AsyncIterator[T]:
    """Yield what work yields in a daemon thread; unlike with asyncio.to_thread, the process may end before it does."""
    loop = asyncio.get_running_loop()
    outcomes: asyncio.Queue[T | Exception | None] = asyncio.Queue()

    def tell(outcome: T | Exception | None) -> None:
        # Nobody waits any more where the loop is closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(outcomes.put_nowait, outcome)

    def target() -> None:
        # The runtime starts its threads here, and they inherit the priority: lower than that of the thread that serves
        # texts, which computes a short text by itself.
        lower_thread_priority()
        try:
            for each in work():
                tell(each)
        except Exception as error:
            tell(error)
        else:
            tell(None)

    threading.Thread(target=target, name="load", daemon=True).start()
    while (outcome := await outcomes.get()) is not None:
        if isinstance(outcome, Exception):
            raise outcome
        yield outcome


def load_models(
    settings: EncoderSettings, convert: Callable[[str], None] | None = convert_in_subprocess
) -> Iterator[Loaded]:
    """Load and warm the models that the settings name, one after another; `convert` as `models.load` takes it.

    First come those that were ready in an earlier start: another one may have to be fetched and converted, and what
    there is answers meanwhile. While one is served, another that cannot be loaded is tried again and again, so that
    what works goes on.

    Raises:
        ModelError: One of them cannot be served, and none is yet.
    """
    from sightline_encoder import models
    from sightline_encoder.runtimes import choose_runtime

    runtime = choose_runtime(settings)
    ids = settings.model_ids
    loaded: dict[str, models.Model] = {}
    waiting = sorted(ids, key=lambda one: not models.was_ready(one, settings))
    failed = 0
    while waiting:
        model_id = waiting.pop(0)
        began = time.monotonic()
        try:
            model = models.load(model_id, settings, runtime, convert)
        except ModelError as error:
            if not loaded or convert is None:
                raise
            log.error("model cannot be loaded", model=model_id, error=str(error), again_in_seconds=AGAIN_SECONDS)
            waiting.append(model_id)
            failed += 1
            if failed >= len(waiting):
                time.sleep(AGAIN_SECONDS)
            continue
        model.warm_up(max(settings.max_batch_size, settings.max_text_batch_size))
        models.note_ready(model_id, settings)
        log.info(
            "model ready",
            model=model.id,
            fingerprint=model.fingerprint,
            runtime=model.runtime,
            device=model.device,
            seconds=round(time.monotonic() - began, 2),
        )
        loaded[model_id], failed = model, 0
        ready = [loaded[one] for one in ids if one in loaded]
        # Behind the others, so that the first stays the default.
        ready += [one.before for one in ready if one.before is not None]
        yield Loaded(ready, ids[0], [one for one in ids if one not in loaded])


def bootstrap(settings: EncoderSettings, load: Loader = load_models, registry: CollectorRegistry = REGISTRY) -> Service:
    """Return the service; nothing runs yet. Tests load fake models."""
    return Service(settings, load, registry)
