"""The gateway's real server around fakes, as a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import httpx
from waiting import wait_for

START_SECONDS = 120
SCRIPT = Path(__file__).parents[2] / "services" / "search-gateway" / "tests" / "serve_fakes.py"
get = partial(httpx.get, timeout=START_SECONDS)


class Server:
    """A gateway of fakes; a context manager, which waits until it answers, and ends it."""

    def __init__(self, folder, **settings):
        (folder / "workers").mkdir()
        (folder / "metrics").mkdir()
        self.folder = folder
        self.port = 0
        self.url = ""
        self.log = folder / "log"
        environment = {
            **os.environ,
            "GATEWAY_PORT": "0",
            "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
            **{name: str(value) for name, value in settings.items()},
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, folder], env=environment, stderr=log, stdout=log, cwd=folder
            )

    def wait(self):
        """Wait until it listens, on a port that it logs, and answers."""

        def listening():
            assert self.process.poll() is None, self.log.read_text()
            return re.search(r'"port": ?(\d+)', self.log.read_text())

        wait_for(listening)
        self.port = int(listening()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        assert get(f"{self.url}/healthz").status_code == 200

    def lines(self):
        """Return what it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self):
        """End it, however it is."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    def __enter__(self):
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
