"""Settings of maps, for the gateway that takes requests and for the worker that computes."""

from __future__ import annotations

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup, available_cores

MEBIBYTE = 1024 * 1024


class MapSettings(SettingsGroup):
    """`MAPS_*`."""

    model_config = SettingsConfigDict(env_prefix="MAPS_")

    max_points: int = Field(default=50_000, ge=10, le=200_000)
    """Pictures on one map at most; others are left out by a sample."""
    max_waiting: int = Field(default=20, ge=1, le=1000)
    """Maps that may wait for a worker; more are refused."""
    keep_days: float = Field(default=30, gt=0, le=3650)
    """How long a map is kept after it was last computed."""
    max_kept: int = Field(default=200, ge=1, le=10_000)
    """Maps kept at most; the oldest go first."""
    max_bytes: int = Field(default=64 * MEBIBYTE, ge=MEBIBYTE)
    """What maps may take of Redis, whose memory they share with the queues; the oldest go first. A point takes some 40
    bytes. Keep it well below Redis's own limit, 256 MB in docker-compose."""
    threads: int = Field(default_factory=available_cores, ge=1, le=256)
    """Threads of the worker, which computes one map at a time."""
    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The worker is `maps@NAME` in the queue's eyes; two on one machine need two names."""
    metrics_address: str = "127.0.0.1"
    metrics_port: int = Field(default=9104, ge=0, le=65535)
    """Of the worker; 0 serves no metrics."""

    @property
    def node(self) -> str:
        """The worker's name in the queue's eyes."""
        return f"maps@{self.name}"
