"""The servicer of encoder.proto's four calls: validates requests, calls the pipeline, answers in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, NoReturn, TypeVar

import grpc
import structlog
from sightline.encoder.errors import (
    RETRY_AFTER_KEY,
    EncoderError,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    ItemError,
    Overloaded,
    Unavailable,
)
from sightline.encoder.messages import item_status
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_pictures.proto import to_proto
from sightline_service.request_ids import METADATA_KEY, bind_request_id, is_request_id

from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.pipeline import Call, EncodingModel, ImageInput, Pipeline, Vectors

log = structlog.get_logger()

MAX_STREAM_REQUESTS = 4
"""Requests of one stream that are processed at a time; gRPC's flow control holds further ones back."""
MAX_MESSAGE = 1000
"""The most characters of an error's message."""

Item = TypeVar("Item")
Context = grpc.aio.ServicerContext[Any, Any]
Result = Vectors | ItemError


class _ImageCall(NamedTuple):
    """Images that are being encoded, and whether their visual vectors were asked for."""

    model: EncodingModel
    call: Call
    visual: bool


class EncoderServicer(encoder_pb2_grpc.EncoderServicer):
    """Serves a pipeline, once that is set.

    Attributes:
        pipeline: Of the models that are ready; None while none is.
        draining: Whether new calls are refused.
        in_flight: The number of calls in flight.
    """

    def __init__(self, limits: encoder_pb2.Limits, metrics: EncoderMetrics) -> None:
        self.pipeline: Pipeline | None = None
        self.draining = False
        self.in_flight = 0
        self._limits = limits
        self._metrics = metrics

    async def EncodeText(
        self, request: encoder_pb2.EncodeTextRequest, context: Context
    ) -> encoder_pb2.EncodeTextResponse:
        """Encode texts, in the order given."""
        async with self._handle("EncodeText", context):
            pipeline, model, bulk = self._resolve(request)
            texts = _check_count(request.texts, self._limits.max_texts, "texts")
            too_long = {
                index: InvalidItem(f"{size:,} bytes of text; the limit is {self._limits.max_text_bytes:,}")
                for index, size in enumerate(len(text.encode()) for text in texts)
                if size > self._limits.max_text_bytes
            }
            call = pipeline.encode_texts(
                model, [text for index, text in enumerate(texts) if index not in too_long], bulk=bulk
            )
            encoded = iter(await _results_of(call))
            results = [too_long[index] if index in too_long else next(encoded) for index in range(len(texts))]
            return encoder_pb2.EncodeTextResponse(
                model=model.id, fingerprint=model.fingerprint, results=self._results("text", model, results)
            )
        raise AssertionError("unreachable: an aborted call raises")

    async def EncodeImage(
        self, request: encoder_pb2.EncodeImageRequest, context: Context
    ) -> encoder_pb2.EncodeImageResponse:
        """Encode images, in the order given."""
        async with self._handle("EncodeImage", context):
            return await self._image_response(self._start_images(request))
        raise AssertionError("unreachable: an aborted call raises")

    async def EncodeImageStream(
        self,
        request_iterator: AsyncIterator[encoder_pb2.EncodeImageRequest],
        context: Context,
    ) -> AsyncIterator[encoder_pb2.EncodeImageResponse]:
        """Encode images in bulk: one response a request, in order."""
        async with self._handle("EncodeImageStream", context):
            # Read and not answered yet: a started request, the error that ends the stream, or None for its end.
            started: asyncio.Queue[_ImageCall | Exception | None] = asyncio.Queue(MAX_STREAM_REQUESTS)
            reader = asyncio.create_task(self._read(request_iterator, started))
            try:
                while (entry := await started.get()) is not None:
                    if isinstance(entry, Exception):
                        raise entry
                    yield await self._image_response(entry)
            finally:
                reader.cancel()
                while not started.empty():
                    entry = started.get_nowait()
                    if isinstance(entry, _ImageCall):
                        entry.call.cancel()

    async def ListModels(
        self, request: encoder_pb2.ListModelsRequest, context: Context
    ) -> encoder_pb2.ListModelsResponse:
        """List the models served, what is still being loaded, and the limits."""
        async with self._handle("ListModels", context):
            pipeline = self._ready_pipeline()
            return encoder_pb2.ListModelsResponse(
                models=[
                    encoder_pb2.Model(
                        id=model.id,
                        fingerprint=model.fingerprint,
                        dimensions=model.dimensions,
                        context_length=model.context_length,
                        runtime=model.runtime,
                        device=model.device,
                        preprocessing=to_proto(model.preprocessing),
                        visual_dimensions=model.visual_dimensions,
                        reranking=model.reranking,
                    )
                    for model in pipeline.models.values()
                ],
                limits=self._limits,
                loading=pipeline.loading,
                default_model=pipeline.default,
            )
        raise AssertionError("unreachable: an aborted call raises")

    async def _read(
        self,
        requests: AsyncIterator[encoder_pb2.EncodeImageRequest],
        started: asyncio.Queue[_ImageCall | Exception | None],
    ) -> None:
        """Start a stream's requests one after another; a full queue holds the sender back instead of failing."""
        try:
            async for request in requests:
                while True:
                    try:
                        entry = self._start_images(request)
                        break
                    except Overloaded as error:
                        await asyncio.sleep(error.retry_after_seconds)
                try:
                    await started.put(entry)
                except asyncio.CancelledError:
                    entry.call.cancel()
                    raise
            await started.put(None)
        except Exception as error:
            await started.put(error)

    def _start_images(self, request: encoder_pb2.EncodeImageRequest) -> _ImageCall:
        pipeline, model, bulk = self._resolve(request)
        images = [_image_input(image) for image in _check_count(request.images, self._limits.max_images, "images")]
        return _ImageCall(model, pipeline.encode_images(model, images, bulk=bulk), request.visual)

    def _ready_pipeline(self) -> Pipeline:
        if self.draining:
            raise Unavailable("the encoder is stopping: try another one, or again in a moment")
        if self.pipeline is None:
            raise Unavailable("the encoder's models are still loading: try again in a moment")
        return self.pipeline

    def _resolve(
        self, request: encoder_pb2.EncodeTextRequest | encoder_pb2.EncodeImageRequest
    ) -> tuple[Pipeline, EncodingModel, bool]:
        pipeline = self._ready_pipeline()
        model = pipeline.model(request.model)
        if request.fingerprint and request.fingerprint != model.fingerprint:
            raise FingerprintMismatch(
                f"model {model.id!r} has fingerprint {model.fingerprint}, not {request.fingerprint}: its vectors cannot"
                " be compared with yours"
            )
        if request.priority not in encoder_pb2.Priority.values():
            raise InvalidRequest(f"unknown priority {request.priority}")
        return pipeline, model, request.priority == encoder_pb2.PRIORITY_BULK

    async def _image_response(self, started: _ImageCall) -> encoder_pb2.EncodeImageResponse:
        model = started.model
        results = await _results_of(started.call)
        # The pipeline gives both vectors side by side.
        vectors = [one if isinstance(one, ItemError) else one[: model.dimensions] for one in results]
        messages = self._results("image", model, vectors)
        if started.visual and model.visual_dimensions:
            for message, result in zip(messages, results, strict=True):
                if not isinstance(result, ItemError):
                    message.visual.values.extend(result[model.dimensions :].tolist())
        return encoder_pb2.EncodeImageResponse(model=model.id, fingerprint=model.fingerprint, results=messages)

    def _results(self, kind: str, model: EncodingModel, results: Sequence[Result]) -> list[encoder_pb2.Result]:
        messages = []
        outcomes = {"ok": 0, "invalid": 0, "failed": 0}
        for result in results:
            if isinstance(result, ItemError):
                outcomes["invalid" if isinstance(result, InvalidItem) else "failed"] += 1
                messages.append(encoder_pb2.Result(status=item_status(result)))
            else:
                outcomes["ok"] += 1
                messages.append(encoder_pb2.Result(vector=encoder_pb2.Vector(values=result.tolist())))
        for outcome, count in outcomes.items():
            if count:
                self._metrics.items.labels(kind, model.id, outcome).inc(count)
        return messages

    @asynccontextmanager
    async def _handle(self, method: str, context: Context) -> AsyncIterator[None]:
        """Count a call, and abort it with the status of an EncoderError."""
        self.in_flight += 1
        code = "OK"
        began = time.perf_counter()
        metadata = dict(context.invocation_metadata() or ())
        request_id = metadata.get(METADATA_KEY)
        bind_request_id(request_id)
        try:
            yield
        except EncoderError as error:
            code = error.code.name
            await _abort(context, error)
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        except grpc.aio.AbortError:
            raise
        except Exception:
            code = "INTERNAL"
            log.exception("call failed", method=method)
            await context.abort(grpc.StatusCode.INTERNAL, "the encoder failed; its log says why")
        finally:
            self.in_flight -= 1
            self._metrics.calls.labels(method, code).inc()
            # Ingestion makes very many of them, and nobody looks for a single one.
            write = log.info if is_request_id(request_id) else log.debug
            ms = round((time.perf_counter() - began) * 1000, 2)
            write("call", method=method, code=code, ms=ms)


