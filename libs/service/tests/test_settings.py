"""A wrong setting stops a service with one line; logs are one line each."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from sightline_service import LogSettings, SettingsGroup, configure_logging, load_settings
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.metrics import serve_metrics
from sightline_service.queues import QueueSettings


class ExampleSettings(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")

    size: int = Field(default=3, ge=1)
    seconds: int = Field(default=120, ge=10)
    log: LogSettings = Field(default_factory=LogSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    encoder: EncoderClientSettings = Field(default_factory=EncoderClientSettings)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in ("EXAMPLE_SIZE", "EXAMPLE_SECONDS", "LOG_LEVEL", "REDIS_URL", "ENCODER_ADDRESSES"):
        monkeypatch.delenv(name, raising=False)


def test_defaults_and_values(monkeypatch):
    monkeypatch.setenv("EXAMPLE_SIZE", "5")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:1234/2")
    monkeypatch.setenv("ENCODER_ADDRESSES", "one:1, two:2")
    monkeypatch.setenv("EXAMPLE_SECONDS", "")
    settings = load_settings(ExampleSettings)
    assert settings.size == 5
    assert settings.queue.redis_url == "redis://elsewhere:1234/2"
    assert settings.seconds == 120
    assert settings.encoder.address_list == ["one:1", "two:2"]


def test_each_wrong_setting_is_one_line_that_names_it(monkeypatch, capsys):
    monkeypatch.setenv("LOG_LEVEL", "loud")
    monkeypatch.setenv("ENCODER_ADDRESSES", "nowhere")
    with pytest.raises(SystemExit) as caught:
        load_settings(ExampleSettings)
    assert caught.value.code == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "LOG_LEVEL=loud" in lines[0]
    assert "ENCODER_ADDRESSES=nowhere: 'nowhere' is not HOST:PORT" in lines[1]


def test_a_services_own_setting_is_named_with_its_prefix(monkeypatch, capsys):
    monkeypatch.setenv("EXAMPLE_SIZE", "0")
    with pytest.raises(SystemExit):
        load_settings(ExampleSettings)
    assert "EXAMPLE_SIZE=0" in capsys.readouterr().err


def test_settings_do_not_change_once_read():
    settings = load_settings(ExampleSettings)
    with pytest.raises(ValueError, match="frozen"):
        settings.size = 9


def test_logs_of_every_library_are_json_lines_that_name_the_service(capsys):
    configure_logging(LogSettings(level="info", format="json"), "example")
    structlog.get_logger("ours").info("indexed", count=3)
    logging.getLogger("theirs").warning("a %s", "warning")
    logging.getLogger("theirs").debug("unheard")
    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (ours["event"], ours["count"], ours["service"], ours["level"]) == ("indexed", 3, "example", "info")
    assert (theirs["event"], theirs["service"], theirs["level"]) == ("a warning", "example", "warning")


def test_port_0_means_no_metrics():
    assert serve_metrics("127.0.0.1", 0) is None


class SecretSettings(SettingsGroup):
    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")

    secret: SecretStr | None = Field(default=None, max_length=3)
    hidden: str = Field(default="", max_length=3, repr=False)
    url: str = Field(default="", max_length=3)


@pytest.mark.parametrize("name", ["EXAMPLE_SECRET", "EXAMPLE_HIDDEN"])
def test_a_wrong_secret_is_named_and_not_shown(monkeypatch, capsys, name):
    monkeypatch.setenv(name, "hush")
    with pytest.raises(SystemExit):
        load_settings(SecretSettings)
    [line] = capsys.readouterr().err.splitlines()
    assert name in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://id:hush@bucket/a", "s3://***@bucket/a"),
        ("s3://id:hush/a@b hu,sh@bucket", "s3://***@bucket"),
        ("http://one:6334,http://a:hush@two:6334", "http://***@two:6334"),
        ("s3://bucket/a?sv=1&sig=hush?hush", "s3://bucket/a?***"),
        ("file:///srv/pictures", "file:///srv/pictures"),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(monkeypatch, capsys, url, shown):
    monkeypatch.setenv("EXAMPLE_URL", url)
    with pytest.raises(SystemExit):
        load_settings(SecretSettings)
    assert capsys.readouterr().err.startswith(f"wrong setting: EXAMPLE_URL={shown}: ")
