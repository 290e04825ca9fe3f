"""The gateway's settings."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from sightline_bucket import BucketSettings, ThumbnailSettings
from sightline_catalogue import CatalogueSettings
from sightline_pictures import PictureSettings
from sightline_service import LogSettings, SettingsGroup
from sightline_service.disk_space import DiskSettings
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.queues import QueueSettings
from sightline_service.tracing import TracingSettings

from sightline_search_gateway.body_budget import COPIES
from sightline_search_gateway.maps.settings import MEBIBYTE, MapSettings

SHORTEST_KEY = 16
CHECKOUT_DOCS_DIR = Path(__file__).parents[2] / "web" / "node_modules" / "swagger-ui-dist"


class GatewaySettings(SettingsGroup):
    """The gateway."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_")

    address: str = "127.0.0.1"
    """The address on which it listens."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port on which it listens; 0 takes a free one."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes; each has caches and connections of its own."""
    threads: int = Field(default=16, ge=2, le=512)
    """Requests that are answered at once, in each process; health checks have threads besides."""
    drain_seconds: int = Field(default=30, ge=1, le=600)
    """How long SIGTERM waits for requests under way."""
    socket_seconds: float = Field(default=30, ge=1, le=3600)
    """A connection on which nothing moves for so long is closed."""

    page_dir: Path | None = None
    """The built page; unset means that something else serves it."""
    docs_dir: Path | None = None
    """The files of npm's swagger-ui-dist for /docs; unset means PAGE_DIR/swagger-ui, else the checkout's."""

    api_keys: SecretStr = SecretStr("")
    """Keys of at least 16 characters, separated by commas. If there are any, uploads, deletes, maps, rescans and
    retries need one. Programs send it as `X-API-Key` or as a bearer token; the page asks for it."""
    read_keys: SecretStr = SecretStr("")
    """Keys for reading, likewise. If there are any, searches, lists, pictures, maps and counts need one, or one of
    GATEWAY_API_KEYS; without GATEWAY_API_KEYS nothing can be changed then."""
    session_days: int = Field(default=30, ge=1, le=400)
    """How many days the page stays signed in if a person asks for that; otherwise it is signed out when the browser is
    closed, and after a day at the latest."""
    trusted_proxies: str = ""
    """Addresses and networks of proxies, separated by commas (10.1.2.3, 172.20.0.0/16). The gateway believes what they
    say of the client's address (`X-Forwarded-For`) and of the user."""
    trusted_user_header: str = Field(default="", pattern=r"^[A-Za-z0-9-]*$")
    """The header in which a trusted proxy names the signed-in user (X-Forwarded-User). If it is set, reading needs a
    user or a key. The proxy must remove it from what clients send."""
    editors: str = ""
    """The users, separated by commas, who may change something; others only read. `*` means all users."""
    trusted_origins: str = ""
    """Origins (https://photos.example) whose pages may send something, besides the gateway's own."""
    trusted_hosts: str = ""
    """Public host names (photos.example, *.example) that the gateway answers to, besides IP addresses and names that
    cannot be public; `*` for any."""

    query_cache_size: int = Field(default=10_000, ge=0, le=1_000_000)
    """Texts whose vectors are kept, in each process; 0 keeps none."""
    preview_cache_bytes: int = Field(default=64 * MEBIBYTE, ge=0)
    """Bytes of previews kept in memory, in each process."""
    timeout_seconds: float = Field(default=5, gt=0, le=600)
    """How long a request waits for the encoder, and for the catalogue."""

    upload_max_files: int = Field(default=500, ge=1, le=10_000)
    """Files of one upload at most."""
    upload_seconds: float = Field(default=240, gt=0, le=86_400)
    """How many seconds decoding all files of one upload may take; those that are left are refused."""
    upload_max_bytes: int = Field(default=256 * MEBIBYTE, ge=1)
    """Bytes of one upload at most; it lies in the folder of temporary files twice until it is done."""

    body_budget_bytes: int = Field(default=0, ge=0)
    """Bytes that the bodies of requests under way may take in the folder of temporary files, in all processes together;
    further ones are refused until there is room. 0 means enough for one upload of GATEWAY_UPLOAD_MAX_BYTES (or a query
    of IMAGE_MAX_BYTES), which is there twice, and some more."""

    @field_validator("page_dir")
    @classmethod
    def _check_page(cls, value: Path | None) -> Path | None:
        if value is not None and not (value / "index.html").is_file():
            raise ValueError("holds no index.html; build the page first, or leave it unset")
        return value

    @field_validator("trusted_origins")
    @classmethod
    def _check_origins(cls, value: str) -> str:
        for origin in split(value):
            scheme, separator, host = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not host or "/" in host:
                raise ValueError(f"{origin!r} is not an origin such as https://photos.example or http://host:8080")
        return value

    @field_validator("trusted_hosts")
    @classmethod
    def _check_hosts(cls, value: str) -> str:
        for host in split(value):
            if "/" in host or "@" in host or ("*" in host and host != "*" and not host.startswith("*.")):
                raise ValueError(f"{host!r} is not a host name such as photos.example, *.example or *")
        return value

    @field_validator("api_keys", "read_keys")
    @classmethod
    def _check_keys(cls, value: SecretStr) -> SecretStr:
        if any(len(key) < SHORTEST_KEY for key in split(value.get_secret_value())):
            raise ValueError(f"a key must have at least {SHORTEST_KEY} characters")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: str) -> str:
        for network in split(value):
            try:
                parse_network(network)
            except ValueError:
                raise ValueError(
                    f"{network!r} is not an address such as 10.1.2.3 or a network such as 10.1.0.0/16"
                ) from None
        return value

    @model_validator(mode="after")
    def _check_user_header(self) -> GatewaySettings:
        if self.trusted_user_header and not self.trusted_networks:
            raise ValueError("GATEWAY_TRUSTED_USER_HEADER needs GATEWAY_TRUSTED_PROXIES: whose word it is")
        if self.editors and not self.trusted_user_header:
            raise ValueError("GATEWAY_EDITORS needs GATEWAY_TRUSTED_USER_HEADER, which names the users")
        return self

    @property
    def api_key_list(self) -> list[str]:
        """The keys that allow everything, one an entry."""
        return split(self.api_keys.get_secret_value())

    @property
    def read_key_list(self) -> list[str]:
        """The keys that allow to read, one an entry."""
        return split(self.read_keys.get_secret_value())

    @property
    def trusted_networks(self) -> list[IPv4Network | IPv6Network]:
        """The networks of trusted proxies."""
        return [parse_network(network) for network in split(self.trusted_proxies)]

    @property
    def editor_list(self) -> list[str]:
        """The users who may change something."""
        return split(self.editors)

    @property
    def trusted_origin_list(self) -> list[str]:
        """The origins, in lower case."""
        return [origin.lower() for origin in split(self.trusted_origins)]

    @property
    def trusted_host_list(self) -> list[str]:
        """The host names, in lower case."""
        return [host.lower() for host in split(self.trusted_hosts)]

    @property
    def docs_folder(self) -> Path:
        """Where Swagger UI's files should be."""
        if self.docs_dir is not None:
            return self.docs_dir
        if self.page_dir is not None and (self.page_dir / "swagger-ui").is_dir():
            return self.page_dir / "swagger-ui"
        return CHECKOUT_DOCS_DIR


