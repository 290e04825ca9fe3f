"""The services of one machine: their commands, ports, folders and settings."""

from __future__ import annotations

import hashlib
import os
import random
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from sightline_service.metrics import metrics_socket

from sightline_local.private_folders import make_private, make_socket_folder
from sightline_local.redis_server import redis_command

ROOT = Path(__file__).resolve().parents[3]
"""The repository."""
SERVER_PORTS = range(10_000, 32_768)
ENCODER_METRICS_PORT = 9101
"""Only part of a socket's name here."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
FETCHING = re.compile(r"HF_\w+|(HTTPS?|NO|ALL)_PROXY|(https?|no|all)_proxy|SSL_CERT_\w+|REQUESTS_CA_BUNDLE")
"""What models are fetched by: for the encoder alone, since gRPC's clients would take a proxy for their own."""
STATE_FOLDERS = ("redis", "qdrant", "thumbnails")


class PortTaken(Exception):
    """The requested port is in use."""


@dataclass(frozen=True)
class Service:
    """One process to keep running.

    Attributes:
        environment: Its settings; nothing else of the launcher's environment but PATH, HOME and locale is passed.
        stop_seconds: How long it may take to finish its work after SIGTERM.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    stop_seconds: float = 15.0


@dataclass(frozen=True)
class Ports:
    """Where the page and the encoder's gRPC listen on 127.0.0.1; all else listens on Unix sockets."""

    gateway: int
    encoder: int


def free_ports(count: int) -> list[int]:
    """Return different ports that nothing listens on now.

    They lie below those that systems give to outgoing connections, which could take one before its server does.
    """
    return list(islice(filter(is_free, random.sample(SERVER_PORTS, len(SERVER_PORTS))), count))


def free_port() -> int:
    """Return a port that nothing listens on now."""
    return free_ports(1)[0]


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def choose_ports(gateway: int | None = None, encoder: int | None = None) -> Ports:
    """Choose free ports. The gateway's is the given one; the encoder's is the given one where that is free.

    Raises:
        PortTaken: The gateway's port is in use.
    """
    if gateway is not None and not is_free(gateway):
        raise PortTaken(f"port {gateway} is in use by another program")
    free = [port for port in free_ports(4) if port not in (gateway, encoder)]
    return Ports(
        gateway=gateway or free[0],
        encoder=encoder if encoder is not None and is_free(encoder) else free[1],
    )


def bucket_id(bucket: Path) -> str:
    """Return a BUCKET_ID for a folder, of the characters that one may have."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", state_name(bucket))[-64:]


def state_name(bucket: Path) -> str:
    """Return the name of a bucket's state folder: readable, and different for different paths."""
    resolved = bucket.resolve()
    return f"{resolved.name or 'root'}-{hashlib.sha256(os.fsencode(resolved)).hexdigest()[:8]}"


def external_qdrant(environment: Mapping[str, str], bucket: Path) -> dict[str, str]:
    """Return the settings of the Qdrant that an environment names; none where it has no QDRANT_URL.

    Folders that share a Qdrant have a BUCKET_ID each.
    """
    if not environment.get("QDRANT_URL"):
        return {}
    given = {name: value for name, value in environment.items() if name.startswith("QDRANT_") and value}
    return {"BUCKET_ID": environment.get("BUCKET_ID") or bucket_id(bucket)} | given


@dataclass(frozen=True)
class Stack:
    """One running system: its folders, ports and settings.

    Attributes:
        bucket: The folder of pictures.
        state: The folder for the database, the queue, thumbnails and logs of this bucket.
        models: The folder for converted models, shared by all buckets.
        writable: Whether the page may upload into the bucket and delete from it.
        settings: Settings for all services, over the ones that are set here; with a QDRANT_URL no qdrant-edge is run.
        fetching: What the encoder fetches models by: tokens, proxies.
        database_key: The key of qdrant-edge, another one at each start.
    """

    bucket: Path
    state: Path
    models: Path
    ports: Ports
    writable: bool = False
    page: Path | None = None
    docs: Path | None = None
    settings: dict[str, str] = field(default_factory=dict)
    fetching: dict[str, str] = field(default_factory=dict, repr=False)
    database_key: str = field(default_factory=secrets.token_urlsafe, repr=False)

    @cached_property
    def sockets(self) -> Path:
        """The folder of the Unix sockets; it goes with this object."""
        return make_socket_folder(self)

    @property
    def encoder_metrics(self) -> str:
        """The Unix socket of the encoder's metrics."""
        return metrics_socket(self.environment()["METRICS_ADDRESS"], ENCODER_METRICS_PORT)

    @property
    def url(self) -> str:
        """Where the page and the gateway are."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    @property
    def encoder_address(self) -> str:
        """Where the encoder's gRPC is."""
        return f"127.0.0.1:{self.ports.encoder}"

    @property
    def logs(self) -> Path:
        """The folder of log files, one a service."""
        return self.state / "logs"

    def environment(self) -> dict[str, str]:
        """Return the environment of all services; each reads its own settings."""
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        chosen = {
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            "BUCKET_URL": self.bucket.resolve().as_uri(),
            "BUCKET_WRITABLE": str(self.writable).lower(),
            "THUMBNAIL_URL": (self.state / "thumbnails").resolve().as_uri(),
            "REDIS_URL": f"unix://{quote(str(self.sockets / 'redis'))}?db=0",
            "METRICS_ADDRESS": f"unix:{self.sockets / 'metrics'}",
            "ENCODER_ADDRESSES": self.encoder_address,
            "ENCODER_PORT": str(self.ports.encoder),
            "ENCODER_METRICS_PORT": str(ENCODER_METRICS_PORT),
            "ENCODER_CACHE_DIR": str(self.models.resolve()),
            "EDGE_DATA_DIR": str((self.state / "qdrant").resolve()),
            "GATEWAY_PORT": str(self.ports.gateway),
        }
        if self.page is not None:
            chosen["GATEWAY_PAGE_DIR"] = str(self.page.resolve())
        if self.docs is not None:
            chosen["GATEWAY_DOCS_DIR"] = str(self.docs.resolve())
        if not self.has_external_qdrant:
            socket = self.sockets / "qdrant"
            chosen |= {"QDRANT_URL": f"unix://{quote(str(socket))}", "EDGE_ADDRESS": f"unix:{socket}"}
            chosen["QDRANT_API_KEY"] = self.database_key
        return inherited | chosen | self.settings

    @property
    def has_external_qdrant(self) -> bool:
        """Whether a Qdrant elsewhere is used, in place of qdrant-edge."""
        return "QDRANT_URL" in self.settings

    def services(self) -> list[Service]:
        """Return the services to run, dependencies first."""
        environment = self.environment()
        scripts = Path(sys.executable).parent
        redis = redis_command(self.sockets / "redis", (self.state / "redis").resolve())
        names = ["encoder", "ingest-worker", "watcher", "map-worker", "search-gateway"]
        if not self.has_external_qdrant:
            names.insert(0, "qdrant-edge")
        return [Service("redis", redis, environment)] + [
            Service(
                name, [str(scripts / f"sightline-{name}")], environment | (self.fetching if name == "encoder" else {})
            )
            for name in names
        ]

    def make_folders(self) -> None:
        """Create the folders that the services write to, for their owner alone."""
        for folder in (self.state, self.logs, self.models, *(self.state / name for name in STATE_FOLDERS)):
            make_private(folder)
