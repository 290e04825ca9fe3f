"""Many clients of the encoder at once, each with a connection of its own and one request under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import grpc
from sightline.encoder.client import BULK, INTERACTIVE, RawPixels
from sightline.encoder.messages import image_request
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc

from benchmarks.harness.pictures import Pixels, chunks
from benchmarks.harness.timing import percentile

WARM_SECONDS = 1.0
"""Answers of the first moments are not counted: queues are still filling."""
BULK_PICTURES = 16
"""Of one bulk request."""
OPTIONS = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", 1 << 28)]

Call = Callable[[], Awaitable[int]]
"""Sends one request and returns its items; raises Refused."""


class Refused(Exception):
    """The server had no room; comes with the seconds after which to come again."""


@dataclass
class Answers:
    """What the clients of one kind got.

    Attributes:
        milliseconds: Of each request that was answered.
        items: In those answers.
        refused: Requests that were refused.
        seconds: That were counted.
    """

    seconds: float
    milliseconds: list[float] = field(default_factory=list)
    items: int = 0
    refused: int = 0

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    def percentile(self, percent: float) -> float:
        """Return a percentile of the requests' time, in milliseconds; NaN where none was answered in time."""
        return percentile(self.milliseconds, percent)


async def drive(groups: Mapping[str, Sequence[Call]], seconds: float) -> dict[str, Answers]:
    """Have every client send one request after another for some seconds; a refused one waits as long as it is told."""
    began = time.perf_counter() + WARM_SECONDS
    ends = began + seconds
    found = {kind: Answers(seconds) for kind in groups}

    async def client(call: Call, answers: Answers) -> None:
        while (sent := time.perf_counter()) < ends:
            try:
                items = await call()
            except Refused as refusal:
                answers.refused += sent >= began
                await asyncio.sleep(min(refusal.args[0], max(0.0, ends - time.perf_counter())))
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


def requests(words: Sequence[str], pixels: Pixels) -> dict[str, tuple[str, Iterator[Any]]]:
    """Return by kind of request the call and endless requests: a text, a picture, or sixteen of them in bulk."""
    raw = [RawPixels(each, preprocessed=True) for each in pixels]
    texts = [encoder_pb2.EncodeTextRequest(priority=INTERACTIVE, texts=[word]) for word in words]
    single = [image_request([each], "", "", INTERACTIVE) for each in raw]
    bulk = [image_request(batch, "", "", BULK) for batch in chunks(raw, BULK_PICTURES)]
    return {
        "texts": ("EncodeText", cycle(texts)),
        "images": ("EncodeImage", cycle(single)),
        "bulk": ("EncodeImage", cycle(bulk)),
    }


async def drive_encoder(
    address: str, asked: Mapping[str, tuple[str, Iterator[Any]]], counts: Mapping[str, int], seconds: float
) -> dict[str, Answers]:
    """Have so many clients of each kind send requests to an encoder at HOST:PORT."""
    channels: list[grpc.aio.Channel] = []

    def client(method: str, messages: Iterator[Any]) -> Call:
        channels.append(grpc.aio.insecure_channel(address, OPTIONS))
        send = getattr(encoder_pb2_grpc.EncoderStub(channels[-1]), method)

        async def call() -> int:
            try:
                return len((await send(next(messages))).results)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                    raise
                told = dict(error.trailing_metadata() or ()).get("retry-after-ms", 500)
                raise Refused(int(told) / 1000) from error

        return call

    groups = {kind: [client(*asked[kind]) for _ in range(count)] for kind, count in counts.items()}
    try:
        return await drive(groups, seconds)
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))
