"""The real encoder around a tiny model. Not imported by the package, since it needs the encoder installed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from prometheus_client import CollectorRegistry
from sightline_encoder.bootstrap import Loaded, bootstrap
from sightline_encoder.settings import EncoderSettings
from sightline_pictures import Preprocessing

DEADLINE = 20
FINGERPRINT = "f" * 64


class TinyModel:
    """Vectors from a text's length or a picture's mean colour; stops where told to.

    Attributes:
        gate: While it is clear, forward passes wait.
    """

    def __init__(self, model_id="tiny", fingerprint=FINGERPRINT):
        self.id = model_id
        self.fingerprint = fingerprint
        self.dimensions = 3
        self.visual_dimensions = 0
        self.reranking = None
        self.context_length = 8
        self.preprocessing = Preprocessing(resize_mode="squash", resize_size=4, crop_width=4, crop_height=4)
        self.runtime = "torch"
        self.device = "cpu"
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Semaphore(0)
        self.texts = []

    def encode_texts(self, texts):
        self._pass()
        self.texts += texts
        if "boom" in texts:
            raise RuntimeError("boom")
        if "nan" in texts:
            return np.full((len(texts), 3), np.nan, np.float32)
        return self._unit([[len(text), 1, 0] for text in texts])

    def encode_pixels(self, pixels, *, visual=False):
        self._pass()
        vectors = self._unit([1 + image.reshape(-1, 3).mean(axis=0) for image in pixels])
        if not visual or not self.visual_dimensions:
            return vectors
        return np.hstack([vectors, self._unit([1 + image.reshape(-1, 3)[0, :2] for image in pixels])])

    def _pass(self):
        self.begun.release()
        assert self.gate.wait(DEADLINE)

    @staticmethod
    def _unit(rows):
        vectors = np.array(rows, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class EncoderServer:
    """The service in a thread of its own.

    Attributes:
        address: HOST:PORT of its gRPC.
    """

    def __init__(self, settings, load):
        self.registry = CollectorRegistry()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.service = bootstrap(settings, load, self.registry)
        self.call(self.service.start())
        self.address = f"127.0.0.1:{self.service.server.port}"
        self.stopping = None

    def submit(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def call(self, coroutine):
        return self.submit(coroutine).result(DEADLINE)

    def warm(self):
        self.call(self.service.warm())

    def stop(self):
        """Begin to stop, as SIGTERM does; returns a future."""
        if self.stopping is None:
            self.stopping = self.submit(self.service.stop())
        return self.stopping

    def close(self):
        self.stop().result(DEADLINE)
        self.call(_cancel_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE)
        self.loop.close()

    def metric(self, name, **labels):
        return self.registry.get_sample_value(name, labels)


async def _cancel_all() -> None:
    """Cancel what still goes on, such as loading models: a task that its loop outlives is reported in a later test."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def serve(*models, warm=True, load=None, **changes) -> Iterator[EncoderServer]:
    """Serve models on a free port, with changed settings; `load` instead of having all of them ready at once."""
    settings = EncoderSettings(**{"port": 0, "metrics_port": 0, "drain_seconds": 10, **changes})
    server = EncoderServer(settings, load or (lambda _: [Loaded(models, models[0].id)]))
    try:
        if warm:
            server.warm()
        yield server
    finally:
        for model in models:
            if isinstance(model, TinyModel):
                model.gate.set()
        server.close()
