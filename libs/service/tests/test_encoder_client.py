"""The client that the settings describe, against a real gRPC server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from sightline.encoder.client import Unavailable
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_service.encoder_client import EncoderClientSettings, open_encoder


class OneModel(encoder_pb2_grpc.EncoderServicer):
    def __init__(self):
        self.tokens = []

    def ListModels(self, request, context):
        self.tokens.append(dict(context.invocation_metadata()).get("authorization"))
        return encoder_pb2.ListModelsResponse(models=[encoder_pb2.Model(id="one")])


@pytest.fixture
def encoder():
    server = grpc.server(ThreadPoolExecutor(2))
    encoder = OneModel()
    encoder.port = server.add_insecure_port("127.0.0.1:0")
    encoder_pb2_grpc.add_EncoderServicer_to_server(encoder, server)
    server.start()
    yield encoder
    server.stop(0).wait(5)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("ENCODER_ADDRESSES", "ENCODER_TOKEN", "ENCODER_CA_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("token", "sent"), [(None, None), ("s3cret", "Bearer s3cret")])
def test_the_client_uses_the_addresses_of_the_settings(monkeypatch, encoder, token, sent):
    monkeypatch.setenv("ENCODER_ADDRESSES", f"127.0.0.1:{encoder.port}")
    if token is not None:
        monkeypatch.setenv("ENCODER_TOKEN", token)
    with open_encoder(EncoderClientSettings()) as client:
        assert [model.id for model in client.models()] == ["one"]
    assert encoder.tokens == [sent]


def test_an_encoder_that_does_not_answer_is_noticed_by_a_call(monkeypatch, encoder, tmp_path):
    monkeypatch.setenv("ENCODER_ADDRESSES", "127.0.0.1:1")
    with open_encoder(EncoderClientSettings()) as client, pytest.raises(Unavailable):
        client.models(timeout_seconds=0.2)
    # One that serves no TLS is not spoken to where an authority is named.
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    monkeypatch.setenv("ENCODER_ADDRESSES", f"127.0.0.1:{encoder.port}")
    monkeypatch.setenv("ENCODER_CA_FILE", str(authority))
    with open_encoder(EncoderClientSettings()) as client, pytest.raises(Unavailable):
        client.models(timeout_seconds=0.2)
    assert encoder.tokens == []
