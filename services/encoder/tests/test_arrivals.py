"""Messages that begin to arrive and never end."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from threading import Event

import grpc
import pytest
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_encoder import arrivals
from sightline_encoder.arrivals import FEWEST_PLACES, ArrivalRefusedError, Arrivals

TEXT = encoder_pb2.EncodeTextRequest(texts=["x"])


async def never():
    await asyncio.Event().wait()


async def at_once():
    return "message"


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(arrivals, "UNDISTURBED_SECONDS", 0.01)


def test_who_waits_takes_the_place_of_what_never_arrives(quick):
    async def run():
        places = Arrivals(2)
        stuck = [asyncio.create_task(places.receive(never)) for _ in range(2)]
        await asyncio.sleep(0)
        assert await places.receive(at_once) == "message"
        ended = [task for task in stuck if task.done()]
        assert len(ended) == 1
        with pytest.raises(ArrivalRefusedError, match="in time"):
            await ended[0]
        assert await places.receive(at_once) == "message"
        [kept] = [task for task in stuck if not task.done()]
        kept.cancel()
        with pytest.raises(asyncio.CancelledError):
            await kept

    asyncio.run(run())


def test_what_nobody_waits_behind_has_until_the_deadline(quick, monkeypatch):
    monkeypatch.setattr(arrivals, "ARRIVAL_SECONDS", 0.05)

    async def run():
        with pytest.raises(ArrivalRefusedError, match="in time"):
            await Arrivals(2).receive(never)

    asyncio.run(run())


def test_few_wait(monkeypatch):
    monkeypatch.setattr(arrivals, "MOST_WAITING", 0)

    async def run():
        with pytest.raises(ArrivalRefusedError, match="too many"):
            await Arrivals(1).receive(at_once)

    asyncio.run(run())


def test_errors_and_ends_pass_through():
    async def fail():
        raise ValueError

    async def end():
        raise StopAsyncIteration

    async def run():
        places = Arrivals(1)
        for read, error in ((fail, ValueError), (end, StopAsyncIteration)):
            with pytest.raises(error):
                await places.receive(read)
        assert await places.receive(at_once) == "message"

    asyncio.run(run())


@pytest.mark.parametrize("method", ["EncodeText", "EncodeImageStream"])
def test_calls_that_never_send_their_request_hold_up_nobody(serving, quick, method):
    bytes_of_one = 2**20
    with ExitStack() as closing:
        running = closing.enter_context(serving(max_message_bytes=bytes_of_one, queue_bytes=bytes_of_one))
        channel = closing.enter_context(grpc.insecure_channel(running.address))
        ended = Event()
        closing.callback(ended.set)

        def requests():
            ended.wait()
            yield from ()

        call = channel.stream_stream(f"/sightline.encoder.v1.Encoder/{method}")
        for _ in range(FEWEST_PLACES + 2):
            closing.callback(call(requests(), timeout=60).cancel)
        assert encoder_pb2_grpc.EncoderStub(channel).EncodeText(TEXT, timeout=20).results[0].vector.values
