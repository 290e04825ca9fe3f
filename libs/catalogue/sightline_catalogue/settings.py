"""Where the vector database is, and how it is asked."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup


class CatalogueSettings(SettingsGroup):
    """QDRANT_*: the vector database, a Qdrant server or `qdrant-edge`."""

    model_config = SettingsConfigDict(env_prefix="QDRANT_")

    url: str = "http://127.0.0.1:6334"
    """The port is gRPC's. `https` means TLS."""
    api_key: SecretStr | None = None
    timeout_seconds: float = Field(default=10.0, gt=0, le=600)
    """Of one call, its retries included."""

    shard_number: int = Field(default=1, ge=1, le=1024)
    replication_factor: int = Field(default=1, ge=1, le=64)
    """Of new collections; past one machine, Qdrant's own cluster carries the load."""

    hnsw_ef: int = Field(default=256, ge=4, le=100_000)
    """How many candidates a search keeps: more finds more of the true neighbours, and takes longer."""
    oversampling: float = Field(default=2.0, ge=1.0, le=100.0)
    """How many times the wanted number is taken by quantized vectors and put in order by the full ones."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be http://HOST:PORT or https://HOST:PORT, with the port of Qdrant's gRPC (6334)")
        return value

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.api_key is not None and not self.api_key.get_secret_value().isascii():
            raise ValueError("QDRANT_API_KEY: ASCII characters only")
        return self

    @property
    def host(self) -> str:
        """The host's name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of gRPC."""
        return urlsplit(self.url).port or 6334

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "https"