class Settings(SettingsGroup):
    """Everything that the gateway reads from the environment."""

    gateway: GatewaySettings = Field(default_factory=GatewaySettings)
    bucket: BucketSettings = Field(default_factory=BucketSettings)  # type: ignore[arg-type]
    pictures: PictureSettings = Field(default_factory=PictureSettings)
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    encoder: EncoderClientSettings = Field(default_factory=EncoderClientSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    thumbnails: ThumbnailSettings = Field(default_factory=ThumbnailSettings)  # type: ignore[arg-type]
    disk: DiskSettings = Field(default_factory=DiskSettings)
    maps: MapSettings = Field(default_factory=MapSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)

    @model_validator(mode="after")
    def _check_body_budget(self) -> Settings:
        if self.gateway.body_budget_bytes and self.gateway.body_budget_bytes < self._least_body_budget:
            raise ValueError(
                f"GATEWAY_BODY_BUDGET_BYTES={self.gateway.body_budget_bytes}: at least {self._least_body_budget}, or an"
                " upload of GATEWAY_UPLOAD_MAX_BYTES, or a query of IMAGE_MAX_BYTES, never fits"
            )
        return self

    @property
    def _least_body_budget(self) -> int:
        return COPIES * (max(self.gateway.upload_max_bytes, self.pictures.max_bytes) + MEBIBYTE)

    @property
    def body_budget(self) -> int:
        """Bytes that the bodies of requests under way may take."""
        return self.gateway.body_budget_bytes or self._least_body_budget * 17 // 16


def split(value: str) -> list[str]:
    """Return the parts of a comma-separated list, without what is empty."""
    return [part.strip() for part in value.split(",") if part.strip()]


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Return a network, or an address as a network of one.

    Raises:
        ValueError: It is neither.
    """
    return ip_network(text, strict=False)
