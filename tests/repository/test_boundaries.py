"""Who may import what."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sightline_local.stack import ROOT

OWNERS = {
    "qdrant_client": ("libs/catalogue/", "services/qdrant-edge/"),
    "qdrant_edge": ("services/qdrant-edge/",),
    "torch": ("services/encoder/",),
    "open_clip": ("services/encoder/", "libs/pictures/tests/"),
    "botocore": ("libs/bucket/",),
    "flask": ("services/search-gateway/",),
}
"""Only the catalogue talks to Qdrant, and only `qdrant-edge` speaks as one; only the encoder holds models."""
TESTS = ("tests/", "benchmarks/")


def sources() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if not name.startswith(TESTS)]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("package", sorted(OWNERS))
def test_a_package_is_imported_by_its_owners_alone(package):
    users = [name for name in sources() if package in imported(ROOT / name)]
    assert users
    assert [name for name in users if not name.startswith(OWNERS[package])] == []
