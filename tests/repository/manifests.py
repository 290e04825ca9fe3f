"""Reads deploy/k8s as kubectl would apply it: its objects, and which connections its network policies allow."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from sightline_local.stack import ROOT

MANIFESTS = ROOT / "deploy" / "k8s"
COMPONENTS = sorted(path.name for path in (MANIFESTS / "components").iterdir())
KUSTOMIZE = next(
    (list(command) for command in (("kustomize", "build"), ("kubectl", "kustomize")) if shutil.which(command[0])), None
)
NAME = "app.kubernetes.io/name"
REMOTE = "remote-bucket"
OUTSIDE = "outside"
"""What is outside of the cluster."""
NAME_SERVER = "name server"
Object = dict[str, Any]


def read_env(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read_base() -> list[Object]:
    """Put the base together without kustomize, as far as the checks need it."""
    base = MANIFESTS / "base"
    kustomization = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))
    objects = [
        found for name in kustomization["resources"] for found in yaml.safe_load_all((base / name).read_text("utf-8"))
    ]
    for kind, generators in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for each in kustomization[generators]:
            data: dict[str, str] = {}
            for name in each.get("envs", []):
                data |= read_env(base / name)
            objects.append({"apiVersion": "v1", "kind": kind, "metadata": {"name": each["name"]}, "data": data})
    tags = {each["name"]: each["newTag"] for each in kustomization["images"]}
    for item in objects:
        item["metadata"].setdefault("namespace", kustomization["namespace"])
        for container in item.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            if container["image"] in tags:
                container["image"] += f":{tags[container['image']]}"
    return objects


def build(folder: Path, *components: str, ingress: bool = False, more: str = "") -> list[Object]:
    """Do what README.md says in a copy of deploy/k8s, and have kustomize put it together.

    The example has pictures in an object store, so `remote-bucket` is on unless there are volumes.
    """
    assert KUSTOMIZE is not None
    copy = folder / "k8s"
    if not copy.exists():
        shutil.copytree(MANIFESTS, copy, ignore=shutil.ignore_patterns("site"))
        shutil.copytree(copy / "example", copy / "site")
        shutil.copy(copy / "site" / "secrets.env.example", copy / "site" / "secrets.env")
    text = (copy / "example" / "kustomization.yaml").read_text(encoding="utf-8")
    chosen = {*components, "ingress.yaml" if ingress else "", "" if "volumes" in components else REMOTE}
    for name in (*COMPONENTS, "ingress.yaml"):
        line = name if name == "ingress.yaml" else f"../components/{name}"
        mark = "" if name in chosen else "# "
        text, count = re.subn(rf"^  (# )?- {re.escape(line)}(?=\s)", f"  {mark}- {line}", text, flags=re.MULTILINE)
        assert count == 1, f"the example does not offer {line}"
    (copy / "site" / "kustomization.yaml").write_text(text + more, encoding="utf-8")
    done = subprocess.run([*KUSTOMIZE, copy / "site"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@dataclass(frozen=True)
class System:
    """What one `kubectl apply` would send."""

    objects: list[Object]

    def of(self, *kinds: str) -> dict[str, Object]:
        return {item["metadata"]["name"]: item for item in self.objects if item["kind"] in kinds}

    @cached_property
    def workloads(self) -> dict[str, Object]:
        return self.of("Deployment", "StatefulSet")

    def pod(self, workload: str) -> Object:
        return self.workloads[workload]["spec"]["template"]["spec"]

    def container(self, workload: str) -> Object:
        [found] = self.pod(workload)["containers"]
        return found

    def labels(self, workload: str) -> dict[str, str]:
        return self.workloads[workload]["spec"]["template"]["metadata"]["labels"]

    @cached_property
    def settings(self) -> dict[str, str]:
        [found] = self.of("ConfigMap").values()
        return found["data"]

    def ports(self, workload: str) -> dict[str, int]:
        return {port["name"]: port["containerPort"] for port in self.container(workload).get("ports", [])}

    def environment(self, workload: str) -> dict[str, str]:
        """What a container gets, but for secrets."""
        container = self.container(workload)
        found = dict(self.settings) if any("configMapRef" in each for each in container.get("envFrom", [])) else {}
        for each in container.get("env", []):
            match each:
                case {"name": name, "value": value}:
                    found[name] = re.sub(r"\$\((\w+)\)", lambda reference: found[reference[1]], value)
                case {"name": name, "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}:
                    found[name] = container["resources"]["limits"]["cpu"]
                case {"name": name, "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}:
                    found[name] = self.workloads[workload]["metadata"]["namespace"]
        return found

    def behind(self, service: str) -> str:
        """Return the workload that a Service leads to."""
        [found] = self.selected({"matchLabels": self.of("Service")[service]["spec"]["selector"]})
        return found

    def selected(self, selector: Object) -> set[str]:
        return {workload for workload in self.workloads if matches(selector, self.labels(workload))}

    def accepts(self, source: str | None, target: str, port: int) -> bool:
        """Return whether the target's policies let a connection in; None is a pod of another namespace."""
        assert target in self.workloads
        return self._passes(target, source, port, "ingress")

    def sends(self, source: str, target: str, port: int) -> bool:
        """Return whether the source's policies let a connection out; the target may be OUTSIDE or NAME_SERVER."""
        return self._passes(source, target, port, "egress")

    def _passes(self, here: str, there: str | None, port: int, direction: str) -> bool:
        applied = [
            policy["spec"]
            for policy in self.of("NetworkPolicy").values()
            if direction.capitalize() in policy["spec"]["policyTypes"]
            and matches(policy["spec"]["podSelector"], self.labels(here))
        ]
        side = {"ingress": "from", "egress": "to"}[direction]
        return not applied or any(
            (side not in rule or any(self._is_peer(peer, there) for peer in rule[side]))
            and ("ports" not in rule or any(each["port"] == port for each in rule["ports"]))
            for spec in applied
            for rule in spec.get(direction, [])
        )

    def _is_peer(self, peer: Object, workload: str | None) -> bool:
        if "ipBlock" in peer:
            return workload == (OUTSIDE if peer["ipBlock"]["cidr"] == "0.0.0.0/0" else NAME_SERVER)
        if peer == {"namespaceSelector": {}}:
            return workload not in (OUTSIDE, None)
        # Pods alone are those of the same namespace, and ours is not labelled for metrics.
        return set(peer) == {"podSelector"} and workload in self.selected(peer["podSelector"])


def matches(selector: Object, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        each["operator"] == "In" and labels.get(each["key"]) in each["values"]
        for each in selector.get("matchExpressions", [])
    )


class ComposeLoader(yaml.SafeLoader):
    """Reads Compose's !override and !reset as if they weren't there."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


ComposeLoader.add_multi_constructor("!", _untagged)


def compose(name: str) -> dict[str, Object]:
    """Return the services of a Compose file, with the defaults of what .env may set; an environment is a mapping."""
    text = re.sub(r"\$\{\w+:\+[^}]*\}", "", (ROOT / name).read_text(encoding="utf-8"))
    while (filled := re.sub(r"\$\{\w+:-([^${}]*)\}", r"\1", text)) != text:
        text = filled
    services = yaml.load(text, ComposeLoader)["services"]
    for service in services.values():
        if isinstance(listed := service.get("environment"), list):
            service["environment"] = dict(entry.split("=", 1) for entry in listed)
    return services
