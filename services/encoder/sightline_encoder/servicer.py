"""The four calls of encoder.proto: checks requests, hands items on, answers in order. Knows nothing of batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn, TypeVar

import grpc
import structlog
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc

from sightline_encoder.batcher import Group
from sightline_encoder.errors import (
    EncoderError,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    NotReady,
    Overloaded,
    RequestTooLarge,
)
from sightline_encoder.limits import Limits
from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.pipeline import EncodingModel, ImageInput, Pipeline

log = structlog.get_logger()

REQUESTS_UNDER_WAY = 4
"""Of one stream; more wait in gRPC's flow control."""

Item = TypeVar("Item")
Result = Any
"""A vector or an EncoderError."""


class EncoderServicer(encoder_pb2_grpc.EncoderServicer):
    """Serves a pipeline once it is given one.

    Attributes:
        pipeline: None while the models load.
        draining: True once no new work is taken.
        under_way: Calls that are being answered.
    """

    def __init__(self, limits: Limits, metrics: EncoderMetrics) -> None:
        self.pipeline: Pipeline | None = None
        self.draining = False
        self.under_way = 0
        self._limits = limits
        self._metrics = metrics

    async def EncodeText(
        self, request: encoder_pb2.EncodeTextRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> encoder_pb2.EncodeTextResponse:
        """Encode texts, in the order given."""
        async with self._call("EncodeText", context):
            pipeline, model, bulk = self._resolve(request)
            texts = _counted(request.texts, self._limits.max_texts, "texts")
            too_long = {
                index: InvalidItem(f"{size:,} bytes of text; the limit is {self._limits.max_text_bytes:,}")
                for index, size in enumerate(len(text.encode()) for text in texts)
                if size > self._limits.max_text_bytes
            }
            group = pipeline.encode_texts(
                model, [text for index, text in enumerate(texts) if index not in too_long], bulk=bulk
            )
            encoded = iter(await _finished(group))
            results = [too_long[index] if index in too_long else next(encoded) for index in range(len(texts))]
            return encoder_pb2.EncodeTextResponse(
                model=model.id, fingerprint=model.fingerprint, results=self._results("text", model, results)
            )
        raise AssertionError("unreachable: an aborted call raises")

    async def EncodeImage(
        self, request: encoder_pb2.EncodeImageRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> encoder_pb2.EncodeImageResponse:
        """Encode images, in the order given."""
        async with self._call("EncodeImage", context):
            model, group = self._start_images(request)
            return self._image_response(model, await _finished(group))
        raise AssertionError("unreachable: an aborted call raises")

    async def EncodeImageStream(
        self,
        request_iterator: AsyncIterator[encoder_pb2.EncodeImageRequest],
        context: grpc.aio.ServicerContext[Any, Any],
    ) -> AsyncIterator[encoder_pb2.EncodeImageResponse]:
        """Encode images in bulk: one response a request, in order."""
        async with self._call("EncodeImageStream", context):
            # What was read and not answered yet: a started request, the error that ends the stream, or its end.
            started: asyncio.Queue[tuple[EncodingModel, Group] | Exception | None] = asyncio.Queue(REQUESTS_UNDER_WAY)
            reader = asyncio.create_task(self._read(request_iterator, started))
            try:
                while (entry := await started.get()) is not None:
                    if isinstance(entry, Exception):
                        raise entry
                    model, group = entry
                    yield self._image_response(model, await _finished(group))
            finally:
                reader.cancel()
                while not started.empty():
                    entry = started.get_nowait()
                    if isinstance(entry, tuple):
                        entry[1].cancel()

    async def ListModels(
        self, request: encoder_pb2.ListModelsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> encoder_pb2.ListModelsResponse:
        """List the models served, the default first, and the limits."""
        async with self._call("ListModels", context):
            models = self._serving().models.values()
            return encoder_pb2.ListModelsResponse(
                models=[
                    encoder_pb2.Model(
                        id=model.id,
                        fingerprint=model.fingerprint,
                        dimensions=model.dimensions,
                        context_length=model.context_length,
                        runtime=model.runtime,
                        device=model.device,
                        preprocessing=model.preprocessing.to_proto(),
                    )
                    for model in models
                ],
                limits=encoder_pb2.Limits(**vars(self._limits)),
            )
        raise AssertionError("unreachable: an aborted call raises")

    async def _read(
        self,
        requests: AsyncIterator[encoder_pb2.EncodeImageRequest],
        started: asyncio.Queue[tuple[EncodingModel, Group] | Exception | None],
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
                    entry[1].cancel()
                    raise
            await started.put(None)
        except Exception as error:
            await started.put(error)

    def _start_images(self, request: encoder_pb2.EncodeImageRequest) -> tuple[EncodingModel, Group]:
        pipeline, model, bulk = self._resolve(request)
        images = [_image_input(image) for image in _counted(request.images, self._limits.max_images, "images")]
        return model, pipeline.encode_images(model, images, bulk=bulk)

    def _serving(self) -> Pipeline:
        if self.draining:
            raise NotReady("the encoder is stopping: try another one, or again in a moment")
        if self.pipeline is None:
            raise NotReady("the encoder's models are still loading: try again in a moment")
        return self.pipeline

    def _resolve(
        self, request: encoder_pb2.EncodeTextRequest | encoder_pb2.EncodeImageRequest
    ) -> tuple[Pipeline, EncodingModel, bool]:
        pipeline = self._serving()
        model = pipeline.model(request.model)
        if request.fingerprint and request.fingerprint != model.fingerprint:
            raise FingerprintMismatch(
                f"model {model.id!r} has fingerprint {model.fingerprint}, not {request.fingerprint}: its vectors cannot"
                " be compared with yours"
            )
        if request.priority not in encoder_pb2.Priority.values():
            raise InvalidRequest(f"unknown priority {request.priority}")
        return pipeline, model, request.priority == encoder_pb2.PRIORITY_BULK

    def _image_response(self, model: EncodingModel, results: Sequence[Result]) -> encoder_pb2.EncodeImageResponse:
        return encoder_pb2.EncodeImageResponse(
            model=model.id, fingerprint=model.fingerprint, results=self._results("image", model, results)
        )

    def _results(self, kind: str, model: EncodingModel, results: Sequence[Result]) -> list[encoder_pb2.Result]:
        messages = []
        outcomes = {"ok": 0, "invalid": 0, "failed": 0}
        for result in results:
            if isinstance(result, EncoderError):
                outcomes["invalid" if isinstance(result, InvalidItem) else "failed"] += 1
                status = encoder_pb2.Status(code=result.number, message=result.message)
                messages.append(encoder_pb2.Result(status=status))
            else:
                outcomes["ok"] += 1
                messages.append(encoder_pb2.Result(vector=encoder_pb2.Vector(values=result.tolist())))
        for outcome, count in outcomes.items():
            if count:
                self._metrics.items.labels(kind, model.id, outcome).inc(count)
        return messages

    @asynccontextmanager
    async def _call(self, method: str, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
        """Count a call and turn this service's errors into its status."""
        self.under_way += 1
        code = "OK"
        try:
            yield
        except EncoderError as error:
            code = error.code
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
            self.under_way -= 1
            self._metrics.calls.labels(method, code).inc()


async def _abort(context: grpc.aio.ServicerContext[Any, Any], error: EncoderError) -> NoReturn:
    metadata: tuple[tuple[str, str], ...] = ()
    if isinstance(error, Overloaded):
        metadata = (("retry-after-ms", str(max(1, round(error.retry_after_seconds * 1000)))),)
    await context.abort(grpc.StatusCode[error.code], error.message, metadata)
    raise AssertionError("unreachable: abort raises")


async def _finished(group: Group) -> list[Result]:
    """Wait for a group; whoever stops waiting takes it out of the queue."""
    try:
        return await asyncio.wrap_future(group.future)
    except asyncio.CancelledError:
        group.cancel()
        raise


def _counted(items: Sequence[Item], limit: int, what: str) -> Sequence[Item]:
    if not items:
        raise InvalidRequest(f"a request needs {what}")
    if len(items) > limit:
        raise RequestTooLarge(f"{len(items)} {what} in one request; the limit is {limit}: send several requests")
    return items


def _image_input(image: encoder_pb2.Image) -> ImageInput:
    if image.WhichOneof("source") == "raw":
        return ImageInput(image.raw.rgb, (image.raw.width, image.raw.height), image.raw.preprocessed)
    return ImageInput(image.encoded)
