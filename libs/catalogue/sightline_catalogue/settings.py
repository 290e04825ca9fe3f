"""Settings of whoever talks to Qdrant."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup

GRPC_PORT = 6334
"""Qdrant's own default."""


class CatalogueSettings(SettingsGroup):
    """Where Qdrant is, how long to wait for it, and what a new collection and a search are like."""

    model_config = SettingsConfigDict(env_prefix="QDRANT_")

    url: str = f"http://127.0.0.1:{GRPC_PORT}"
    """Scheme, host and gRPC port; `https://` means TLS."""
    api_key: SecretStr | None = None
    timeout_seconds: float = Field(default=10.0, gt=0, le=600)
    """How long one call may take, its retries included."""
    shard_number: int = Field(default=1, ge=1, le=1024)
    """Of a new collection: into how many parts a cluster divides it."""
    replication_factor: int = Field(default=1, ge=1, le=64)
    """Of a new collection: how many nodes of a cluster hold each part."""
    preload: bool = True
    """Of a new collection: whether the server reads full vectors, payloads and their indexes ahead into the page cache
    when it opens them, or from the disk when a search first needs them. They are on the disk either way, and the system
    may take the pages back."""
    hnsw_ef: int = Field(default=256, ge=16, le=8192)
    """Of a search through the index: how many candidates are held; more is slower and finds more."""
    oversampling: float = Field(default=2.0, ge=1, le=16)
    """Of a search through the index: how many times the limit is looked up by int8 and scored again in full."""

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fits = False
        if not fits or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
            raise ValueError(f"must be http://HOST:PORT or https://HOST:PORT of Qdrant's gRPC, {GRPC_PORT} by default")
        return value

    @property
    def host(self) -> str:
        """The host; an IPv6 address is in brackets."""
        host = urlsplit(self.url).hostname or ""
        return f"[{host}]" if ":" in host else host

    @property
    def port(self) -> int:
        """The gRPC port."""
        return urlsplit(self.url).port or GRPC_PORT

    @property
    def encrypted(self) -> bool:
        """Whether to use TLS."""
        return urlsplit(self.url).scheme == "https"
