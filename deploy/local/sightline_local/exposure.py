"""What other users of this machine can reach of a running system.

    python -m sightline_local.exposure [--data FOLDER]

Run as root, it finds what the services of `make demo` listen on, and the files of the data folder, becomes another user
(`nobody`), and tries to reach each. It ends with 1 where that is more than the page and the encoder's gRPC.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from sightline_local import exposure_probe
from sightline_local.stack import ROOT

NOBODY = 65534
"""The uid and gid that look."""
OPEN = ("sightline-search-gateway", "sightline-encoder")
"""The services whose TCP ports are for whoever can reach them."""
STDERR = 2
"""Whoever starts a launcher chooses where its own output goes."""
KINDS = {psutil.CONN_LISTEN: "tcp", psutil.CONN_NONE: "udp"}
SHARED = re.compile(r" rw-s .* ((?:/dev/shm|/tmp|/var/tmp)/.*)$", re.MULTILINE)
PYTHONS = os.pathsep.join(("/usr/bin", "/usr/local/bin", "/bin"))


@dataclass(frozen=True, order=True)
class Door:
    """Something that might be reached.

    Attributes:
        kind: `tcp`, `udp`, `unix` or `file`.
        place: HOST:PORT, or a path; the name of an abstract socket begins with @.
        service: Whose it is; empty for a file.
    """

    kind: str
    place: str
    service: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.place}" + (f" ({self.service})" if self.service else "")

    @property
    def is_meant_to_be_open(self) -> bool:
        """Whether it is the page or the encoder's gRPC."""
        return self.kind == "tcp" and self.service in OPEN


def doors(launcher: int, folders: Iterable[Path]) -> set[Door]:
    """Return all that a system might be reached by.

    Args:
        launcher: The process that started it, or its supervisor.
        folders: Where it keeps its data.
    """
    found: set[Door] = set()
    main = psutil.Process(launcher)
    for process in (main, *main.children(recursive=True)):
        try:
            found |= _doors_of(process)
        except psutil.NoSuchProcess:
            continue
    for folder in folders:
        found.add(Door("file", str(folder)))
        for parent, names, files in os.walk(folder):
            found |= {Door("file", os.path.join(parent, name)) for name in (*names, *files)}
    return found


def _doors_of(process: psutil.Process) -> set[Door]:
    service = _service_of(process)
    found = set()
    for connection in process.net_connections("inet"):
        if connection.status in KINDS and connection.laddr:
            # An IPv6 socket that takes IPv4 shows an address of the one as one of the other.
            host = connection.laddr.ip.removeprefix("::ffff:")
            found.add(Door(KINDS[connection.status], f"{host}:{connection.laddr.port}", service))
    found |= {Door("unix", str(one.laddr), service) for one in process.net_connections("unix") if one.laddr}
    # What it writes, wherever that is, memory that it shares, and what the kernel shows of it.
    found |= {Door("file", one.path, service) for one in process.open_files() if one.mode != "r" and one.fd > STDERR}
    mapped = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8", errors="replace")
    found |= {Door("file", path, service) for path in SHARED.findall(mapped)}
    return found | {Door("file", f"/proc/{process.pid}/{name}", service) for name in ("environ", "fd", "mem")}


def _service_of(process: psutil.Process) -> str:
    for one in (process, *process.parents()):
        for word in one.cmdline()[:4]:
            name = os.path.basename(word)
            if re.fullmatch(r"sightline-[a-z-]+|(redis|valkey)-server", name) or word == "sightline_local.supervisor":
                return name
    return ""


def reachable(found: Iterable[Door], user: int = NOBODY) -> set[Door]:
    """Return what another user can reach of it. Needs root."""
    by_place = {(door.kind, door.place): door for door in found}
    done = subprocess.run(
        # An interpreter that others may run, too: this one may lie in a folder that they may not enter.
        [
            shutil.which("python3", path=PYTHONS) or sys.executable,
            "-I",
            "-c",
            Path(exposure_probe.__file__).read_text(),
        ],
        input=json.dumps(sorted(by_place)),
        capture_output=True,
        text=True,
        user=user,
        group=user,
        extra_groups=[],
        cwd="/",
        check=True,
    )
    return {by_place[kind, place] for kind, place in json.loads(done.stdout)}


def running_systems(data: Path) -> list[tuple[str, int]]:
    """Return the page's address and the launcher's process of each system that runs over a data folder."""
    found = []
    for file in sorted(data.glob("state/*/running")):
        said = re.fullmatch(r"(\S+) \(process (\d+)\)", file.read_text(encoding="utf-8").strip())
        if said and psutil.pid_exists(int(said[2])):
            found.append((said[1], int(said[2])))
    return found


def main() -> int:
    """Look, print what can be reached, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m sightline_local.exposure", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data", help="where the data is (default: data/)")
    data: Path = parser.parse_args().data
    if os.geteuid() != 0:
        print("only root can look as another user: sudo make exposure", file=sys.stderr)
        return 2
    systems = running_systems(data)
    if not systems:
        print(f"nothing runs over {data}: start it with `make demo`", file=sys.stderr)
        return 2
    status = 0
    for url, launcher in systems:
        found = doors(launcher, [data])
        reached = reachable(found)
        print(f"{url}: of {len(found)} ports, sockets and files, user {NOBODY} reaches {len(reached)}")
        for door in sorted(reached):
            print(f"  {door}" + ("" if door.is_meant_to_be_open else "  <- should not be open"))
            status |= not door.is_meant_to_be_open
    return status


if __name__ == "__main__":
    sys.exit(main())
