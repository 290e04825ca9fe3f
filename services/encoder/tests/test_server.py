"""What surrounds the calls: health, reflection, token, TLS, draining, metrics, the process itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from pydantic import SecretStr
from sightline.encoder.client import EncoderClient, EncoderError
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline_encoder import server
from sightline_local.stack import free_port
from waiting import wait_for

SERVICE = "sightline.encoder.v1.Encoder"
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel, service=SERVICE):
    request = health_pb2.HealthCheckRequest(service=service)
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=10).status


def test_not_serving_until_warm(serving):
    with serving(warm=False) as running, grpc.insecure_channel(running.address) as channel:
        assert health(channel) == health(channel, "") == NOT_SERVING
        stub, request = encoder_pb2_grpc.EncoderStub(channel), encoder_pb2.EncodeTextRequest(texts=["x"])
        for call in (
            lambda: stub.EncodeText(request, timeout=10),
            lambda: stub.ListModels(encoder_pb2.ListModelsRequest(), timeout=10),
        ):
            with pytest.raises(grpc.RpcError, match="loading") as refusal:
                call()
            assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        running.warm()
        assert health(channel) == health(channel, "") == SERVING
        assert len(stub.EncodeText(request, timeout=10).results) == 1
        assert running.metric("sightline_encoder_ready") == 1


def test_stopping_finishes_what_is_under_way_and_takes_nothing_new(serving, tiny):
    with serving() as running, grpc.insecure_channel(running.address) as channel:
        stub = encoder_pb2_grpc.EncoderStub(channel)
        request = encoder_pb2.EncodeTextRequest(texts=["x"])
        tiny.gate.clear()
        held = stub.EncodeText.future(request, timeout=20)
        assert tiny.begun.acquire(timeout=10)
        stopped = running.stop()
        wait_for(lambda: health(channel) == NOT_SERVING)
        with pytest.raises(grpc.RpcError) as refusal:
            stub.EncodeText(request, timeout=10)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "stopping" in refusal.value.details()
        assert not stopped.done()
        tiny.gate.set()
        assert len(held.result().results) == 1
        stopped.result(10)
        with pytest.raises(grpc.RpcError):
            health(channel)


def test_a_client_connects_anew_after_a_while_and_notices_nothing(serving, tiny, monkeypatch):
    monkeypatch.setattr(server, "CONNECTION_AGE_MS", 100)
    with serving() as running, grpc.insecure_channel(running.address) as channel:
        states = []
        channel.subscribe(states.append)
        stub = encoder_pb2_grpc.EncoderStub(channel)
        request = encoder_pb2.EncodeTextRequest(texts=["x"])
        tiny.gate.clear()
        held = stub.EncodeText.future(request, timeout=20)
        assert tiny.begun.acquire(timeout=10)
        while states.count(grpc.ChannelConnectivity.IDLE) < 2:
            assert health(channel) == SERVING
        tiny.gate.set()
        assert len(held.result().results) == 1
        assert len(stub.EncodeText(request, timeout=10).results) == 1


def test_a_watcher_of_health_hears_of_the_end(serving):
    with serving() as running, grpc.insecure_channel(running.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=20)
        assert next(watch).status == SERVING
        running.stop()
        assert next(watch).status == NOT_SERVING


def test_a_stream_is_ended_as_unavailable_while_draining(serving, tiny):
    with serving() as running, grpc.insecure_channel(running.address) as channel:
        raw = encoder_pb2.RawImage(rgb=b"\1" * 48, width=4, height=4, preprocessed=True)
        request = encoder_pb2.EncodeImageRequest(images=[encoder_pb2.Image(raw=raw)])
        tiny.gate.clear()
        answers = encoder_pb2_grpc.EncoderStub(channel).EncodeImageStream(
            _then_stop(request, running, tiny), timeout=20
        )
        assert len(next(answers).results) == 1
        with pytest.raises(grpc.RpcError) as ended:
            next(answers)
        assert ended.value.code() is grpc.StatusCode.UNAVAILABLE


def _then_stop(request, running, tiny):
    yield request
    assert tiny.begun.acquire(timeout=10)
    running.stop()
    while not running.service.server._servicer.draining:
        pass
    tiny.gate.set()
    yield request


def test_a_client_without_our_package_embeds_a_text_by_reflection_alone(serving):
    # In a process of its own, which shows that nothing of ours is imported.
    with serving() as running:
        result = subprocess.run(
            [sys.executable, "-c", REFLECTION_CLIENT, running.address], capture_output=True, text=True, timeout=60
        )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["tiny", "3", "4.0"]


REFLECTION_CLIENT = """
import sys
import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

