"""deploy/k8s is accepted by Kubernetes, hangs together, and is the system that docker-compose.yml describes.

The base is checked everywhere, the rest where kubectl or kustomize is on the path.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
from manifests import (
    COMPONENTS,
    KUSTOMIZE,
    MANIFESTS,
    NAME,
    NAME_SERVER,
    OUTSIDE,
    REMOTE,
    Object,
    System,
    build,
    compose,
    read_base,
    read_env,
)
from sightline_encoder.settings import EncoderSettings
from sightline_ingest_worker.settings import WatcherSettings, WorkerSettings
from sightline_local.stack import ROOT
from sightline_search_gateway.maps.worker.settings import MapWorkerSettings
from sightline_search_gateway.settings import Settings as GatewaySettings
from sightline_service import load_settings

OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()
VARIANTS: dict[str, tuple[str, ...]] = {
    "site": (),
    **{name: (name,) for name in COMPONENTS},
    "edge and volumes": ("edge", "volumes"),
    "large": ("volumes", "gpu", "qdrant-cluster"),
}
SETTINGS = {
    "encoder": EncoderSettings,
    "ingest-worker": WorkerSettings,
    "watcher": WatcherSettings,
    "search-gateway": GatewaySettings,
    "map-worker": MapWorkerSettings,
}
ADDRESSES = ("QDRANT_URL", "REDIS_URL", "ENCODER_ADDRESSES")
BACK = ("search-gateway", "ingest-worker", "watcher", "map-worker")
CLIENTS = ("search-gateway", "ingest-worker", "watcher")
PORTS = (80, 443, 6334, 6379, 8080, 50051)
COMPOSE = compose("docker-compose.yml")
TAKEN: set[tuple[str, str]] = set()
"""Variants share most of their objects, and a schema takes a while."""
OURS = {name for name in COMPOSE if "profiles" not in COMPOSE[name]}


@pytest.fixture(scope="module", params=["base", *VARIANTS])
def system(request, tmp_path_factory) -> System:
    if request.param == "base":
        return System(read_base())
    if KUSTOMIZE is None:
        pytest.skip("neither kustomize nor kubectl is on the path")
    return System(build(tmp_path_factory.mktemp("site"), *VARIANTS[request.param]))


@pytest.fixture(scope="module")
def base() -> System:
    return System(read_base())


def built(folder, *components, **options) -> System:
    if KUSTOMIZE is None:
        pytest.skip("neither kustomize nor kubectl is on the path")
    return System(build(folder, *components, **options))


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


def mebibytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(\w+)", text).groups()
    return int(number) * {"m": 1, "Mi": 1, "g": 1024, "Gi": 1024}[unit]


def cores(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def differing(system: System, name: str, service: Object, but: set[str]) -> Object:
    """Return what Compose sets in a container and the cluster doesn't, or not so. Empty means unset."""
    wanted = {key: str(value) for key, value in (service.get("environment") or {}).items() if value not in (None, "")}
    given = system.environment(name)
    return {key: given.get(key) for key, value in wanted.items() if key not in but and given.get(key) != value}


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_every_manifest(system, version):
    for item in system.objects:
        if (key := (version, json.dumps(item, sort_keys=True))) not in TAKEN:
            kubernetes_validate.validate(item, version, strict=True)
            TAKEN.add(key)


def test_kustomize_makes_of_the_base_what_is_checked_without_it(base, tmp_path):
    site = built(tmp_path)
    assert {(item["kind"], re.sub("-[a-z0-9]{10}$", "", item["metadata"]["name"])) for item in site.objects} == {
        (item["kind"], item["metadata"]["name"]) for item in base.objects
    } | {("NetworkPolicy", REMOTE)}


def test_the_ingress_leads_to_the_page(tmp_path):
    system = built(tmp_path, ingress=True)
    [ingress] = system.of("Ingress").values()
    kubernetes_validate.validate(ingress, OLDEST, strict=True)
    [rule] = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["port"]["name"] in {port["name"] for port in system.of("Service")[backend["name"]]["spec"]["ports"]}
    assert f"GATEWAY_TRUSTED_HOSTS={rule['host']}" in (MANIFESTS / "example/settings.env").read_text(encoding="utf-8")


