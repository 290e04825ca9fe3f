"""Answers bytes that are no message with INVALID_ARGUMENT, and one line in the log.

By itself gRPC for Python answers with INTERNAL, as if the server had failed, and logs a traceback. A deserializer
cannot answer a call: it returns a Malformed in place of a message, and the method is not called.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
    Method = Callable[[Any, Any], Any]
    Continue = Callable[[grpc.HandlerCallDetails], Handler | None]
    ContinueAio = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]

log = logging.getLogger(__name__)
MAKERS: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
"""The key says whether requests and whether answers are streams."""


@dataclass(frozen=True)
class Malformed:
    """A request that cannot be read; `message` says so to the client."""

    message: str


class MalformedInterceptor(grpc.ServerInterceptor):
    """For a server of threads."""

    def intercept_service(
        self, continuation: Continue, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Return the method's handler, which refuses what cannot be read; None for a method that does not exist."""
        return _wrapped(continuation(handler_call_details), handler_call_details, _refusing)


class AioMalformedInterceptor(grpc.aio.ServerInterceptor):
    """For a server of asyncio."""

    async def intercept_service(
        self, continuation: ContinueAio, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Return the method's handler, which refuses what cannot be read; None for a method that does not exist."""
        return _wrapped(await continuation(handler_call_details), handler_call_details, _refusing_aio)


def _wrapped(
    handler: Handler | None, details: grpc.HandlerCallDetails, refusing: Callable[[Method, bool], Method]
) -> Handler | None:
    # A method without a deserializer takes any bytes.
    if handler is None or handler.request_deserializer is None:
        return handler
    streams = bool(handler.request_streaming), bool(handler.response_streaming)
    method = getattr(handler, f"{'stream' if streams[0] else 'unary'}_{'stream' if streams[1] else 'unary'}")
    return MAKERS[streams](
        refusing(method, streams[0]),
        request_deserializer=_reading(handler.request_deserializer, str(details.method)),
        response_serializer=handler.response_serializer,
    )


def _reading(deserialize: Callable[[bytes], Any], method: str) -> Callable[[bytes], Any]:
    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except Exception as error:
            log.warning("a request cannot be read", extra={"method": method, "bytes": len(data), "error": str(error)})
            return Malformed(f"these {len(data):,} bytes are no request of {method}, or a text in it is not UTF-8")

    return read


def _refuse(request: Any, context: grpc.ServicerContext) -> Any:
    if isinstance(request, Malformed):
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, request.message)
    return request


async def _refuse_aio(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
    if isinstance(request, Malformed):
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, request.message)
    return request


def _refusing(method: Method, streams: bool) -> Method:
    def readable(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        for request in requests:
            yield _refuse(request, context)

    def call(request: Any, context: grpc.ServicerContext) -> Any:
        return method(readable(request, context) if streams else _refuse(request, context), context)

    return call


def _refusing_aio(method: Method, streams: bool) -> Method:
    async def readable(requests: AsyncIterator[Any], context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async for request in requests:
            yield await _refuse_aio(request, context)

    async def checked(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        return readable(request, context) if streams else await _refuse_aio(request, context)

    async def call(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        return await method(await checked(request, context), context)

    async def generate(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async for response in method(await checked(request, context), context):
            yield response

    # gRPC checks whether the method is a generator to know how it answers.
    return generate if inspect.isasyncgenfunction(method) else call