channel = grpc.insecure_channel(sys.argv[1])
database = ProtoReflectionDescriptorDatabase(channel)
[name] = [name for name in database.get_services() if name.endswith(".Encoder")]
method = DescriptorPool(database).FindServiceByName(name).methods_by_name["EncodeText"]
request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
call = channel.unary_unary(
    f"/{name}/EncodeText", request_serializer=request.SerializeToString, response_deserializer=response.FromString
)
answer = call(request(texts=["four"]), timeout=10)
values = answer.results[0].vector.values
print(answer.model, len(values), round(values[0] / values[1], 3))
assert not any(module.startswith("sightline") for module in sys.modules)
"""


def test_a_token_is_wanted_everywhere_but_for_health(serving):
    with serving(token=SecretStr("s3cret")) as running:
        with EncoderClient(running.address, token="s3cret") as client:
            assert len(client.encode_texts(["x"]).vectors()) == 1
            assert len(list(client.encode_image_stream([[b"x"]]))) == 1
        for token in (None, "wrong", ""):
            with EncoderClient(running.address, token=token) as client:
                for call in (
                    lambda client=client: client.models(),
                    lambda client=client: client.encode_texts(["x"]),
                    lambda client=client: list(client.encode_image_stream([[b"x"]])),
                ):
                    with pytest.raises(EncoderError, match="ENCODER_TOKEN") as refusal:
                        call()
                    assert refusal.value.code is grpc.StatusCode.UNAUTHENTICATED
        with grpc.insecure_channel(running.address) as channel:
            assert health(channel) == SERVING
            reflect = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            with pytest.raises(grpc.RpcError) as refusal:
                next(reflect(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=10))
            assert refusal.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_tls(serving, tmp_path, certificate):
    certificate_file, key_file = certificate
    with serving(tls_cert_file=certificate_file, tls_key_file=key_file) as running:
        address = running.address.replace("127.0.0.1", "localhost")
        with EncoderClient(address, ca_file=certificate_file) as client:
            assert len(client.encode_texts(["x"]).vectors()) == 1
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as refusal:
            encoder_pb2_grpc.EncoderStub(channel).EncodeText(encoder_pb2.EncodeTextRequest(texts=["x"]), timeout=20)
        assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate for localhost that is its own authority."""
    files = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        [
            *["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
            *["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            *["-out", files[0], "-keyout", files[1]],
        ],
        check=True,
        capture_output=True,
    )
    return files


def test_metrics_are_served_on_their_own_port(serving):
    port = free_port()
    with serving(metrics_port=port) as running:
        with EncoderClient(running.address) as client:
            client.encode_texts(["x", "y"])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    assert 'sightline_encoder_items_total{kind="text",model="tiny",outcome="ok"} 2.0' in lines
    # What nobody sent is there as zero, so that "nothing was encoded" can be read.
    assert 'sightline_encoder_items_total{kind="image",model="tiny",outcome="ok"} 0.0' in lines
    assert 'sightline_encoder_refused_total{kind="text",model="tiny",priority="interactive"} 0.0' in lines


def test_a_port_that_is_taken_is_named(serving, tiny):
    with serving() as running:
        port = running.service.server.port
        with pytest.raises(Exception, match=f"cannot listen on 127.0.0.1:{port}"), serving(port=port):
            pass


def run(arguments=(), **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "sightline_encoder", *arguments],
        env={**os.environ, "ENCODER_PORT": "0", "ENCODER_METRICS_PORT": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_help_says_where_the_settings_are():
    process = run(["--help"])
    assert "README.md" in process.communicate(timeout=60)[0]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"ENCODER_PORT": "70000"}, "ENCODER_PORT=70000"),
        ({"ENCODER_MODELS": "embedded,,x"}, "ENCODER_MODELS=embedded,,x"),
        ({"ENCODER_MODELS": "embedded,embedded"}, "listed once"),
        ({"ENCODER_QUEUE_SIZE": "1"}, "ENCODER_QUEUE_SIZE=1"),
        ({"ENCODER_TLS_CERT_FILE": "/nowhere"}, "ENCODER_TLS_CERT_FILE=/nowhere: no such file"),
        ({"ENCODER_TLS_CERT_FILE": __file__}, "set together"),
        ({"ENCODER_DEVICE": "tpu"}, "ENCODER_DEVICE=tpu"),
        ({"ENCODER_MODELS": "nonsense"}, "model 'nonsense'"),
    ],
)
def test_a_wrong_setting_stops_it_with_one_line(environment, says):
    process = run(**environment)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert says in errors
    assert "Traceback" not in errors


def test_sigterm_while_it_loads_ends_it_with_0(tmp_path):
    # An empty cache: to embed the names of a thousand classes takes longer than to stop.
    process = run(ENCODER_CACHE_DIR=str(tmp_path))
    for line in process.stderr:
        if "embedding the names" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
