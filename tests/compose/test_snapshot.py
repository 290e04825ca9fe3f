"""The commands of docs/operations.md that take a snapshot of a running server and restore it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from engine import ROOT, System, has_server_image, server_image, wait_for

TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
TAKING, RESTORING = re.findall(
    r"^```\n(.*?)^```", TEXT.partition("### A snapshot of a running server")[2], re.MULTILINE | re.DOTALL
)[:2]
[ASK] = re.findall(r"^ask\(\) \{.*?^\}\n", TAKING, re.MULTILINE | re.DOTALL)
FETCHING = TAKING.partition("FILE=...\n")[2]

pytestmark = [
    pytest.mark.skipif(not has_server_image(), reason=f"there is no image {server_image()}"),
    pytest.mark.parametrize("system", ["server-folder"], indirect=True, scope="session"),
]


def run(system: System, folder: Path, script: str, **variables: str) -> str:
    """Run commands of the document over the system, as somebody in a shell would."""
    project = {
        "COMPOSE_FILE": ":".join(str(ROOT / file) for file in system.files),
        "COMPOSE_PROJECT_NAME": system.project,
        "COMPOSE_DISABLE_ENV_FILE": "1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", ASK + script],
        cwd=folder,
        env=os.environ | system.settings | project | variables,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def indexed_at(system: System) -> dict[str, str]:
    return {image["key"]: image["indexed_at"] for image in system.get("/images", limit=200)["images"]}


def test_a_collection_is_restored_from_a_snapshot_of_the_running_server(system, tmp_path):
    before = indexed_at(system)
    listed = json.loads(run(system, tmp_path, "ask qdrant GET /collections"))["result"]["collections"]
    [name] = [each["name"] for each in listed]
    taken = json.loads(run(system, tmp_path, f"ask qdrant POST /collections/{name}/snapshots"))
    variables = {"NAME": name, "FILE": taken["result"]["name"]}
    run(system, tmp_path, FETCHING, **variables)
    assert (tmp_path / variables["FILE"]).stat().st_size > 0
    system.compose("stop", "watcher", "ingest-worker")
    run(system, tmp_path, 'ask qdrant DELETE "/collections/$NAME"', **variables)
    run(system, tmp_path, RESTORING, **variables)
    # The alias that went with the collection is made again by the watcher; nothing is encoded again.
    wait_for("all pictures are found", lambda: indexed_at(system) == before)
    assert "flower.jpg" in system.found("a flower")
    system.up()
