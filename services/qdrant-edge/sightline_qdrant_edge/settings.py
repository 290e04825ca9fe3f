"""Settings of the service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import LogSettings, SettingsGroup
from sightline_service.disk_space import DiskSettings

from sightline_qdrant_edge.schema import SEGMENT_MB


class EdgeSettings(SettingsGroup):
    """qdrant-edge, in place of a Qdrant server."""

    model_config = SettingsConfigDict(env_prefix="EDGE_")

    data_dir: Path = Path("data/qdrant-edge")
    """The folder of the data; one process at a time, a second one is told who has it."""
    address: str = "127.0.0.1"
    """The address on which it listens, or unix:/PATH for a Unix socket."""
    port: int = Field(default=6334, ge=0, le=65535)
    """The gRPC port; 0 takes a free one and logs it."""
    metrics_port: int = Field(default=0, ge=0, le=65535)
    """The port on which `/metrics` is served; 0 switches it off."""
    index_threshold: int = Field(default=50_000, ge=100)
    """An index is built above so many points that have a vector and no index."""
    segment_mb: int = Field(default=SEGMENT_MB, ge=1, le=2**20)
    """Vectors that a build brings together in one segment, in MB of 2^20 bytes; a larger collection has several."""
    cache_mb: int = Field(default=256, ge=0, le=2**20)
    """How many MB of 2^20 bytes a collection keeps of the points found last, as they are sent: 256 hold some 90,000. A
    collection of more than twice as much keeps an eighth."""
    api_key: str = Field(default="", validation_alias="QDRANT_API_KEY", repr=False, exclude=True)
    """Where it is set, calls need it as `api-key` or bearer token, as with Qdrant."""
    read_only_api_key: str = Field(default="", validation_alias="QDRANT_READ_ONLY_API_KEY", repr=False, exclude=True)
    """Where it is set, calls that read may have it in place of the other."""
    disk: DiskSettings = Field(default_factory=DiskSettings)
    log: LogSettings = Field(default_factory=LogSettings)
