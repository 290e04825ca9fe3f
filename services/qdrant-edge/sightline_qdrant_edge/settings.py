"""Settings of the service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import LogSettings, SettingsGroup

from sightline_qdrant_edge.schema import SEGMENT_MB


class EdgeSettings(SettingsGroup):
    """Where the data lies, where the server listens, and when an index is built."""

    model_config = SettingsConfigDict(env_prefix="EDGE_")

    data_dir: Path = Path("data/qdrant-edge")
    address: str = "127.0.0.1"
    port: int = Field(default=6334, ge=0, le=65535)
    metrics_port: int = Field(default=0, ge=0, le=65535)
    index_threshold: int = Field(default=50_000, ge=100)
    segment_mb: int = Field(default=SEGMENT_MB, ge=1, le=2**20)
    max_message_bytes: int = Field(default=64 * 1024 * 1024, ge=64 * 1024, le=2**31 - 1)
    threads: int = Field(default=8, ge=1, le=256)
    flush_seconds: float = Field(default=5.0, gt=0, le=3600)
    stop_seconds: float = Field(default=10.0, ge=0, le=600)
    api_key: str = Field(default="", repr=False)
    log: LogSettings = Field(default_factory=LogSettings)
