"""The four calls over a real gRPC server, with a tiny model."""

from __future__ import annotations

import io
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from PIL import Image
from sightline.encoder.client import (
    BULK,
    EncoderClient,
    FingerprintMismatch,
    InvalidRequest,
    ItemError,
    Overloaded,
    RawPixels,
)
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_encoder import limits
from sightline_encoder.thread_priority import NICENESS_STEP
from sightline_pictures import PictureSettings
from sightline_pictures.proto import from_proto
from waiting import wait_for

FINGERPRINT = "f" * 64


def png(color=(200, 10, 10), size=(9, 6), format="PNG", **options):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format, **options)
    return out.getvalue()


@pytest.fixture
def client(serving, monkeypatch):
    for name, most in (("MAX_TEXTS", 5), ("MAX_IMAGES", 4), ("MAX_TEXT_BYTES", 40)):
        monkeypatch.setattr(limits, name, most)
    with serving(queue_size=8) as running, EncoderClient(running.address) as client:
        client.running = running
        yield client


def test_models_are_listed_with_all_that_a_client_needs(client, tiny):
    [model] = client.models()
    assert (model.id, model.fingerprint, model.dimensions, model.context_length) == ("tiny", FINGERPRINT, 3, 8)
    assert (model.runtime, model.device) == ("torch", "cpu")
    assert from_proto(model.preprocessing) == tiny.preprocessing
    told = client.limits()
    assert (told.max_texts, told.max_images, told.max_text_bytes) == (5, 4, 40)
    assert told.max_image_bytes == PictureSettings().max_bytes
    assert told.max_message_bytes > told.max_image_bytes


def test_the_first_model_is_the_default_and_each_has_its_own_vectors(serving, make_model):
    with (
        serving(models=(make_model("one"), make_model("two", "e" * 64))) as running,
        EncoderClient(running.address) as client,
    ):
        assert [model.id for model in client.models()] == ["one", "two"]
        assert client.encode_texts(["x"]).model == "one"
        answer = client.encode_texts(["x"], model="two")
        assert (answer.model, answer.fingerprint) == ("two", "e" * 64)


def test_texts_keep_their_order(client):
    vectors = client.encode_texts(["a", "four", "", "sixsix"]).vectors()
    assert vectors.dtype == np.float32
    assert vectors[:, 0] / vectors[:, 1] == pytest.approx([1, 4, 0, 6])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)