def test_it_is_what_compose_runs(base):
    assert set(base.workloads) == OURS
    for name in OURS:
        service, container = COMPOSE[name], base.container(name)
        image = container["image"]
        assert image == service["image"] if ":" in service["image"] else image.startswith(service["image"] + ":")
        assert container.get("command") == service.get("command")
        limits = service["deploy"]["resources"]["limits"]
        assert mebibytes(container["resources"]["limits"]["memory"]) == mebibytes(limits["memory"])
        assert cores(container["resources"]["limits"]["cpu"]) == cores(limits["cpus"])
        assert differing(base, name, service, but={"BUCKET_URL", "THUMBNAIL_URL", "GATEWAY_PORT"}) == {}
        pause = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])[1]
        grace = base.pod(name)["terminationGracePeriodSeconds"]
        assert grace >= seconds(service["stop_grace_period"])
        assert grace - int(pause) >= 35 if name == "search-gateway" else grace > int(pause)


@pytest.mark.parametrize(
    ("component", "overlay"),
    [("edge", "edge.yml"), ("edge", "embedded.yml"), ("gpu", "gpu.yml"), ("qdrant-cluster", "cluster.yml")],
)
def test_a_component_is_what_the_overlay_is(component, overlay, tmp_path):
    system = built(tmp_path, component)
    services = compose(f"deploy/{overlay}")
    for name in set(services) & OURS:
        if "image" in services[name]:
            assert services[name]["image"] + ":" in system.container(name)["image"]
        assert differing(system, name, services[name], but={*ADDRESSES, "NVIDIA_DRIVER_CAPABILITIES"}) == {}
    assert cores(system.container("encoder")["resources"]["limits"].get("nvidia.com/gpu", "0")) == (component == "gpu")


