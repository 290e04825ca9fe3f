"""Runs the browser tests, or another npm script that looks at the page: real services over the sample pictures,
and a real Chromium.

`run.py [SCRIPT]`, with `test:browser` as the default.

Where Chromium or the sample pictures are missing, says so in one line and succeeds; with CI=true that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sightline_local import samples
from sightline_local.readiness import ingest_state, wait_until_ready
from sightline_local.stack import ROOT, Service, Stack, choose_ports, free_port
from sightline_local.supervisor import Supervisor

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INGEST_SECONDS = 300


def leave_out(reason: str) -> int:
    """Say why there is no browser test, and return the exit status."""
    print(f"browser tests skipped: {reason}", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


def wait_until_indexed(stack: Stack) -> None:
    """Return when all pictures are indexed.

    Raises:
        TimeoutError: They were not in time.
    """
    deadline = time.monotonic() + INGEST_SECONDS
    while time.monotonic() < deadline:
        state = ingest_state(stack)
        if state is not None and state.finished and state.indexed > 0:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the sample pictures were not indexed within {INGEST_SECONDS} s")


def gateway_with_keys(stack: Stack) -> tuple[Service, str]:
    """Return a second gateway of a stack, which asks for keys, and its address."""
    port = free_port()
    keys = {"GATEWAY_READ_KEYS": "a-key-that-only-reads", "GATEWAY_API_KEYS": "a-key-that-may-change"}
    command = [str(Path(sys.executable).with_name("sightline-search-gateway"))]
    environment = stack.environment() | keys | {"GATEWAY_PORT": str(port)}
    return Service("search-gateway-with-keys", command, environment), f"http://127.0.0.1:{port}"


def main() -> int:
    """Start the services, run the npm script against them, stop everything."""
    script = sys.argv[1] if len(sys.argv) > 1 else "test:browser"
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        return leave_out("Chromium is not installed (Debian: apt install chromium)")
    pictures = ROOT / "data/samples"
    try:
        samples.fetch(pictures)
    except samples.SamplesUnavailable as error:
        return leave_out(str(error))
    with tempfile.TemporaryDirectory(prefix="sightline-browser-") as folder:
        # The tests upload and delete: they get a copy.
        bucket = Path(folder, "bucket")
        shutil.copytree(pictures, bucket)
        stack = Stack(
            bucket=bucket,
            state=Path(folder, "state"),
            models=ROOT / "data/models",
            ports=choose_ports(),
            writable=True,
            page=ROOT / "services/web/dist",
            docs=ROOT / "services/web/node_modules/swagger-ui-dist",
        )
        stack.make_folders()
        with_keys, keys_url = gateway_with_keys(stack)
        with Supervisor([*stack.services(), with_keys], stack.logs) as supervisor:
            wait_until_ready(stack, supervisor)
            wait_until_indexed(stack)
            return subprocess.run(
                ["npm", "--prefix", str(ROOT / "services/web"), "run", "--silent", script],
                env=os.environ
                | {"PAGE_URL": stack.url, "KEYS_URL": keys_url, "CHROMIUM": chromium, "BUCKET": str(bucket)},
                check=False,
            ).returncode


if __name__ == "__main__":
    sys.exit(main())
