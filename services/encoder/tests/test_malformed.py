"""Bytes that are no request: the client's mistake, and one line in the log."""

from __future__ import annotations

import logging

import grpc
import pytest
from sightline.encoder.v1 import encoder_pb2

SERVICE = "/sightline.encoder.v1.Encoder"
NOT_UTF8 = encoder_pb2.EncodeTextRequest(texts=["abc"]).SerializeToString().replace(b"abc", b"a\xffc")
UNARY = [f"{SERVICE}/EncodeText", f"{SERVICE}/EncodeImage", "/grpc.health.v1.Health/Check"]
STREAMS = [
    f"{SERVICE}/EncodeImageStream",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
]


@pytest.fixture
def channel(serving, caplog):
    with serving() as running, grpc.insecure_channel(running.address) as made:
        caplog.set_level(logging.INFO)
        yield made


def refused(call, caplog):
    with pytest.raises(grpc.RpcError) as refusal:
        call()
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "no request of" in refusal.value.details()
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.exc_info is None
    caplog.clear()


@pytest.mark.parametrize("data", [b"\xff", b"\x22\xff\xff\xff\xff\x7f", b"nonsense", b"\x0b" * 1000])
@pytest.mark.parametrize("method", UNARY)
def test_bytes_that_are_no_message(channel, caplog, method, data):
    refused(lambda: channel.unary_unary(method)(data, timeout=10), caplog)


@pytest.mark.parametrize("data", [b"\xff", b"\x22\xff\xff\xff\xff\x7f"])
@pytest.mark.parametrize("method", STREAMS)
def test_bytes_that_are_no_message_in_a_stream(channel, caplog, method, data):
    refused(lambda: list(channel.stream_stream(method)(iter([data]), timeout=10)), caplog)


def test_bytes_that_are_no_message_for_a_stream_of_answers(channel, caplog):
    refused(lambda: list(channel.unary_stream("/grpc.health.v1.Health/Watch")(b"\xff", timeout=10)), caplog)


def test_a_text_that_is_not_utf8(channel, caplog):
    refused(lambda: channel.unary_unary(f"{SERVICE}/EncodeText")(NOT_UTF8, timeout=10), caplog)


def test_what_is_asked_with_a_wrong_token_is_not_read(serving, caplog):
    with serving(token="x" * 20) as running, grpc.insecure_channel(running.address) as channel:
        with pytest.raises(grpc.RpcError) as refusal:
            channel.unary_unary(f"{SERVICE}/EncodeText")(b"\xff", timeout=10)
        assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_request_s_id_is_in_the_log(channel, capsys):
    request = encoder_pb2.EncodeTextRequest(texts=["x"]).SerializeToString()
    call = channel.unary_unary(f"{SERVICE}/EncodeText")
    call(request, timeout=10, metadata=(("x-request-id", "abc-1"),))
    call(request, timeout=10, metadata=(("x-request-id", 'not"valid'),))
    call(request, timeout=10)
    [line] = [line for line in capsys.readouterr().out.splitlines() if "[info" in line and " call " in line]
    assert "request_id=abc-1" in line
