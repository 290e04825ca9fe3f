"""The dashboard, the alerts and the documents name only metrics that the services export, and name all of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry
from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.settings import EncoderSettings
from sightline_ingest_worker.settings import WatcherSettings, WorkerSettings
from sightline_ingest_worker.watcher import metrics as watcher_metrics
from sightline_ingest_worker.worker import metrics as worker_metrics
from sightline_local.stack import ROOT
from sightline_qdrant_edge import metrics as edge_metrics
from sightline_search_gateway.http.telemetry import Telemetry
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.maps.worker import metrics as map_metrics
from sightline_search_gateway.settings import GatewaySettings
from sightline_service.disk_metrics import DiskCollector
from sightline_service.disk_space import Disk
from sightline_service.process_metrics import ProcessTreeCollector

FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "grafana" / "dashboards" / "sightline.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
OVERLAY = yaml.safe_load((ROOT / "deploy" / "monitoring.yml").read_text(encoding="utf-8"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]

SELECTOR = re.compile(r"\b((?:sightline|process)_[a-z0-9_]+)(?:\{([^}]*)\})?")
LABEL = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
REGISTERING = (worker_metrics, watcher_metrics, map_metrics, edge_metrics)
"""Importing these puts their metrics into the registry that everybody shares."""
OF_PROMETHEUS = {"job", "instance", "le"}
"""Labels that no service sets itself."""
PROMTOOL = shutil.which("promtool")


def exported() -> dict[str, tuple[str, frozenset[str]]]:
    """Return type and labels of what the services export, by its name in the exposition, without a suffix."""
    own, gateway, family = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    EncoderMetrics(own)
    Telemetry(gateway)
    family.register(ProcessTreeCollector(os.getpid()))
    family.register(DiskCollector(Disk("database", ROOT, 512)))
    found = {}
    for registry in (REGISTRY, own, gateway, family):
        for metric in registry.collect():
            if metric.name.startswith(("sightline_", "process_")):
                name = metric.name + ("_total" if metric.type == "counter" else "")
                collector = registry._names_to_collectors.get(metric.name)
                # One that has samples alone has not told its names.
                labels = getattr(collector, "_labelnames", ()) if collector else metric.samples[0].labels
                found[name] = (metric.type, frozenset(labels))
    return found


EXPORTED = exported()


def base_name(series: str) -> str:
    """Return the metric that a series of the exposition belongs to."""
    for suffix in ("_bucket", "_sum", "_count"):
        name = series.removesuffix(suffix)
        if name != series and EXPORTED.get(name, ("",))[0] == "histogram":
            return name
    return series


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"panel {panel['title']!r}, {target['refId']}", target["expr"]
    for rule in RULES:
        yield f"alert {rule['alert']}", rule["expr"]


EXPRESSIONS = dict(expressions())


def test_the_services_export_something():
    assert len([name for name in EXPORTED if name.startswith("sightline_")]) > 25
    assert EXPORTED["sightline_gateway_request_seconds"] == ("histogram", frozenset(("method", "route", "status")))


@pytest.mark.parametrize("place", EXPRESSIONS)
def test_an_expression_asks_for_metrics_and_labels_that_there_are(place):
    expression = EXPRESSIONS[place]
    labels = set(OF_PROMETHEUS)
    for series, where in SELECTOR.findall(expression):
        name = base_name(series)
        assert name in EXPORTED
        kind, own = EXPORTED[name]
        # A histogram's own name is no series.
        assert (kind == "histogram") == (name != series)
        assert {label for label, _ in LABEL.findall(where)} <= own | OF_PROMETHEUS
        labels |= own
    for group in GROUPED.findall(expression):
        assert {label.strip() for label in group.split(",")} <= labels


def test_routes_that_are_asked_for_are_the_gateways():
    document = json.loads((ROOT / "services/search-gateway/openapi.json").read_text(encoding="utf-8"))
    wanted = {
        value for expression in EXPRESSIONS.values() for label, value in LABEL.findall(expression) if label == "route"
    }
    assert wanted
    for pattern in wanted:
        matched = {route for route in document["paths"] if re.fullmatch(pattern, route)}
        assert matched == {"/api/v1/search", "/api/v1/images/{image_id}/similar"}


def test_every_metric_is_drawn_or_alerts():
    asked = {base_name(series) for expression in EXPRESSIONS.values() for series, _ in SELECTOR.findall(expression)}
    assert {name for name in EXPORTED if name.startswith("sightline_")} - asked == set()


def documented() -> dict[str, tuple[str, frozenset[str]]]:
    section = OPERATIONS.split("\n## Metrics\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `((?:sightline|process)_[a-z_]+)` \| (\w+) \|([^|]*)\|", section, re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`([a-z_]+)`", labels))) for name, kind, labels in rows}


def test_the_table_of_metrics_is_complete_and_right():
    own = {name: of for name, of in EXPORTED.items() if name.startswith("sightline_")}
    family = {metric.name for metric in ProcessTreeCollector(os.getpid()).collect()}
    shared = {name: of for name, of in EXPORTED.items() if name.removesuffix("_total") in family}
    assert documented() == own | shared


@pytest.mark.parametrize(
    "document", ["docs/operations.md", *(f"services/{name}/README.md" for name in os.listdir(ROOT / "services"))]
)
def test_documents_name_metrics_that_there_are(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    named = set(re.findall(r"`(sightline_(?:encoder|ingest|watcher|database|gateway|maps|edge)_[a-z_]+)[`{]", text))
    assert named <= set(EXPORTED)


def test_the_documents_list_of_alerts_is_the_rules():
    section = OPERATIONS.split("\n### Monitoring\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `([A-Za-z]+)` \|", section, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_an_alert_says_what_is_wrong_and_what_to_do():
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_every_alert_has_a_test():
    tests = (FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
    assert {rule["alert"] for rule in RULES} <= set(re.findall(r"alertname(?:: |=\")(\w+)", tests))


def test_the_ports_that_are_read_are_the_services():
    edge = yaml.load((ROOT / "deploy" / "edge.yml").read_text(encoding="utf-8"), IgnoringTags)
    read = {}
    for job in CONFIG["scrape_configs"]:
        for lookup in job.get("dns_sd_configs", ()):
            assert lookup["type"] == "A"
            assert all(name.startswith(job["job_name"]) for name in lookup["names"])
            read[job["job_name"]] = lookup["port"]
    assert read == {
        "encoder": EncoderSettings.model_fields["metrics_port"].default,
        "ingest-worker": WorkerSettings.model_fields["metrics_port"].default,
        "watcher": WatcherSettings.model_fields["metrics_port"].default,
        "map-worker": MapSettings.model_fields["metrics_port"].default,
        "search-gateway": GatewaySettings.model_fields["port"].default,
        "qdrant": edge["services"]["qdrant"]["environment"]["EDGE_METRICS_PORT"],
    }


class IgnoringTags(yaml.SafeLoader):
    """Reads Compose's `!override`, too."""


