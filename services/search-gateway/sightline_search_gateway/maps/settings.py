"""Settings of maps, for the gateway that takes requests and for the worker that computes."""

from __future__ import annotations

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup, available_cores

MEBIBYTE = 1024 * 1024


class MapSettings(SettingsGroup):
    """Maps: the gateway that takes requests, and the map worker."""

    model_config = SettingsConfigDict(env_prefix="MAPS_")

    max_points: int = Field(default=50_000, ge=10, le=200_000)
    """Images on one map at most; of more, a sample is taken."""
    max_waiting: int = Field(default=20, ge=1, le=1000)
    """Maps that may wait for a worker; more are refused."""
    keep_days: float = Field(default=30, gt=0, le=3650)
    """How long a map is kept after it was last computed."""
    max_bytes: int = Field(default=64 * MEBIBYTE, ge=MEBIBYTE)
    """Bytes of Redis that maps may take, some 64 a point; the oldest go first. Redis holds the queues too: stay well
    below its `maxmemory`, 256 MB in docker-compose."""
    threads: int = Field(default_factory=available_cores, ge=1, le=256)
    """Threads of the map worker, which computes one map at a time; unset means as many as there are cores."""
    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The map worker's name; unset means the host's name. Two on one machine need two names."""
    metrics_port: int = Field(default=9104, ge=0, le=65535)
    """The port on which the map worker serves `/metrics` and `/healthz`; 0 switches it off."""
