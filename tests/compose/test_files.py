"""docker-compose.yml under each overlay and combination that docs/operations.md names. Needs Compose, but no engine."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from engine import ROOT

OVERLAYS = sorted(path.stem for path in (ROOT / "deploy").glob("*.yml"))
COMBINATIONS = [
    [],
    *([overlay] for overlay in OVERLAYS),
    *(["edge", "s3"], ["edge", "monitoring"], ["edge", "s3", "monitoring"]),
    *(["embedded", "s3"], ["embedded", "cluster"], ["edge", "remote-bucket"]),
    *(["gpu", "s3"], ["gpu", "cluster"], ["gpu", "s3", "cluster", "monitoring"]),
]
TRIES = re.compile(r"-f deploy/([a-z0-9-]+)\.yml")
NEEDED = {
    "external-qdrant": {"QDRANT_URL": "https://qdrant.example:6334"},
    "s3": {"AWS_SECRET_ACCESS_KEY": "of-the-store"},
    "monitoring": {"GRAFANA_PASSWORD": "of-grafana"},
}
"""What has to be set for an overlay."""


def configured(overlays: list[str], **settings: str) -> dict:
    files = ["docker-compose.yml", *(f"deploy/{overlay}.yml" for overlay in overlays)]
    options = [part for file in files for part in ("--file", file)]
    done = subprocess.run(
        ["docker", "compose", "--env-file", os.devnull, "--profile", "demo", *options, "config", "--format", "json"],
        cwd=ROOT,
        env=os.environ | {name: value for each in overlays for name, value in NEEDED.get(each, {}).items()} | settings,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr.upper(), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_the_files_are_valid_and_every_service_is_fenced_in(overlays):
    services = configured(overlays)["services"]
    assert len(services) >= 8
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert 0 < service["deploy"]["resources"]["limits"]["pids"] <= 1024, name
        assert {port["host_ip"] for port in service.get("ports", [])} <= {"127.0.0.1"}, name
        if name != "samples":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name
            assert "stop_grace_period" in service, name


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_every_combination_is_documented(overlays):
    documented = [
        TRIES.findall(line) for line in (ROOT / "docs/operations.md").read_text(encoding="utf-8").splitlines()
    ]
    assert not overlays or overlays in documented


def test_three_qdrant_nodes_answer_to_the_name_that_the_services_ask_for():
    services = configured(["cluster"])["services"]
    nodes = [name for name, service in services.items() if service["image"].startswith("qdrant/qdrant:")]
    assert sorted(nodes) == ["qdrant", "qdrant-2", "qdrant-3"]
    stored = {services[node]["volumes"][0]["source"] for node in nodes}
    assert len(stored) == 3
    for node in nodes:
        assert services[node]["networks"] == {"data": {"aliases": ["qdrant-cluster"]}}
        assert services[node]["environment"]["QDRANT__CLUSTER__ENABLED"] == "true"
        assert f"--uri http://{node}:6335" in " ".join(services[node]["command"])
    for name in ("ingest-worker", "watcher", "search-gateway"):
        assert services[name]["environment"]["QDRANT_URL"] == "http://qdrant-cluster:6334"
        assert int(services[name]["environment"]["QDRANT_REPLICATION_FACTOR"]) > 1


def test_a_qdrant_elsewhere_is_reached_by_its_own_certificate_and_none_is_started():
    without = configured(["external-qdrant"])["services"]
    services = configured(["external-qdrant"], QDRANT_CA_FILE="/etc/my/ca.pem")["services"]
    assert "qdrant" not in services
    for name in READERS + WRITERS:
        assert services[name]["environment"]["QDRANT_URL"] == "https://qdrant.example:6334"
        inside = services[name]["environment"]["QDRANT_CA_FILE"]
        [source] = [each["source"] for each in services[name]["volumes"] if each["target"] == inside]
        assert source == "/etc/my/ca.pem"
        assert not without[name]["environment"]["QDRANT_CA_FILE"]
        assert not services[name]["depends_on"].get("qdrant", {}).get("required")
    with pytest.raises(AssertionError, match="QDRANT_URL is missing a value: set it to the address of your Qdrant"):
        configured(["external-qdrant"], QDRANT_URL="")


READERS = ("search-gateway", "map-worker")
WRITERS = ("ingest-worker", "watcher")


@pytest.mark.parametrize("overlays", [[], ["cluster"]], ids="+".join)
@pytest.mark.parametrize(
    "settings", [{}, {"QDRANT_API_KEY": "", "QDRANT_READ_ONLY_API_KEY": ""}], ids=["unset", "empty"]
)
def test_a_server_gets_no_empty_key(overlays, settings):
    services = configured(overlays, **settings)["services"]
    for name, service in services.items():
        if name.startswith("qdrant"):
            assert not [each for each in service["environment"] if each.startswith("QDRANT__SERVICE__")], name
            assert service["environment"]["QDRANT__TELEMETRY_DISABLED"] == "true"
    for name in READERS + WRITERS:
        assert not services[name]["environment"]["QDRANT_API_KEY"]


@pytest.mark.parametrize("overlays", [[], ["cluster"], ["edge"]], ids="+".join)
def test_every_server_gets_both_keys_and_every_client_one(overlays):
    both = {"QDRANT_API_KEY": "a=b:c", "QDRANT_READ_ONLY_API_KEY": "d$e"}
    services = configured(overlays, **both)["services"]
    prefix = "QDRANT_" if "edge" in overlays else "QDRANT__SERVICE__"
    for name, service in services.items():
        if name.startswith("qdrant"):
            given = service["environment"]
            # A dollar sign is written twice in what Compose prints.
            assert (given[f"{prefix}API_KEY"], given[f"{prefix}READ_ONLY_API_KEY"]) == ("a=b:c", "d$$e")
    for names, key in ((WRITERS, "a=b:c"), (READERS, "d$$e")):
        for name in names:
            environment = services[name]["environment"]
            assert {
                each: value for each, value in environment.items() if each.startswith("QDRANT") and "KEY" in each
            } == {"QDRANT_API_KEY": key}
    alone = configured(overlays, QDRANT_API_KEY="a")["services"]
    assert {alone[name]["environment"]["QDRANT_API_KEY"] for name in READERS + WRITERS} == {"a"}


def test_the_gpu_is_reserved_for_the_encoder_alone():
    services = configured(["gpu"])["services"]
    reserving = {name for name, service in services.items() if "reservations" in service["deploy"]["resources"]}
    assert reserving == {"encoder"}
    [device] = services["encoder"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert services["encoder"]["environment"]["ENCODER_PRECISION"] == "bf16"


def sharing(services: dict, network: str) -> set[str]:
    return {name for name, service in services.items() if network in service["networks"]}


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_the_pages_container_shares_a_network_with_the_gateway_alone(overlays):
    services = configured(overlays)["services"]
    assert set(services["web"]["networks"]) == {"front", "page"}
    assert sharing(services, "front") == {"web", "search-gateway"}
    assert sharing(services, "page") == {"web"}


@pytest.mark.parametrize("overlays", COMBINATIONS, ids="+".join)
def test_only_who_needs_it_has_a_way_out(overlays):
    project = configured(overlays)
    services, networks = project["services"], project["networks"]
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    closed = {
        name
        for name, network in networks.items()
        if network.get("internal") or network.get("driver_opts", {}).get(masquerade) == "false"
    }
    out = {name for name, service in services.items() if set(service["networks"]) - closed}
    readers = {"search-gateway", "ingest-worker", "watcher"}
    assert out == {
        *(["encoder"] if not {"edge", "embedded"} & set(overlays) else []),
        *(readers | {"samples"} if "remote-bucket" in overlays else []),
        *(readers | {"map-worker"} if "external-qdrant" in overlays else []),
    }
    # A port needs a network that is not internal, and nobody else has one.
    for name, service in services.items():
        published = {network for network in service["networks"] if not networks[network].get("internal")}
        assert bool(published) == (bool(service.get("ports")) or name in out), name
    nodes = {name for name in services if name.startswith(("qdrant", "redis"))}
    assert all(set(services[name]["networks"]) == {"data"} for name in nodes)
    clients = {*readers, "map-worker", *(["prometheus"] if "monitoring" in overlays else [])}
    assert sharing(services, "data") == nodes | clients
    assert networks["data"]["internal"]


@pytest.mark.parametrize(("overlay", "name"), [("s3", "AWS_SECRET_ACCESS_KEY"), ("monitoring", "GRAFANA_PASSWORD")])
def test_no_overlay_has_a_secret_of_its_own(overlay, name):
    with pytest.raises(AssertionError, match=f"{name} is missing a value: put {name}=.* into .env"):
        configured([overlay], **{name: ""})


@pytest.mark.parametrize("password", ["", "a$b c"])
def test_redis_and_who_uses_it_get_one_password_and_no_address_has_it(password):
    services = configured([], REDIS_PASSWORD=password)["services"]
    for name in ("redis", *READERS, *WRITERS):
        # A dollar sign is written twice in what Compose prints.
        assert services[name]["environment"]["REDIS_PASSWORD"] == password.replace("$", "$$")
    assert {services[name]["environment"]["REDIS_URL"] for name in READERS + WRITERS} == {"redis://redis:6379/0"}
    assert password not in str(services["redis"]["healthcheck"]) or not password