def test_a_broken_image_in_the_middle_fails_alone_and_order_is_kept(client):
    answer = client.encode_images([png((250, 0, 0)), b"some text, not a picture", png((0, 250, 0)), b""])
    red, text, green, empty = answer.results
    assert answer.fingerprint == FINGERPRINT
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert isinstance(text, ItemError)
    assert (text.code, "not an image" in text.message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert isinstance(empty, ItemError)
    assert "empty" in empty.message
    metric = client.running.metric
    assert metric("sightline_encoder_items_total", kind="image", model="tiny", outcome="ok") == 2
    assert metric("sightline_encoder_items_total", kind="image", model="tiny", outcome="invalid") == 2


def test_a_visual_vector_comes_where_it_is_asked_for_and_the_model_has_one(serving, make_model):
    plain, seeing = make_model("plain"), make_model("seeing", "0" * 64)
    seeing.visual_dimensions = 2
    pages = [png((20, 20, 20)), b"no picture", png((200, 10, 10))]
    with serving(models=[plain, seeing]) as running, EncoderClient(running.address) as client:
        assert [model.visual_dimensions for model in client.models()] == [0, 2]
        asked = client.encode_images(pages, model="seeing", visual=True)
        [streamed] = client.encode_image_stream([pages], model="seeing", visual=True)
        assert client.encode_images(pages, model="seeing").visual == [None] * 3
        assert client.encode_images(pages, model="plain", visual=True).visual == [None] * 3
    for encoded in (asked, streamed):
        first, broken, last = encoded.visual
        assert broken is None
        assert isinstance(encoded.results[1], ItemError)
        assert first == pytest.approx(np.sqrt([0.5, 0.5]), abs=1e-6)
        assert last[0] > 0.99
        assert [len(encoded.results[place]) for place in (0, 2)] == [3, 3]


def test_models_say_how_what_a_text_finds_is_put_in_order(serving, make_model):
    plain, ordering = make_model("plain"), make_model("ordering", "0" * 64)
    ordering.reranking = encoder_pb2.Reranking(depth=100, best=5, alike_from=0.25, alike_to=0.75)
    with serving(models=[plain, ordering]) as running, EncoderClient(running.address) as client:
        first, second = client.models()
    assert not first.HasField("reranking")
    said = second.reranking
    assert (said.depth, said.best, said.alike_from, said.alike_to) == (100, 5, 0.25, 0.75)


def test_raw_pixels_give_the_vector_of_the_file_that_they_came_from(client, tiny):
    picture = Image.linear_gradient("L").convert("RGB").resize((40, 30))
    out = io.BytesIO()
    picture.save(out, "PNG")
    small = np.asarray(picture.resize((4, 4), Image.Resampling.BICUBIC))
    vectors = client.encode_images(
        [out.getvalue(), RawPixels(np.asarray(picture)), RawPixels(small, preprocessed=True)]
    ).vectors()
    assert vectors @ vectors.T == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (encoder_pb2.RawImage(rgb=b"123", width=2, height=1), "3 bytes are not 2 x 1 x 3"),
        (encoder_pb2.RawImage(rgb=b"", width=0, height=5), "no pixels"),
        (encoder_pb2.RawImage(rgb=b"123" * 4, width=2, height=2, preprocessed=True), "the model's input is 4 x 4"),
        (encoder_pb2.RawImage(rgb=b"123", width=4294967295, height=4294967295), "are not"),
    ],
)
def test_raw_pixels_that_cannot_be(client, image, problem):
    with grpc.insecure_channel(client.running.address) as channel:
        request = encoder_pb2.EncodeImageRequest(
            images=[encoder_pb2.Image(raw=image), encoder_pb2.Image(encoded=png())]
        )
        bad, good = encoder_pb2_grpc.EncoderStub(channel).EncodeImage(request, timeout=10).results
    assert problem in bad.status.message
    assert good.WhichOneof("outcome") == "vector"


def test_an_image_without_a_source_is_an_empty_one(client):
    with grpc.insecure_channel(client.running.address) as channel:
        request = encoder_pb2.EncodeImageRequest(images=[encoder_pb2.Image()])
        [result] = encoder_pb2_grpc.EncoderStub(channel).EncodeImage(request, timeout=10).results
    assert "empty" in result.status.message


def test_limits_of_one_image(serving):
    with (
        serving(pictures=PictureSettings(max_bytes=300, max_pixels=100)) as running,
        EncoderClient(running.address) as client,
    ):
        large, many, fine = client.encode_images(
            [png(size=(9, 9)) + b"\0" * 400, png(size=(11, 10)), png(size=(10, 10))]
        ).results
        raw = client.encode_images([RawPixels(np.zeros((11, 10, 3), np.uint8))]).results[0]
    assert "IMAGE_MAX_BYTES" in large.message
    assert "IMAGE_MAX_PIXELS" in many.message
    assert "IMAGE_MAX_PIXELS" in raw.message
    assert fine.shape == (3,)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda client: client.encode_texts([]), InvalidRequest, "needs texts"),
        (lambda client: client.encode_images([]), InvalidRequest, "needs images"),
        (lambda client: client.encode_texts(["x"], model="other"), InvalidRequest, "served are: tiny"),
        (lambda client: client.encode_texts(["x"], fingerprint="0" * 64), FingerprintMismatch, FINGERPRINT),
        (lambda client: client.encode_images([png()], fingerprint="0" * 64), FingerprintMismatch, FINGERPRINT),
        (lambda client: client.encode_texts(["x"] * 6), InvalidRequest, "the limit is 5"),
        (lambda client: client.encode_images([png()] * 5), InvalidRequest, "the limit is 4"),
        (lambda client: client.encode_texts(["x"], priority=77), InvalidRequest, "priority 77"),
    ],
)
def test_requests_that_are_wrong_as_a_whole(client, call, error, says):
    with pytest.raises(error, match=says):
        call(client)


