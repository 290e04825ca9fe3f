"""Each model is served as soon as it is ready."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from sightline.encoder.client import EncoderClient, FingerprintMismatch, InvalidRequest, Unavailable
from sightline_encoder import models
from sightline_encoder.bootstrap import Loaded, load_models
from sightline_encoder.errors import ModelError
from sightline_encoder.settings import EncoderSettings
from waiting import wait_for


@pytest.fixture
def changing(serving, make_model):
    """An encoder whose default model is still loading; `go` has it become ready."""
    old, new, go = make_model("old"), make_model("new", "e" * 64), threading.Event()

    def load(_):
        yield Loaded([old], "new", ["new"])
        assert go.wait(30)
        yield Loaded([new, old], "new")

    with serving(models=(old, new), warm=False, load=load) as running:
        warming = running.submit(running.service.warm())
        wait_for(lambda: running.metric("sightline_encoder_ready") == 1)
        with EncoderClient(running.address, timeout_seconds=1) as client:
            yield SimpleNamespace(client=client, old=old, go=go, warming=warming, address=running.address)
        go.set()


def test_what_is_ready_answers_while_another_model_loads(changing):
    client = changing.client
    assert [model.id for model in client.models()] == ["old"]
    assert client.encode_texts(["x"], model="old").model == "old"
    for ask in (
        client.default_model,
        lambda: client.encode_texts(["x"]),
        lambda: client.encode_texts(["x"], model="new"),
    ):
        with pytest.raises(Unavailable, match="'new' is still being loaded"):
            ask()
    with pytest.raises(InvalidRequest, match="'another' is not served here"):
        client.encode_texts(["x"], model="another")
    with pytest.raises(FingerprintMismatch):
        client.encode_texts(["x"], model="old", fingerprint="e" * 64)
    changing.go.set()
    changing.warming.result(30)
    assert [model.id for model in client.models()] == ["new", "old"]
    assert client.default_model().id == client.encode_texts(["x"]).model == "new"
    assert client.encode_texts(["x"], model="old").model == "old"


def test_a_call_that_is_under_way_is_finished_when_another_model_becomes_ready(changing):
    client, old = changing.client, changing.old
    old.gate.clear()
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(client.encode_texts(["x"], model="old", timeout_seconds=30))
    )
    asking.start()
    assert old.begun.acquire(timeout=30)
    changing.go.set()
    wait_for(lambda: [model.id for model in client.models()] == ["new", "old"])
    assert not answers
    old.gate.set()
    asking.join(30)
    assert answers[0].model == "old"
    changing.warming.result(30)


@pytest.fixture
def loading(monkeypatch, tmp_path):
    """Settings, and what `models.load` was called with; what is in `broken` cannot be loaded."""
    asked, broken = [], set()

    def load(model_id, settings, runtime, convert):
        asked.append(model_id)
        if model_id in broken:
            raise ModelError(f"{model_id} is broken")
        before = SimpleNamespace(id=f"{model_id}-before") if model_id == "embedded" else None
        described = {"fingerprint": "f" * 64, "runtime": "none", "device": "cpu"}
        return SimpleNamespace(id=model_id, before=before, warm_up=lambda count: None, **described)

    monkeypatch.setattr(models, "load", load)

    def stages(chosen):
        asked.clear()
        settings = EncoderSettings(models=chosen, cache_dir=tmp_path, device="cpu", runtime="openvino")
        return [([model.id for model in one.models], one.default, one.loading) for one in load_models(settings)]

    return SimpleNamespace(stages=stages, asked=asked, broken=broken)


def test_what_was_ready_before_comes_first(loading):
    assert loading.stages("a/one,embedded") == [
        (["embedded", "embedded-before"], "a/one", ["a/one"]),
        (["a/one", "embedded", "embedded-before"], "a/one", []),
    ]
    assert loading.asked == ["embedded", "a/one"]
    assert loading.stages("b/two,a/one")[0] == (["a/one"], "b/two", ["b/two"])
    assert loading.stages("b/two,a/one")[0] == (["b/two"], "b/two", ["a/one"])


def test_a_model_that_cannot_be_loaded_is_tried_again_while_another_one_is_served(loading, monkeypatch):
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 2:
            loading.broken.clear()

    monkeypatch.setattr("sightline_encoder.bootstrap.time.sleep", pause)
    loading.broken.add("a/one")
    stages = loading.stages("a/one,embedded,b/two")
    assert loading.asked == ["embedded", "a/one", "b/two", "a/one", "a/one", "a/one"]
    assert len(pauses) == 2
    assert [one[2] for one in stages] == [["a/one", "b/two"], ["a/one"], []]
    assert stages[-1][0][0] == stages[-1][1] == "a/one"


def test_a_model_that_cannot_be_loaded_was_never_ready(loading):
    loading.broken.add("a/one")
    with pytest.raises(ModelError, match="a/one is broken"):
        loading.stages("a/one")
    loading.broken.clear()
    assert loading.stages("a/one,b/two")[0][2] == ["b/two"]


def test_of_several_encoders_one_that_has_the_model_counts(changing, serving, make_model):
    another = (make_model("new", "e" * 64), make_model("old"))
    with serving(models=another) as running, EncoderClient([changing.address, running.address]) as both:
        # Whichever of them answers first.
        for _ in range(6):
            assert both.default_model().id == "new"
            assert [model.id for model in both.models()] == ["new", "old"]
            assert both.encode_texts(["x"], model="new", fingerprint="e" * 64).model == "new"
