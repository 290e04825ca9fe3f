"""The encoder's client on the real service around a tiny model, and the fake."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager

import grpc
import numpy as np
import pytest
from fakes import FakeEncoder
from fakes.encoder_server import TinyModel, serve
from PIL import Image
from sightline.encoder.client import (
    BULK,
    EncoderClient,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    Overloaded,
    RawPixels,
    Unavailable,
)
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_pictures import preprocess
from sightline_pictures.proto import from_proto

QUEUE_SIZE = 256
SECONDS = 20


class FakeSubject:
    """The fake, and how a test makes it fail."""

    def __init__(self):
        self.client = FakeEncoder()

    @contextmanager
    def overloaded(self):
        self.client.errors = [Overloaded("the queue is full", 0.5)]
        yield

    @contextmanager
    def stopped(self):
        self.client.error = Unavailable("no encoder answers")
        yield


class ServiceSubject:
    """The service, its client, and how a test makes it fail."""

    def __init__(self, server, model):
        self.server, self.model = server, model
        self.client = EncoderClient(server.address, timeout_seconds=SECONDS)

    @contextmanager
    def overloaded(self):
        self.model.gate.clear()
        with grpc.insecure_channel(self.server.address) as channel:
            encode = encoder_pb2_grpc.EncoderStub(channel).EncodeText
            first = encode.future(encoder_pb2.EncodeTextRequest(texts=["x"]), timeout=SECONDS)
            assert self.model.begun.acquire(timeout=SECONDS)
            second = encode.future(encoder_pb2.EncodeTextRequest(texts=["x"] * QUEUE_SIZE), timeout=SECONDS)
            self._wait_for_full_queue()
            yield
            self.model.gate.set()
            assert [len(call.result().results) for call in (first, second)] == [1, QUEUE_SIZE]

    @contextmanager
    def stopped(self):
        self.server.stop().result(SECONDS)
        self.client.close()
        self.client = EncoderClient(self.server.address, timeout_seconds=0.3)
        yield

    def _wait_for_full_queue(self):
        labels = {"model": self.model.id, "kind": "text", "priority": "interactive"}
        deadline = time.monotonic() + SECONDS
        while self.server.metric("sightline_encoder_queue_depth", **labels) != QUEUE_SIZE:
            assert time.monotonic() < deadline
            time.sleep(0.005)


@pytest.fixture(params=["service", "fake"])
def subject(request):
    if request.param == "fake":
        yield FakeSubject()
        return
    model = TinyModel()
    with serve(model, queue_size=QUEUE_SIZE) as server:
        subject = ServiceSubject(server, model)
        yield subject
        subject.client.close()


@pytest.fixture
def encoder(subject):
    return subject.client


def picture(color):
    image = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    image.paste(color, (0, 0, 20, 30))
    return image


def png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_the_model_is_listed_with_what_a_client_needs(encoder):
    [model] = encoder.models(timeout_seconds=SECONDS)
    assert (model.id, len(model.fingerprint)) == (encoder.encode_texts(["x"]).model, 64)
    assert model.dimensions == len(encoder.encode_texts(["x"]).vectors()[0])
    assert encoder.default_model(timeout_seconds=SECONDS).id == model.id
    assert model.context_length > 0
    assert from_proto(model.preprocessing).crop_width > 0


def test_texts_get_unit_vectors_of_their_own_in_their_order(encoder):
    [model] = encoder.models()
    texts = ["a", "four", "sixsix"]
    answer = encoder.encode_texts(texts, model=model.id, fingerprint=model.fingerprint, timeout_seconds=SECONDS)
    assert (answer.model, answer.fingerprint) == (model.id, model.fingerprint)
    vectors = answer.vectors()
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, model.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    for text, vector in zip(texts, vectors, strict=True):
        assert encoder.encode_texts([text]).vectors()[0] == pytest.approx(vector, abs=1e-6)
    assert len({vector.tobytes() for vector in vectors}) == 3


def test_a_picture_has_one_vector_however_it_is_sent(encoder):
    [model] = encoder.models()
    red, blue = picture("red"), picture("blue")
    ready = preprocess(red, from_proto(model.preprocessing))
    forms = [png(red), RawPixels(np.asarray(red)), RawPixels(ready, preprocessed=True), png(blue)]
    vectors = encoder.encode_images(forms, priority=BULK).vectors()
    assert vectors.shape == (4, model.dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors[:3] @ vectors[0] == pytest.approx(1, abs=1e-5)
    assert vectors[3] @ vectors[0] < 0.999


def test_what_is_not_an_image_fails_alone(encoder):
    good = png(picture("red"))
    wrong_size = RawPixels(np.zeros((3, 3, 3), np.uint8), preprocessed=True)
    results = encoder.encode_images([good, b"some text", b"", wrong_size, good]).results
    assert [isinstance(result, InvalidItem) for result in results] == [False, True, True, True, False]
    assert "not an image" in results[1].message
    assert "empty" in results[2].message
    assert results[0] == pytest.approx(results[4])


def test_vectors_of_another_model_are_refused(encoder):
    for call in (
        lambda: encoder.encode_texts(["x"], fingerprint="0" * 64),
        lambda: encoder.encode_images([png(picture("red"))], fingerprint="0" * 64),
    ):
        with pytest.raises(FingerprintMismatch, match=encoder.models()[0].fingerprint):
            call()


def test_requests_that_are_wrong_as_a_whole(encoder):
    for call, says, code in (
        (lambda: encoder.encode_texts(["x"], model="other"), "served are", grpc.StatusCode.NOT_FOUND),
        (lambda: encoder.encode_texts([]), "needs texts", grpc.StatusCode.INVALID_ARGUMENT),
        (lambda: encoder.encode_images([]), "needs images", grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(InvalidRequest, match=says) as refusal:
            call()
        assert refusal.value.code is code


def test_a_full_queue_is_refused_with_a_hint(subject):
    with subject.overloaded():
        with pytest.raises(Overloaded) as refusal:
            subject.client.encode_texts(["x"])
        assert 0 < refusal.value.retry_after_seconds <= 5
    assert len(subject.client.encode_texts(["x"]).vectors()) == 1


def test_an_encoder_that_does_not_answer_is_unavailable(subject):
    with subject.stopped():
        for call in (subject.client.models, lambda: subject.client.encode_texts(["x"])):
            with pytest.raises(Unavailable):
                call()