def test_the_right_fingerprint_is_no_obstacle(client):
    assert client.encode_texts(["x"], fingerprint=FINGERPRINT).fingerprint == FINGERPRINT


def test_a_text_too_long_fails_alone(client):
    short, long, other = client.encode_texts(["a", "é" * 21, "bb"]).results
    assert "42 bytes" in long.message
    assert short[0] / short[1] == pytest.approx(1)
    assert other[0] / other[1] == pytest.approx(2)


def test_a_forward_pass_that_fails_is_told_for_its_items_only(client):
    good, boom = client.encode_texts(["good", "boom"]).results
    assert good.shape == (3,)
    assert (boom.code, "log" in boom.message) == (grpc.StatusCode.INTERNAL, True)
    [nan] = client.encode_texts(["nan"]).results
    assert "finite" in nan.message
    assert client.running.metric("sightline_encoder_items_total", kind="text", model="tiny", outcome="failed") == 2


def test_a_message_too_large_is_refused_without_a_retry_hint(serving):
    with (
        serving(max_message_bytes=1_048_576, queue_bytes=1_048_576) as running,
        EncoderClient(running.address) as client,
        pytest.raises(InvalidRequest, match="larger than max"),
    ):
        client.encode_images([b"x" * 1_100_000])


def test_a_full_queue_is_refused_at_once_with_a_hint(client, tiny):
    tiny.gate.clear()
    with grpc.insecure_channel(client.running.address) as channel:
        encode = encoder_pb2_grpc.EncoderStub(channel).EncodeText
        first = encode.future(encoder_pb2.EncodeTextRequest(texts=["x"]), timeout=20)
        assert tiny.begun.acquire(timeout=10)
        waiting = [encode.future(encoder_pb2.EncodeTextRequest(texts=["x"] * 4), timeout=20) for _ in range(2)]
        depth = {"model": "tiny", "kind": "text", "priority": "interactive"}
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) == 8)
        with pytest.raises(Overloaded) as refusal:
            client.encode_texts(["x"])
        assert 0 < refusal.value.retry_after_seconds <= 5
        assert client.running.metric("sightline_encoder_refused_total", **depth) == 1
        # Bulk work and images have queues of their own, and still fit.
        bulk = encode.future(encoder_pb2.EncodeTextRequest(texts=["x"], priority=BULK), timeout=20)
        tiny.gate.set()
        for call in (first, *waiting, bulk):
            assert len(call.result().results) in (1, 4)


def test_too_many_bytes_are_refused_with_a_hint(serving, tiny):
    with (
        serving(max_message_bytes=1_048_576, queue_bytes=1_048_576) as running,
        EncoderClient(running.address) as client,
    ):
        tiny.gate.clear()
        with grpc.insecure_channel(running.address) as channel:
            picture = png() + b"\0" * 600_000
            request = encoder_pb2.EncodeImageRequest(images=[encoder_pb2.Image(encoded=picture)])
            held = encoder_pb2_grpc.EncoderStub(channel).EncodeImage.future(request, timeout=20)
            assert tiny.begun.acquire(timeout=10)
            with pytest.raises(Overloaded):
                client.encode_images([picture])
            tiny.gate.set()
            held.result()
            assert len(client.encode_images([picture]).vectors()) == 1


