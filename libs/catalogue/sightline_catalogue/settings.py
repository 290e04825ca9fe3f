"""Settings of the catalogue."""

from __future__ import annotations

from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field, FilePath, field_validator
from pydantic_settings import SettingsConfigDict
from sightline_service import HeaderSecret, SettingsGroup

GRPC_PORT = 6334
REST_PORT = 6333
"""Qdrant's own defaults."""


class CatalogueSettings(SettingsGroup):
    """The vector database."""

    model_config = SettingsConfigDict(env_prefix="QDRANT_")

    url: str = f"http://127.0.0.1:{GRPC_PORT}"
    """Qdrant, or qdrant-edge: scheme, host and gRPC port, `https://` for TLS; several nodes separated by commas. Calls
    are spread over them, and over all addresses of a host name. Or unix:///PATH, a Unix socket of this machine."""
    api_key: HeaderSecret | None = None
    """The key that Qdrant wants, if any."""
    ca_file: FilePath | None = None
    """The certificate of the authority that signed Qdrant's own; unset means those that the system trusts."""
    compression: bool = False
    """Whether Qdrant may compress its answers: for one that is far away. On a local network that takes longer than it
    saves."""
    rest_port: int = Field(default=REST_PORT, ge=1, le=65535)
    """The port of Qdrant's REST on every node, by which the state of a cluster is asked for and repaired."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=600)
    """How long one call to Qdrant may take, its retries included."""
    attempt_seconds: float = Field(default=1.0, gt=0, le=60)
    """How long one of several nodes has to answer before another is asked as well, and it is passed over for a while;
    also when the nodes' state is asked for."""
    shard_number: int = Field(default=1, ge=1, le=1024)
    """Into how many parts a Qdrant cluster divides a new collection."""
    replication_factor: int = Field(default=1, ge=1, le=64)
    """How many nodes of a Qdrant cluster hold each part of a new collection."""
    preload: bool = True
    """Whether Qdrant reads the full vectors and payloads of a new collection ahead into the system's page cache, so
    that the first searches are fast; `false` reads each from the disk when it is needed, for more vectors than
    memory."""
    hnsw_ef: int | None = Field(default=None, ge=16, le=8192)
    """How many candidates a search holds in each segment of the index; more is slower and finds more. Unset means 256
    for images, 768 where the query has a text, and half of that where the collection has four segments or more."""
    oversampling: float = Field(default=2.0, ge=1, le=16)
    """How many times its limit a search through the index looks up by int8 vectors and scores again by full ones."""
    max_depth: int = Field(default=1000, ge=200, le=10_000)
    """How many of the nearest images can be paged through; deeper pages are refused, since a search for them holds as
    many candidates."""

    @field_validator("url")
    @classmethod
    def _are_addresses(cls, value: str) -> str:
        schemes = set()
        for url in value.split(","):
            try:
                parts = urlsplit(url.strip())
                fits = _is_address(parts)
            except ValueError:
                fits = False
            if not fits or parts.query or parts.fragment or "@" in parts.netloc:
                raise ValueError(
                    f"must be http://HOST:PORT or https://HOST:PORT of Qdrant's gRPC, {GRPC_PORT} by default; several "
                    "are separated by commas; or unix:///PATH"
                )
            schemes.add(parts.scheme)
        if len(schemes) > 1:
            raise ValueError("must be all http:// or all https://")
        return value

    @property
    def addresses(self) -> list[str]:
        """HOST:PORT of each node's gRPC; an IPv6 address is in brackets. A Unix socket is unix:/PATH."""
        found = []
        for url in self.url.split(","):
            parts = urlsplit(url.strip())
            if parts.scheme == "unix":
                found.append(f"unix:{unquote(parts.path)}")
                continue
            host = parts.hostname or ""
            found.append(f"{f'[{host}]' if ':' in host else host}:{parts.port or GRPC_PORT}")
        return found

    @property
    def encrypted(self) -> bool:
        """Whether to use TLS."""
        return urlsplit(self.url).scheme == "https"


def _is_address(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return not parts.netloc and len(parts.path) > 1
    return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
