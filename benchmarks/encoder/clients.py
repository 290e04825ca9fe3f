"""Many clients of the encoder at once, each with a connection of its own and one request under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

import grpc
from sightline.encoder.client import BULK, INTERACTIVE, RawPixels
from sightline.encoder.messages import image_request
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc

from benchmarks.encoder import turns
from benchmarks.encoder.subjects import Pixels

WARM_SECONDS = 1.0
"""Answers of the first moments are not counted: queues are still filling."""
BULK_PICTURES = 16
"""Of one bulk request; what the ingest workers send."""

Call = Callable[[], Awaitable[int]]
"""Sends one request and returns its items; raises Refused."""


class Refused(Exception):
    """The server had no room.

    Attributes:
        after_seconds: When to come again.
    """

    def __init__(self, after_seconds: float) -> None:
        super().__init__(f"come again in {after_seconds:.2f} s")
        self.after_seconds = after_seconds


@dataclass
class Answers:
    """What the clients of one kind got.

    Attributes:
        milliseconds: Of each request that was answered.
        items: In those answers.
        refused: Requests that were refused.
        seconds: That were counted.
    """

    milliseconds: list[float] = field(default_factory=list)
    items: int = 0
    refused: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    def percentile(self, percent: float) -> float:
        """Return a percentile of the requests' time, in milliseconds."""
        return turns.percentile(self.milliseconds, percent)


async def drive(groups: Mapping[str, Sequence[Call]], seconds: float) -> dict[str, Answers]:
    """Have every client send one request after another for some seconds; a refused one waits as long as it is told."""
    began = time.perf_counter() + WARM_SECONDS
    ends = began + seconds
    found = {kind: Answers(seconds=seconds) for kind in groups}

    async def client(call: Call, answers: Answers) -> None:
        while (sent := time.perf_counter()) < ends:
            try:
                items = await call()
            except Refused as refusal:
                answers.refused += sent >= began
                await asyncio.sleep(min(refusal.after_seconds, max(0.0, ends - time.perf_counter())))
                continue
            now = time.perf_counter()
            if began <= now < ends:
                answers.items += items
                answers.milliseconds.append((now - sent) * 1000)

    tasks = [asyncio.create_task(client(call, found[kind])) for kind, calls in groups.items() for call in calls]
    # What is still unanswered when the time is over is given up.
    done, late = await asyncio.wait(tasks, timeout=seconds + WARM_SECONDS + 0.5)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()
    return found


class Connections:
    """Clients of one encoder.

    Args:
        address: HOST:PORT.
        texts: To ask for, in turn.
        pixels: (n, height, width, 3) preprocessed pictures to ask for, in turn.
    """

    def __init__(self, address: str, texts: Sequence[str], pixels: Pixels | None = None) -> None:
        self._address = address
        self._texts = cycle(texts)
        self._single: Iterator[Any] = iter(())
        self._bulk: Iterator[Any] = iter(())
        if pixels is not None:
            raw = [RawPixels(each, preprocessed=True) for each in pixels]
            self._single = cycle([image_request([each], "", "", INTERACTIVE) for each in raw])
            starts = range(0, len(raw), BULK_PICTURES)
            batches = [list(islice(cycle(raw), start, start + BULK_PICTURES)) for start in starts]
            self._bulk = cycle([image_request(batch, "", "", BULK) for batch in batches])
        self._channels: list[grpc.aio.Channel] = []

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(channel.close() for channel in self._channels))
        self._channels = []

    def texts(self, count: int) -> list[Call]:
        """Return clients that ask for one text at a time."""

        def request() -> Any:
            return encoder_pb2.EncodeTextRequest(priority=INTERACTIVE, texts=[next(self._texts)])

        return [self._caller(lambda stub: stub.EncodeText, request) for _ in range(count)]

    def images(self, count: int) -> list[Call]:
        """Return clients that ask for one picture at a time, as a person does."""
        return [self._caller(lambda stub: stub.EncodeImage, lambda: next(self._single)) for _ in range(count)]

    def bulk(self, count: int) -> list[Call]:
        """Return clients that send pictures in bulk, as ingest workers do."""
        return [self._caller(lambda stub: stub.EncodeImage, lambda: next(self._bulk)) for _ in range(count)]

    def _caller(self, method: Callable[[Any], Any], request: Callable[[], Any]) -> Call:
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 1 << 28)]
        channel = grpc.aio.insecure_channel(self._address, options)
        self._channels.append(channel)
        send = method(encoder_pb2_grpc.EncoderStub(channel))

        async def call() -> int:
            try:
                answer = await send(request())
            except grpc.aio.AioRpcError as error:
                if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise Refused(_retry_after(error)) from error
                raise
            return len(answer.results)

        return call


def _retry_after(error: grpc.aio.AioRpcError) -> float:
    for key, value in error.trailing_metadata() or ():
        if key == "retry-after-ms":
            return int(value) / 1000
    return 0.5