def test_all_images_have_one_version_and_the_example_names_each():
    text = (ROOT / "services/search-gateway/pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', text, re.MULTILINE)[1]
    found = {
        path.parent.name: re.findall(r"name: (sightline/[\w-]+),.* newTag: ([\w.]+)", path.read_text(encoding="utf-8"))
        for path in MANIFESTS.rglob("kustomization.yaml")
        if "site" not in path.parts
    }
    assert {tag for images in found.values() for _, tag in images} == {version}
    assert {name for images in found.values() for name, _ in images} == {name for name, _ in found["example"]}


def test_every_setting_is_one(system):
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    known = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    known |= {name for service in COMPOSE.values() for name in service.get("environment") or ()}
    secret = re.findall(r"^#?([A-Z_]+)=", (MANIFESTS / "example/secrets.env.example").read_text("utf-8"), re.MULTILINE)
    offered = re.findall(r"^#?([A-Z_]+)=", (MANIFESTS / "example/settings.env").read_text("utf-8"), re.MULTILINE)
    assert set(system.settings) | set(secret) | set(offered) <= known


@pytest.mark.parametrize("service", SETTINGS)
def test_every_service_takes_its_settings(system, service, monkeypatch):
    for name, value in system.environment(service).items():
        monkeypatch.setenv(name, value)
    load_settings(SETTINGS[service])


def test_addresses_are_services(system):
    services = system.of("Service")
    for name, workload in zip(ADDRESSES, ("qdrant", "redis", "encoder"), strict=True):
        address = urlsplit(f"//{system.settings[name].rpartition('//')[2]}")
        assert address.port in {port["port"] for port in services[address.hostname]["spec"]["ports"]}
        assert system.behind(address.hostname) == workload
    # nginx asks for a full name.
    gateway, namespace, kind, rest = system.environment("web")["WEB_GATEWAY"].split(".", 3)
    assert (namespace, kind, rest) == ("sightline", "svc", "cluster.local:8080")
    assert system.behind(gateway) == "search-gateway"
    assert services[gateway]["spec"]["ports"][0]["port"] == 8080


def test_clients_see_the_address_of_every_encoder_and_one_of_the_gateways(system):
    assert system.of("Service")["encoder"]["spec"]["clusterIP"] == "None"
    assert "clusterIP" not in system.of("Service")["search-gateway"]["spec"]


def test_services_lead_to_declared_ports(system):
    for name, service in system.of("Service").items():
        ports = system.ports(system.behind(name))
        for port in service["spec"]["ports"]:
            # A Service without an address of its own translates no ports.
            assert ports[port["targetPort"]] == port["port"]


def test_references_lead_somewhere(system):
    config, secrets, claims = (set(system.of(kind)) for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim"))
    for name, workload in system.workloads.items():
        pod, container = system.pod(name), system.container(name)
        for each in container.get("envFrom", []):
            assert each.get("configMapRef", {}).get("name", *config) in config
            assert each.get("secretRef", {}).get("name", *secrets) in secrets
        for each in container.get("env", []):
            key = each.get("valueFrom", {}).get("secretKeyRef")
            assert key is None or (key["name"] in secrets and key["optional"])
        templates = {each["metadata"]["name"] for each in workload["spec"].get("volumeClaimTemplates", [])}
        volumes = {each["name"] for each in pod["volumes"]} | templates
        assert {each["name"] for each in container["volumeMounts"]} == volumes
        claimed = {
            each["persistentVolumeClaim"]["claimName"] for each in pod["volumes"] if "persistentVolumeClaim" in each
        }
        assert claimed <= claims
        assert "fsGroup" in pod["securityContext"] or not templates | claimed
        if workload["kind"] == "StatefulSet":
            assert system.behind(workload["spec"]["serviceName"]) == name
    for scaler in system.of("HorizontalPodAutoscaler").values():
        target = system.workloads[scaler["spec"]["scaleTargetRef"]["name"]]
        assert target["kind"] == scaler["spec"]["scaleTargetRef"]["kind"]
        # Otherwise each `apply` would undo what was scaled.
        assert "replicas" not in target["spec"]
    for budget in system.of("PodDisruptionBudget").values():
        assert len(system.selected(budget["spec"]["selector"])) == 1


def test_who_reads_the_vectors_gets_the_key_that_may_only_read(system):
    def from_secrets(name: str) -> dict[str, str]:
        sources = {
            each["name"]: each.get("valueFrom", {}).get("secretKeyRef") for each in system.container(name)["env"]
        }
        return {name: source["key"] for name, source in sources.items() if source}

    for name in ("search-gateway", "map-worker"):
        assert from_secrets(name) == {"QDRANT_API_KEY": "QDRANT_READ_ONLY_API_KEY"}
    assert set(from_secrets("qdrant").values()) == {"QDRANT_API_KEY", "QDRANT_READ_ONLY_API_KEY"}
    assert from_secrets("redis") == {"REDIS_PASSWORD": "REDIS_PASSWORD"}


def test_a_file_bucket_is_mounted_where_it_is_read(system):
    for setting in ("BUCKET_URL", "THUMBNAIL_URL"):
        url = urlsplit(system.settings[setting])
        for name in CLIENTS:
            mounted = {each["mountPath"] for each in system.container(name)["volumeMounts"]}
            assert url.scheme != "file" or url.path in mounted


def test_every_container_is_confined(system):
    for name in system.workloads:
        pod, container = system.pod(name), system.container(name)
        assert pod["automountServiceAccountToken"] is False
        # Kubernetes would otherwise set NAME_PORT for every Service, which is a setting here.
        assert pod["enableServiceLinks"] is False
        user = 1000 if "qdrant/qdrant:" in container["image"] else 10001
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"]) == (True, user, user)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]["limits"]) >= {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert not container["image"].endswith(":latest")
        assert ":" in container["image"]
        # A memory-backed /tmp counts as the container's memory.
        [tmp] = [each["emptyDir"] for each in pod["volumes"] if each["name"] == "tmp"]
        assert mebibytes(tmp["sizeLimit"]) < mebibytes(container["resources"]["limits"]["memory"])


def test_the_readme_makes_the_pictures_writable_for_the_gateway_alone(tmp_path):
    readme = (MANIFESTS / "README.md").read_text(encoding="utf-8")
    [patch] = re.findall(r"^```yaml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    system = built(tmp_path, "volumes", more=patch)
    writable = {
        name
        for name in CLIENTS
        for mount in system.container(name)["volumeMounts"]
        if mount["mountPath"] == "/srv/pictures" and not mount.get("readOnly")
    }
    assert writable == {"search-gateway"}


def port_of(probe: Object, ports: dict[str, int]) -> int | None:
    [(kind, action)] = [(kind, probe[kind]) for kind in ("httpGet", "grpc", "tcpSocket", "exec") if kind in probe]
    return None if kind == "exec" else ports.get(action["port"], action["port"])


def test_every_container_is_probed(system):
    for name in system.workloads:
        container, ports = system.container(name), system.ports(name)
        probes = {kind: probe for kind, probe in container.items() if kind.endswith("Probe")}
        assert set(probes) >= {"readinessProbe", "livenessProbe"}
        assert {port_of(probe, ports) for probe in probes.values()} - {None} <= set(ports.values())
        # What asks for another service must not end this one.
        liveness = probes["livenessProbe"]
        assert "exec" not in liveness
        assert liveness.get("httpGet", {}).get("path") != "/readyz"


def test_the_gateway_is_replaced_without_a_gap(system):
    spec = system.workloads["search-gateway"]["spec"]
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert system.of("HorizontalPodAutoscaler")["search-gateway"]["spec"]["minReplicas"] >= 2
    assert system.container("search-gateway")["lifecycle"]["preStop"]
    assert "search-gateway" in system.of("PodDisruptionBudget")


def test_everyone_reaches_what_the_settings_name_and_nothing_else(system):
    wanted = {(client, workload) for client in BACK for workload in ("qdrant", "redis", "encoder")}
    served = {"qdrant": 6334, "redis": 6379, "encoder": 50051, "search-gateway": 8080, "web": 8080}
    edges = {(source, target, served[target]) for source, target in wanted} | {("web", "search-gateway", 8080)}
    edges |= {(source, "web", 8080) for source in (None, *system.workloads)}
    if "qdrant-peers" in system.of("Service"):
        edges |= {("qdrant", "qdrant", 6335), ("qdrant", "qdrant", 6333), ("watcher", "qdrant", 6333)}
    every = {
        (source, target, port)
        for source in (None, *system.workloads)
        for target in system.workloads
        for port in system.ports(target).values()
    }
    assert {edge for edge in every if system.accepts(*edge)} == edges
    # Everybody reaches the page, and nobody here has to.
    needed = {edge for edge in edges if edge[1] != "web"}
    assert {edge for edge in every if edge[0] is not None and system.sends(*edge)} == needed
    # And what is added later reaches nothing, and nothing reaches it, until it is said what and who.
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in [
        policy["spec"] for policy in system.of("NetworkPolicy").values()
    ]


def test_who_has_a_way_out(system):
    out = {(name, port) for name in system.workloads for port in (*PORTS, 53) if system.sends(name, OUTSIDE, port)}
    models = {("encoder", 443)} if system.settings["ENCODER_MODELS"] != "embedded" else set()
    bucket = {(name, 443) for name in CLIENTS} if REMOTE in system.of("NetworkPolicy") else set()
    assert out == models | bucket
    clusters = {"qdrant"} if "qdrant-peers" in system.of("Service") else set()
    asking = {name for name in system.workloads if system.sends(name, NAME_SERVER, 53)}
    assert asking == {"web", "encoder", *BACK} | clusters
    for policy in system.of("NetworkPolicy").values():
        for rule in policy["spec"].get("egress", []):
            assert rule["ports"]
            for peer in rule["to"]:
                # A cloud's machines ask there for their credentials.
                assert peer.get("ipBlock", {}).get("cidr") != "0.0.0.0/0" or peer["ipBlock"]["except"]


def test_a_workload_is_selected_by_its_name(system):
    for name, workload in system.workloads.items():
        assert workload["spec"]["selector"]["matchLabels"] == {NAME: name}
        assert system.labels(name)[NAME] == name


def test_the_example_repeats_what_it_must(base):
    example = read_env(MANIFESTS / "example/settings.env")
    assert {name: base.settings[name] for name in ("BUCKET_URL", "THUMBNAIL_URL")}.items() <= example.items()
