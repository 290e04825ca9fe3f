"""The worker's name, apart from its other settings: whoever only asks whether it is well need not load them."""

from __future__ import annotations

import socket

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup


class NodeSettings(SettingsGroup):
    """`WORKER_NAME`."""

    model_config = SettingsConfigDict(env_prefix="WORKER_")

    name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]+$")
    """The worker is `ingest@NAME` in the queue; unset means the host's name. Two on one machine need two names."""

    @property
    def node(self) -> str:
        """The worker's name in the queue's eyes."""
        return f"ingest@{self.name}"