async def _abort(context: Context, error: EncoderError) -> NoReturn:
    metadata: tuple[tuple[str, str], ...] = ()
    if isinstance(error, Overloaded):
        metadata = ((RETRY_AFTER_KEY, str(max(1, round(error.retry_after_seconds * 1000)))),)
    # It may repeat what a client sent, of any length, and travels in a header.
    message = "".join(char if char.isprintable() else "?" for char in error.message[:MAX_MESSAGE])
    await context.abort(error.code, message, metadata)
    raise AssertionError("unreachable: abort raises")


async def _results_of(call: Call) -> list[Result]:
    """Wait for a call's results; if the wait is cancelled, remove its items from the queue."""
    try:
        return await asyncio.wrap_future(call.future)
    except asyncio.CancelledError:
        call.cancel()
        raise


def _check_count(items: Sequence[Item], limit: int, what: str) -> Sequence[Item]:
    if not items:
        raise InvalidRequest(f"a request needs {what}")
    if len(items) > limit:
        message = f"{len(items)} {what} in one request; the limit is {limit}: send several requests"
        raise InvalidRequest(message, grpc.StatusCode.RESOURCE_EXHAUSTED)
    return items


def _image_input(image: encoder_pb2.Image) -> ImageInput:
    if image.WhichOneof("source") == "raw":
        return ImageInput(image.raw.rgb, (image.raw.width, image.raw.height), image.raw.preprocessed)
    return ImageInput(image.encoded)
