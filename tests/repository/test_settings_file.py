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
from sightline_search_gateway.maps.worker import MapWorkerSettings
from sightline_search_gateway.settings import Settings as GatewaySettings
from sightline_service.settings import SettingsGroup, groups, variable_name

SERVICES = (EncoderSettings, WorkerSettings, WatcherSettings, GatewaySettings, MapWorkerSettings, EdgeSettings)
LINE = re.compile(r"^#?([A-Z][A-Z0-9_]+)=(.*)$")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
OVERLAYS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "deploy").glob("*.yml")))
COMPOSE_ALONE = "--- Docker Compose alone"
"""The heading of what only docker-compose.yml and its overlays read."""
OF_THE_PLACE = {
    *("ENCODER_CACHE_DIR", "ENCODER_METRICS_PORT", "WORKER_METRICS_PORT", "WATCHER_METRICS_PORT", "WORKER_NAME"),
    *("ENCODER_TLS_CERT_FILE", "ENCODER_TLS_KEY_FILE", "GATEWAY_PAGE_DIR", "GATEWAY_DOCS_DIR"),
    *("MAPS_METRICS_PORT", "MAPS_NAME"),
}
"""What the images decide."""
NO_DEFAULT = {"BUCKET_URL", "THUMBNAIL_URL"}
"""What everyone has to say; the file shows an example."""


def written(compose_alone: bool = False) -> dict[str, str]:
    parts = (ROOT / ".env.example").read_text(encoding="utf-8").split(COMPOSE_ALONE)
    return {match[1]: match[2] for line in parts[compose_alone].splitlines() if (match := LINE.match(line))}


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


def test_containers_get_every_setting_but_those_of_the_place():
    passed = set(re.findall(r"^ +([A-Z][A-Z0-9_]+):", COMPOSE, re.MULTILINE)) | set(
        re.findall(r"\$\{([A-Z_]+)", COMPOSE)
    )
    assert {name for name in every_setting() if not name.startswith("EDGE_")} - passed == OF_THE_PLACE


def test_what_compose_reads_is_written_with_its_default():
    default = r"\$\{([A-Z0-9_]+):-([^}]*)\}"
    # An overlay may have a default of its own for a setting of docker-compose.yml.
    read = dict(re.findall(default, OVERLAYS)) | dict(re.findall(default, COMPOSE))
    alone = written(compose_alone=True)
    assert set(alone) == set(read) - set(written())
    assert alone == {name: read[name] for name in alone}
