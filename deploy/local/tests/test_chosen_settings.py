"""What of the environment and of `.env` reaches a run without Docker, and what is said of the rest."""

from __future__ import annotations

import pytest
from sightline_local.chosen_settings import read_chosen_settings
from sightline_local.stack import ROOT, Stack, choose_ports


@pytest.fixture
def env_file(tmp_path):
    path = tmp_path / ".env"
    path.write_text(
        "# as people write it\nENCODER_MODELS='ViT-B-32/openai'\nexport GATEWAY_API_KEYS=secret\nBUCKET_EXCLUDE=\n"
        "LOG_LEVEL=debug\nPICTURES_DIR=/srv/pictures\n"
    )
    return path


def test_settings_of_a_file_count_and_the_environment_goes_before_it(env_file, tmp_path):
    chosen = read_chosen_settings({"LOG_LEVEL": "error", "PATH": "/bin", "AWS_REGION": "x"}, env_file, tmp_path)
    assert chosen.values == {
        "ENCODER_MODELS": "ViT-B-32/openai",
        "GATEWAY_API_KEYS": "secret",
        "LOG_LEVEL": "error",
    }
    assert chosen.notes == []
    assert read_chosen_settings({}, tmp_path / "none", tmp_path).values == {}


def test_what_is_not_used_is_named(env_file, tmp_path):
    env_file.write_text("GATEWAY_PORT=9000\nBUCKET_URL=file:///srv/pictures\nENCODER_MODLES=x\nREDIS_PASSWORD=secret\n")
    chosen = read_chosen_settings({"THUMBNAIL_URL": "file:///elsewhere"}, env_file, tmp_path)
    assert chosen.values == {}
    own, unknown = chosen.notes
    assert own.endswith("BUCKET_URL, GATEWAY_PORT, REDIS_PASSWORD, THUMBNAIL_URL")
    assert ".env" in unknown
    assert "ENCODER_MODLES" in unknown
    assert "secret" not in own + unknown


def test_what_models_are_fetched_by_reaches_the_encoder_alone(env_file, tmp_path):
    env_file.write_text("HF_TOKEN=of the file\n")
    chosen = read_chosen_settings({"HTTPS_PROXY": "http://proxy", "HF_ENDPOINT": "https://hub"}, env_file, tmp_path)
    wanted = {"HF_TOKEN": "of the file", "HTTPS_PROXY": "http://proxy", "HF_ENDPOINT": "https://hub"}
    assert chosen.fetching == wanted
    assert chosen.notes == []
    stack = Stack(tmp_path, tmp_path / "state", tmp_path / "models", choose_ports(), fetching=chosen.fetching)
    for service in stack.services():
        found = {name: service.environment[name] for name in wanted if name in service.environment}
        assert found == (wanted if service.name == "encoder" else {})


def test_a_copy_of_the_example_changes_nothing(tmp_path):
    chosen = read_chosen_settings({}, ROOT / ".env.example", tmp_path)
    assert (chosen.values, chosen.fetching, chosen.notes) == ({}, {}, [])


def test_a_qdrant_elsewhere_comes_with_its_settings(env_file, tmp_path):
    env_file.write_text("QDRANT_URL=https://q:6334\nQDRANT_API_KEY=key\n")
    chosen = read_chosen_settings({}, env_file, tmp_path)
    assert chosen.values["QDRANT_URL"] == "https://q:6334"
    assert chosen.values["QDRANT_API_KEY"] == "key"
    assert chosen.notes == []
