"""The supervisor: starts the services, restarts those that die, stops all of them.

circus does the work, in a process of its own:

    python -m sightline_local.supervisor CONFIGURATION.json
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from circus.client import CircusClient
from circus.exc import CallError
from sightline_service import parent_death

from sightline_local.private_folders import PRIVATE_UMASK, make_socket_folder
from sightline_local.stack import ROOT, Service
from sightline_local.starts import HOOKS, WITHOUT_REDIS

DIE_WITH_PARENT = [sys.executable, "-P", parent_death.__file__]
"""The prefix of a command that is to end with its parent."""
LOG_BYTES = 10_000_000
LOG_FILES = 3


class Supervisor:
    """The services of one stack, running.

    Args:
        services: What to run, started in this order and stopped in the reverse one.
        logs: A folder; each service's output goes to NAME.log in it, rotated.
    """

    def __init__(self, services: Sequence[Service], logs: Path) -> None:
        self._services = list(services)
        self._logs = logs
        self._sockets = make_socket_folder(self)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_starts: dict[str, int] = {}

    def __enter__(self) -> Supervisor:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """The control socket of circus."""
        return f"ipc://{self._sockets}/control"

    def start(self) -> None:
        """Start the supervising process, which starts the services."""
        self._log_starts = {path.stem: path.stat().st_size for path in self._logs.glob("*.log")}
        configuration = {
            "endpoint": self.endpoint,
            "pubsub": f"ipc://{self._sockets}/events",
            "watchers": [
                self._watcher(service, len(self._services) - place) for place, service in enumerate(self._services)
            ],
        }
        path = self._sockets / "services.json"
        # Settings may hold secrets.
        with open(path, "w", encoding="utf-8", opener=_open_private) as file:
            json.dump(configuration, file)
        with open(self._logs / "supervisor.log", "ab", opener=_open_private) as log:
            self._process = subprocess.Popen(
                [*DIE_WITH_PARENT, sys.executable, "-m", __name__, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is the launcher's to handle: it stops the services in order.
                start_new_session=True,
                umask=PRIVATE_UMASK,
            )

    def stop(self) -> None:
        """Stop every service, the last started first, and wait for it."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=sum(service.stop_seconds for service in self._services))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def is_running(self) -> bool:
        """Return whether the supervising process is running."""
        return self._process is not None and self._process.poll() is None

    def pids(self, name: str) -> list[int]:
        """Return the process ids of a service; empty while it is being restarted."""
        answer = self.call("list", name=name)
        return [int(pid) for pid in answer.get("pids", [])]

    def last_lines(self, name: str, count: int = 15) -> list[str]:
        """Return the end of a service's log, of what it wrote since the start."""
        path = self._logs / f"{name}.log"
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                # A log that has been rotated since is shorter.
                if (start := self._log_starts.get(name, 0)) <= path.stat().st_size:
                    file.seek(start)
                return file.read().splitlines()[-count:]
        except FileNotFoundError:
            return []

    def call(self, command: str, **properties: object) -> dict[str, Any]:
        """Send circus a command (`list`, `stop`, `start`) and return its answer; empty where it failed."""
        client = CircusClient(endpoint=self.endpoint, timeout=15.0)
        try:
            answer: dict[str, Any] = client.call({"command": command, "properties": properties})
            return answer
        except CallError:
            return {}
        finally:
            client.stop()

    def _watcher(self, service: Service, priority: int) -> dict[str, Any]:
        log = {
            "class": "FileStream",
            "filename": str(self._logs / f"{service.name}.log"),
            "max_bytes": LOG_BYTES,
            "backup_count": LOG_FILES,
        }
        return {
            "name": service.name,
            "cmd": shlex.join([*DIE_WITH_PARENT, *service.command]),
            "env": service.environment,
            "working_dir": str(ROOT),
            "priority": priority,
            "graceful_timeout": service.stop_seconds,
            "max_retry": -1,
            "stdout_stream": log,
            "hooks": HOOKS if service.name in WITHOUT_REDIS else {},
        }


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def main() -> None:
    """Run circus until SIGTERM."""
    from circus import get_arbiter

    configuration = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    arbiter = get_arbiter(
        configuration["watchers"],
        controller=configuration["endpoint"],
        pubsub_endpoint=configuration["pubsub"],
        # Otherwise it announces its controller's address to the whole network by UDP.
        multicast_endpoint="",
        check_delay=0.5,
    )
    try:
        arbiter.start()
    finally:
        arbiter.stop()


if __name__ == "__main__":
    main()
