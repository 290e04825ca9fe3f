"""Bounds how many messages arrive at once: gRPC keeps what has come of a message, for ever if its rest never comes.

gRPC takes no more than a window of a call's bytes before somebody asks for its message; here nobody asks before there
is room for one of the greatest length. So calls with one request are read as streams are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from sightline.encoder.errors import RETRY_AFTER_KEY

Message = TypeVar("Message")
Context = grpc.aio.ServicerContext[Any, Any]
Method = Callable[[Any, Context], Any]
if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
    Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]

FEWEST_PLACES = 4
MOST_WAITING = 512
"""Calls that wait for a place; more are refused."""
ARRIVAL_SECONDS = 60.0
"""In which a message, or the next one of a stream, has to arrive."""
UNDISTURBED_SECONDS = 1.0
"""After which an arrival is broken off when others wait for its place."""
RETRY_AFTER_MS = "1000"


class ArrivalRefusedError(Exception):
    """A message was not taken, or not any longer; says why."""


class Arrivals:
    """The places of messages that arrive; of one event loop.

    Args:
        places: How many arrive at once.
    """

    def __init__(self, places: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._waiting = 0
        self._since: dict[asyncio.Task[Any], float] = {}

    async def receive(self, read: Callable[[], Awaitable[Message]]) -> Message:
        """Return the message that `read` waits for, once there is a place for it.

        Raises:
            ArrivalRefusedError: There was no place, or the message took too long.
        """
        await self._take_place()
        arrival = asyncio.ensure_future(read())
        try:
            self._since[arrival] = asyncio.get_running_loop().time()
            await asyncio.wait({arrival}, timeout=ARRIVAL_SECONDS)
        finally:
            self._since.pop(arrival, None)
            self._places.release()
            is_late = arrival.cancelled() or not arrival.done()
            if not arrival.done():
                arrival.cancel()
                await asyncio.wait({arrival}, timeout=UNDISTURBED_SECONDS)
        if is_late:
            raise ArrivalRefusedError("the request did not arrive in time: send less at once")
        return arrival.result()

    async def _take_place(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise ArrivalRefusedError("too many requests arrive at once: try again in a moment")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            end = loop.time() + ARRIVAL_SECONDS
            while loop.time() < end:
                try:
                    await asyncio.wait_for(self._places.acquire(), UNDISTURBED_SECONDS)
                    return
                except TimeoutError:
                    self._break_off(loop.time() - UNDISTURBED_SECONDS)
            raise ArrivalRefusedError("too many requests arrive at once: try again in a moment")
        finally:
            self._waiting -= 1

    def _break_off(self, before: float) -> None:
        """Make the place free of the message that has been arriving longest, if that began before a moment."""
        for arrival, since in self._since.items():
            if since <= before and not arrival.cancelled():
                arrival.cancel()
                del self._since[arrival]
                return


class ArrivalInterceptor(grpc.aio.ServerInterceptor):
    """Reads the requests of every call through `Arrivals`.

    Streams have as many places of their own: one may be open for long without sending anything.

    Args:
        places: For the messages of calls with one request, and again for those of streams.
    """

    def __init__(self, places: int) -> None:
        self._single = Arrivals(places)
        self._streams = Arrivals(places)

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> Handler | None:
        """Return the method's handler, which reads its requests so; None for a method that does not exist."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        codec = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        method: Any
        if handler.response_streaming:
            method = handler.stream_stream if handler.request_streaming else handler.unary_stream
            read = self._many if handler.request_streaming else self._one
            return grpc.stream_stream_rpc_method_handler(_generating(method, read), **codec)
        method = handler.stream_unary if handler.request_streaming else handler.unary_unary
        read = self._many if handler.request_streaming else self._one
        return grpc.stream_unary_rpc_method_handler(_answering(method, read), **codec)

    async def _one(self, requests: AsyncIterator[Any], context: Context) -> Any:
        iterator = aiter(requests)
        try:
            return await _received(self._single, iterator, context)
        except StopAsyncIteration:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the call has no request")
        finally:
            await _close(iterator)

    async def _many(self, requests: AsyncIterator[Any], context: Context) -> Any:
        async def received() -> AsyncIterator[Any]:
            iterator = aiter(requests)
            try:
                while True:
                    try:
                        request = await _received(self._streams, iterator, context)
                    except StopAsyncIteration:
                        return
                    yield request
            finally:
                await _close(iterator)

        return received()


async def _received(arrivals: Arrivals, requests: AsyncIterator[Any], context: Context) -> Any:
    try:
        return await arrivals.receive(lambda: anext(requests))
    except ArrivalRefusedError as error:
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), ((RETRY_AFTER_KEY, RETRY_AFTER_MS),))


async def _close(requests: AsyncIterator[Any]) -> None:
    """End gRPC's generator of requests, which nobody asks for another one."""
    if isinstance(requests, AsyncGenerator):
        await requests.aclose()


def _answering(method: Method, read: Method) -> Method:
    async def call(requests: AsyncIterator[Any], context: Context) -> Any:
        return await method(await read(requests, context), context)

    return call


def _generating(method: Method, read: Method) -> Method:
    async def generate(requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        answers = method(await read(requests, context), context)
        if hasattr(answers, "__aiter__"):
            async for answer in answers:
                yield answer
        else:
            await answers

    return generate
