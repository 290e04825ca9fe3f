"""Clients that generators write from the OpenAPI document, against the real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.gateway_server import Server, get
from sightline_local.stack import ROOT

CLIENTS = Path(__file__).with_name("clients")
NODE_MODULES = ROOT / "services" / "web" / "node_modules"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def document(server, tmp_path):
    path = tmp_path / "openapi.json"
    path.write_bytes(get(f"{server.url}/openapi.json").content)
    return path


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_openapi_python_client(server, document, tmp_path):
    config = tmp_path / "config.yml"
    config.write_text("post_hooks: []\n")
    options = ("--path", document, "--meta", "none", "--output-path", tmp_path / "client", "--config", config)
    said = run(Path(sys.executable).with_name("openapi-python-client"), "generate", *options, cwd=tmp_path)
    # It says so where it cannot read a part of the document, and leaves that out.
    assert "Unable" not in said
    assert "WARNING" not in said
    assert "all calls answered" in run(sys.executable, CLIENTS / "use_python.py", tmp_path, server.url, cwd=tmp_path)


def test_openapi_typescript(server, document, tmp_path):
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "openapi-typescript").is_dir():
        if os.environ.get("CI"):
            pytest.fail("no Node.js, or nothing installed in services/web")
        pytest.skip("no Node.js, or nothing installed in services/web")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(CLIENTS / "use_typescript.ts", tmp_path / "client.ts")
    binaries = NODE_MODULES / ".bin"
    run(binaries / "openapi-typescript", document, "--output", tmp_path / "schema.d.ts", cwd=tmp_path)
    strict = ("--strict", "--noUncheckedIndexedAccess", "--skipLibCheck")
    target = ("--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler", "--lib", "es2023,dom")
    run(binaries / "tsc", *strict, *target, "client.ts", cwd=tmp_path)
    assert "all calls answered" in run(node, "client.js", server.url, cwd=tmp_path)
