"""The client against real gRPC servers that misbehave on purpose."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from sightline.encoder.client import (
    BULK,
    EncoderClient,
    EncoderError,
    FingerprintMismatch,
    InvalidRequest,
    ItemError,
    Overloaded,
    RawPixels,
    Unavailable,
)
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc


class LengthEncoder(encoder_pb2_grpc.EncoderServicer):
    """Vectors from lengths, and any misbehaviour that a test asks for."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.before: Callable[[grpc.ServicerContext], None] = lambda context: None

    def _note(self, request: object, context: grpc.ServicerContext) -> None:
        self.calls.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.before(context)

    def EncodeText(self, request, context):
        self._note(request, context)
        return encoder_pb2.EncodeTextResponse(
            model="lengths",
            fingerprint="f",
            results=[self._vector(len(text)) if text else self._broken() for text in request.texts],
        )

    def EncodeImage(self, request, context):
        self._note(request, context)
        return encoder_pb2.EncodeImageResponse(
            model="lengths",
            fingerprint="f",
            results=[
                self._vector(len(image.encoded or image.raw.rgb)) if image.encoded != b"bad" else self._broken()
                for image in request.images
            ],
        )

    def EncodeImageStream(self, requests, context):
        for request in requests:
            yield self.EncodeImage(request, context)

    def ListModels(self, request, context):
        self._note(request, context)
        return encoder_pb2.ListModelsResponse(
            models=[encoder_pb2.Model(id="lengths", dimensions=2)], limits=encoder_pb2.Limits(max_texts=7)
        )

    @staticmethod
    def _vector(length: int) -> encoder_pb2.Result:
        return encoder_pb2.Result(vector=encoder_pb2.Vector(values=[float(length), 1.0]))

    @staticmethod
    def _broken() -> encoder_pb2.Result:
        return encoder_pb2.Result(status=encoder_pb2.Status(code=3, message="not an image"))


@contextmanager
def serving(servicer: LengthEncoder, port: int = 0) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    encoder_pb2_grpc.add_EncoderServicer_to_server(servicer, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(0).wait()


@pytest.fixture
def encoder() -> LengthEncoder:
    return LengthEncoder()


@pytest.fixture
def unused_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def abort(
    code: grpc.StatusCode, message: str, times: int = 10**6, trailing=()
) -> Callable[[grpc.ServicerContext], None]:
    left = [times]

    def before(context: grpc.ServicerContext) -> None:
        if left[0] > 0:
            left[0] -= 1
            context.set_trailing_metadata(trailing)
            context.abort(code, message)

    return before


def test_texts_come_back_as_vectors_in_order(encoder):
    with serving(encoder) as address, EncoderClient(address) as client:
        encoded = client.encode_texts(["cat", "elephant"], model="lengths", fingerprint="f", priority=BULK)
    np.testing.assert_array_equal(encoded.vectors(), np.array([[3, 1], [8, 1]], np.float32))
    assert encoded.vectors().dtype == np.float32
    assert (encoded.model, encoded.fingerprint) == ("lengths", "f")
    assert (encoder.calls[0].model, encoder.calls[0].priority) == ("lengths", BULK)


def test_a_broken_item_leaves_its_neighbours_alone(encoder):
    with serving(encoder) as address, EncoderClient(address) as client:
        encoded = client.encode_images([b"first", b"bad", RawPixels(np.zeros((2, 3, 3), np.uint8), preprocessed=True)])
    assert encoded.results[0].tolist() == [5, 1]
    assert isinstance(encoded.results[1], ItemError)
    assert encoded.results[1].message == "not an image"
    assert encoded.results[2].tolist() == [18, 1]
    with pytest.raises(ItemError, match="not an image"):
        encoded.vectors()


def test_raw_pixels_keep_height_and_width_apart(encoder):
    with serving(encoder) as address, EncoderClient(address) as client:
        client.encode_images([RawPixels(np.zeros((2, 3, 3), np.uint8))])
    raw = encoder.calls[0].images[0].raw
    assert (raw.height, raw.width, raw.preprocessed) == (2, 3, False)


def test_a_stream_answers_each_batch_in_order(encoder):
    with serving(encoder) as address, EncoderClient(address) as client:
        answers = list(client.encode_image_stream([[b"1"], [b"22", b"333"]]))
    assert [[result[0] for result in answer.results] for answer in answers] == [[1], [2, 3]]


def test_unavailable_is_tried_again(encoder):
    encoder.before = abort(grpc.StatusCode.UNAVAILABLE, "warming up", times=2)
    with serving(encoder) as address, EncoderClient(address) as client:
        assert client.encode_texts(["cat"]).vectors().tolist() == [[3, 1]]
    assert len(encoder.calls) == 3


def test_a_dead_address_costs_only_a_detour(encoder, unused_address):
    with serving(encoder) as address, EncoderClient([unused_address, address]) as client:
        for _ in range(4):
            assert client.encode_texts(["cat"]).results
    assert len(encoder.calls) == 4


def test_calls_are_spread_over_the_addresses():
    first, second = LengthEncoder(), LengthEncoder()
    with serving(first) as one, serving(second) as two, EncoderClient([one, two]) as client:
        for _ in range(40):
            client.encode_texts(["cat"])
    assert len(first.calls) + len(second.calls) == 40
    assert first.calls
    assert second.calls


def test_an_encoder_that_never_comes_is_unavailable_at_the_deadline(unused_address):
    with EncoderClient(unused_address, timeout_seconds=0.5) as client, pytest.raises(Unavailable):
        client.encode_texts(["cat"])


def test_a_full_queue_says_when_to_come_back(encoder):
    encoder.before = abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full", trailing=(("retry-after-ms", "250"),))
    with serving(encoder) as address, EncoderClient(address) as client, pytest.raises(Overloaded) as caught:
        client.encode_texts(["cat"])
    assert caught.value.retry_after_seconds == 0.25
    assert len(encoder.calls) == 1


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, InvalidRequest),
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequest),
        (grpc.StatusCode.NOT_FOUND, InvalidRequest),
        (grpc.StatusCode.FAILED_PRECONDITION, FingerprintMismatch),
        (grpc.StatusCode.UNAUTHENTICATED, EncoderError),
    ],
)
def test_what_will_not_change_is_not_tried_again(encoder, code, expected):
    encoder.before = abort(code, "no")
    with serving(encoder) as address, EncoderClient(address) as client, pytest.raises(expected, match="no") as caught:
        client.encode_texts(["cat"])
    assert caught.value.code is code
    assert len(encoder.calls) == 1


def test_the_token_travels(encoder):
    with serving(encoder) as address, EncoderClient(address, token="secret") as client:
        assert client.models()[0].id == "lengths"
        assert client.limits().max_texts == 7
    assert {call["authorization"] for call in encoder.metadata} == {"Bearer secret"}


def test_no_address_is_refused():
    with pytest.raises(ValueError, match="address"):
        EncoderClient([])