def test_a_cancelled_call_leaves_the_queue(client, tiny):
    depth = {"model": "tiny", "kind": "text", "priority": "bulk"}
    with grpc.insecure_channel(client.running.address) as channel:
        encode = encoder_pb2_grpc.EncoderStub(channel).EncodeText
        tiny.gate.clear()
        held = encode.future(encoder_pb2.EncodeTextRequest(texts=["held"], priority=BULK), timeout=20)
        assert tiny.begun.acquire(timeout=10)
        doomed = encode.future(encoder_pb2.EncodeTextRequest(texts=["doomed"] * 3, priority=BULK), timeout=20)
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) == 3)
        late = encode.future(encoder_pb2.EncodeTextRequest(texts=["late"], priority=BULK), timeout=1)
        assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) == 3)
        doomed.cancel()
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) == 0)
        tiny.gate.set()
        held.result()
    client.encode_texts(["after"])
    assert tiny.texts == ["held", "after"]


def test_a_stream_answers_each_request_in_order(client):
    batches = [[png((250, 0, 0))], [png((0, 250, 0)), b"broken"], [png((0, 0, 250))] * 4]
    answers = list(client.encode_image_stream(batches * 3))
    assert [len(answer.results) for answer in answers] == [1, 2, 4] * 3
    assert [answer.results[0].argmax() for answer in answers] == [0, 1, 2] * 3
    assert isinstance(answers[1].results[1], ItemError)


def test_a_stream_waits_where_single_calls_are_refused(client, tiny):
    tiny.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(lambda: list(client.encode_image_stream([[png()] * 4] * 6)))
        depth = {"model": "tiny", "kind": "image", "priority": "bulk"}
        wait_for(lambda: (client.running.metric("sightline_encoder_refused_total", **depth) or 0) > 0)
        tiny.gate.set()
        assert [len(answer.vectors()) for answer in answers.result()] == [4] * 6


def test_a_wrong_request_ends_a_stream_after_the_answers_before_it(client):
    seen = []
    with pytest.raises(InvalidRequest, match="needs images"):
        seen.extend(client.encode_image_stream([[png()], [png()], []]))
    assert len(seen) == 2


def test_a_stream_that_is_left_gives_up_its_place(client, tiny):
    tiny.gate.clear()
    depth = {"model": "tiny", "kind": "image", "priority": "bulk"}
    with ThreadPoolExecutor(1) as pool, grpc.insecure_channel(client.running.address) as channel:
        # Every image of the stream queues behind the one that is being encoded.
        first = pool.submit(client.encode_images, [png()])
        assert tiny.begun.acquire(timeout=10)
        request = encoder_pb2.EncodeImageRequest(images=[encoder_pb2.Image(encoded=png())] * 2, priority=BULK)
        stream = encoder_pb2_grpc.EncoderStub(channel).EncodeImageStream(iter([request] * 4), timeout=20)
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) > 0)
        stream.cancel()
        wait_for(lambda: client.running.metric("sightline_encoder_queue_depth", **depth) == 0)
        tiny.gate.set()
        assert len(first.result().vectors()) == 1
    wait_for(lambda: client.running.service.server._servicer.in_flight == 0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no priority of their own")
@pytest.mark.parametrize(("device", "steps"), [("cpu", NICENESS_STEP), ("cuda:0", 0)])
def test_pictures_have_a_lower_thread_priority_than_texts_on_a_cpu(serving, tiny, device, steps):
    tiny.device = device
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    before = set(threading.enumerate())
    with serving() as running, EncoderClient(running.address) as client:
        client.encode_texts(["x"])
        client.encode_images([RawPixels(np.zeros((4, 4, 3), np.uint8), preprocessed=True)])
        threads = {thread.name: thread.native_id for thread in threading.enumerate() if thread not in before}
        found = [os.getpriority(os.PRIO_PROCESS, threads[name]) - own for name in ("forward-0", "forward-1")]
    assert found == [min(steps, 19 - own), 0]
