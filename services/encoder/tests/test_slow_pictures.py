"""Files that take long to decode, and pixels of odd shapes: what they do to others."""

from __future__ import annotations

import io
import time

import grpc
import numpy as np
import psutil
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from PIL import Image
from sightline.encoder.client import BULK, EncoderClient, InvalidItem, RawPixels
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_pictures import PictureSettings, decoder_process
from slow_picture import slow_jpeg
from waiting import wait_for

# Decodes for some seconds where nothing else runs.
SLOW = slow_jpeg()
LONG_SECONDS = 300


def png():
    out = io.BytesIO()
    Image.new("RGB", (9, 6), (200, 10, 10)).save(out, "PNG")
    return out.getvalue()


def decoders() -> list[psutil.Process]:
    found = psutil.Process().children(recursive=True)
    return [process for process in found if "sightline_pictures.decoder_process" in process.cmdline()]


@pytest.fixture
def slow_serving(serving):
    """Serve with a time limit that slow pictures do not reach, and a process of its own for each of two at once."""
    with (
        serving(threads=2, pictures=PictureSettings(max_seconds=LONG_SECONDS)) as running,
        EncoderClient(running.address, timeout_seconds=LONG_SECONDS) as client,
        grpc.insecure_channel(running.address) as channel,
    ):
        client.running, client.channel = running, channel
        yield client


def send(client, images, timeout=LONG_SECONDS):
    """Start a call of one client with some files."""
    request = encoder_pb2.EncodeImageRequest(images=[encoder_pb2.Image(encoded=data) for data in images])
    return encoder_pb2_grpc.EncoderStub(client.channel).EncodeImage.future(request, timeout=timeout)


def test_eight_slow_files_hold_up_neither_texts_nor_health_nor_other_pictures(slow_serving):
    slow = send(slow_serving, [SLOW] * 8)
    wait_for(lambda: len(decoders()) >= 2)
    health = health_pb2_grpc.HealthStub(slow_serving.channel)
    for _ in range(3):
        assert (
            health.Check(health_pb2.HealthCheckRequest(), timeout=60).status == health_pb2.HealthCheckResponse.SERVING
        )
        assert len(slow_serving.encode_texts(["a cat"]).vectors()) == 1
        assert len(slow_serving.encode_images([png()]).vectors()) == 1
    assert not slow.done()
    slow.cancel()


def test_a_decode_whose_caller_is_gone_ends(slow_serving):
    gone, late = send(slow_serving, [SLOW] * 2), send(slow_serving, [SLOW] * 2, timeout=1)
    assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    gone.cancel()
    depth = {"model": "tiny", "kind": "image", "priority": "interactive"}
    wait_for(lambda: slow_serving.running.metric("sightline_encoder_queue_depth", **depth) == 0)

    def cpu() -> float:
        return sum(process.cpu_times().user for process in decoders())

    def is_idle() -> bool:
        before = cpu()
        time.sleep(0.3)
        return cpu() - before < 0.05

    wait_for(is_idle, "the decoders rest")


def test_a_file_that_takes_longer_than_it_may_fails_alone(serving, monkeypatch):
    monkeypatch.setattr(decoder_process, "QUICK_SECONDS", 0.2)
    with (
        serving(pictures=PictureSettings(max_seconds=0.5)) as running,
        EncoderClient(running.address, timeout_seconds=LONG_SECONDS) as client,
    ):
        slow, fine = client.encode_images([SLOW, png()]).results
    assert isinstance(slow, InvalidItem)
    assert "IMAGE_MAX_SECONDS" in slow.message
    assert isinstance(fine, np.ndarray)


def test_slow_files_in_bulk_are_answered_too(serving, monkeypatch):
    monkeypatch.setattr(decoder_process, "QUICK_SECONDS", 0.05)
    slow = slow_jpeg(2_000, 60)
    with serving() as running, EncoderClient(running.address, timeout_seconds=LONG_SECONDS) as client:
        assert len(client.encode_images([slow, png(), slow], priority=BULK).vectors()) == 3


@pytest.mark.parametrize(("width", "height"), [(65_536, 1), (1, 65_536), (20_000_000, 1)])
def test_raw_pixels_with_a_side_too_long_are_refused(serving, width, height):
    with serving() as running, EncoderClient(running.address) as client:
        [refused] = client.encode_images([RawPixels(np.zeros((height, width, 3), np.uint8))]).results
    assert isinstance(refused, InvalidItem)
    assert "a side may have 65,535" in refused.message


@pytest.mark.parametrize(("width", "height"), [(65_535, 1), (1, 65_535), (30_000, 800)])
def test_raw_pixels_of_any_other_shape_are_encoded(serving, width, height):
    with serving() as running, EncoderClient(running.address, timeout_seconds=LONG_SECONDS) as client:
        assert len(client.encode_images([RawPixels(np.zeros((height, width, 3), np.uint8))]).vectors()) == 1
