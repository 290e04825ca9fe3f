"""The worker's name, apart from its other settings: `--ping`, a health check, need not load them."""

from __future__ import annotations

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup


class NodeSettings(SettingsGroup):
    """`WORKER_NAME`."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The worker's name: Celery knows it as `ingest@NAME`; unset means the host's name. Two on one machine need two
    names."""

    @property
    def node(self) -> str:
        """Celery's name of the worker's node."""
        return f"ingest@{self.name}"
