""".env.example names every setting of every service, with its default."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sightline_encoder.settings import EncoderSettings
from sightline_ingest_worker.settings import WatcherSettings, WorkerSettings
from sightline_local.stack import ROOT
from sightline_qdrant_edge.settings import EdgeSettings
from sightline_search_gateway.settings import Settings as GatewaySettings
from sightline_service.settings import SettingsGroup, groups, variable_name

SERVICES = (EncoderSettings, WorkerSettings, WatcherSettings, GatewaySettings, EdgeSettings)
LINE = re.compile(r"^#?([A-Z][A-Z0-9_]+)=(.*)$")
NO_DEFAULT = {"BUCKET_URL", "THUMBNAIL_URL"}
"""What everyone has to say; the file shows an example."""


def written() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {match[1]: match[2] for line in lines if (match := LINE.match(line))}


def settings(cls: type[SettingsGroup]) -> Iterator[tuple[str, FieldInfo]]:
    nested = groups(cls)
    for field, info in cls.model_fields.items():
        if field in nested:
            yield from settings(nested[field])
        else:
            yield variable_name(cls, field), info


def every_setting() -> dict[str, FieldInfo]:
    return {name: info for cls in SERVICES for name, info in settings(cls)}


def test_every_setting_is_there_and_nothing_else():
    assert set(written()) == set(every_setting())


@pytest.mark.parametrize("name", sorted(set(every_setting()) - NO_DEFAULT))
def test_the_default_is_right(name):
    default = every_setting()[name].default
    if default is PydanticUndefined or default is None:
        return
    expected = str(default).lower() if isinstance(default, bool) else str(default)
    shown = written()[name]
    assert shown == expected or float(shown) == float(expected)