IgnoringTags.add_constructor(
    "!override",
    lambda loader, node: (
        loader.construct_mapping(node) if isinstance(node, yaml.MappingNode) else loader.construct_sequence(node)
    ),
)


def test_what_the_overlay_mounts_is_there():
    mounts = [mount for service in OVERLAY["services"].values() for mount in service["volumes"]]
    sources = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert len(sources) == 5
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_only_grafana_is_published_and_only_to_this_machine():
    assert "ports" not in OVERLAY["services"]["prometheus"]
    assert all(port.startswith("127.0.0.1:") for port in OVERLAY["services"]["grafana"]["ports"])


def test_panels_are_told_apart_and_do_not_overlap():
    everything = DASHBOARD["panels"]
    assert len({panel["id"] for panel in everything}) == len(everything)
    taken: set[tuple[int, int]] = set()
    for panel in everything:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
    titles = [panel["title"] for panel in everything]
    assert len(set(titles)) == len(titles)


def test_panels_ask_the_source_that_is_provisioned():
    path = FOLDER / "grafana" / "datasources.yml"
    [source] = yaml.safe_load(path.read_text(encoding="utf-8"))["datasources"]
    wanted = {"type": source["type"], "uid": source["uid"]}
    for panel in PANELS:
        assert panel["datasource"] == wanted
        assert all(target["datasource"] == wanted for target in panel["targets"])
        assert panel["description"]
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert all(target["legendFormat"] for target in panel["targets"])


@pytest.fixture
def promtool():
    if PROMTOOL is None:
        message = "promtool is not on the path: install Debian's package prometheus (--no-install-recommends)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)

    def run(*arguments: str) -> None:
        done = subprocess.run([PROMTOOL, *arguments], cwd=FOLDER, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_prometheus_takes_its_configuration(promtool):
    # The file of the key is written when the container starts.
    promtool("check", "config", "--syntax-only", "prometheus.yml")
    promtool("check", "rules", "alerts.yml")


def test_the_alerts_fire_when_they_should(promtool):
    promtool("test", "rules", "alerts_test.yml")


def test_prometheus_can_read_every_expression(promtool, tmp_path):
    rules = [
        {"record": f"expression:{number}", "expr": expression.replace("$__rate_interval", "1m")}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]
    path = tmp_path / "expressions.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", "--lint=none", str(path))
