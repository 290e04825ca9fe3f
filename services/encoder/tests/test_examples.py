"""The examples in other languages, against the real service around a tiny model. Those whose tools are missing skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from sightline_local.stack import ROOT

EXAMPLES = Path(__file__).parents[1] / "examples"
PROTOS = ROOT / "protos"
BUF = Path(sys.executable).with_name("buf")
pytestmark = pytest.mark.slow


def tool(name, *, in_ci):
    """Return where a tool is; skip where it is not, except in CI where that installs it."""
    found = shutil.which(name)
    if found is None:
        if in_ci and os.environ.get("CI"):
            pytest.fail(f"no {name}")
        pytest.skip(f"no {name}")
    return found


def run(*command, cwd, **environment):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    Image.new("RGB", (40, 30), "red").save(path)
    return path


@pytest.fixture
def address(serving):
    with serving() as running:
        yield running.address


def python(address, picture):
    script = EXAMPLES / "python" / "encode.py"
    return run(sys.executable, script, address, picture, "a cat", "two words", cwd=EXAMPLES)


def test_python(address, picture):
    model, *lines = python(address, picture).splitlines()
    assert model == "model tiny"
    assert [line.partition(" ")[2] for line in lines] == ["a cat", "two words"]


def test_node(address, picture, tmp_path):
    node, npm = tool("node", in_ci=True), tool("npm", in_ci=True)
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    run(npm, "ci", "--no-fund", "--no-audit", "--loglevel=error", cwd=folder)
    output = run(node, "encode.mjs", address, picture, "a cat", "two words", cwd=folder, PROTOS=str(PROTOS))
    assert output == python(address, picture)


def test_go(address, picture, tmp_path):
    go = tool("go", in_ci=False)
    folder = tmp_path / "go"
    shutil.copytree(EXAMPLES / "go", folder, ignore=shutil.ignore_patterns("sightline"))
    # As whoever has a newer one: no other toolchain is fetched.
    settings = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    run(BUF, "generate", "--template", "buf.gen.yaml", PROTOS, cwd=folder, **settings)
    output = run(go, "run", ".", address, picture, "a cat", "two words", cwd=folder, **settings)
    assert output == python(address, picture)
