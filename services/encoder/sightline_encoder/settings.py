"""What the service may be told, checked when it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from sightline_pictures import PictureSettings
from sightline_service import LogSettings, SettingsGroup, available_cores


def default_cache_dir() -> Path:
    """Return the folder for converted models where none is set: of the user's caches."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sightline" / "encoder"


class EncoderSettings(SettingsGroup):
    """Everything that the service reads from the environment; the README has the table."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_")

    log: LogSettings = Field(default_factory=LogSettings)
    pictures: PictureSettings = Field(default_factory=PictureSettings)

    models: str = "embedded"
    """Ids separated by commas; the first is the default."""
    address: str = "127.0.0.1"
    port: int = Field(default=50051, ge=0, le=65535)
    metrics_address: str = "127.0.0.1"
    metrics_port: int = Field(default=9101, ge=0, le=65535)

    runtime: Literal["auto", "torch", "openvino"] = "auto"
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    precision: Literal["auto", "f32", "bf16"] = "auto"
    compile: Literal["auto", "true", "false"] = "auto"
    """Whether torch.compile is used; auto: on CUDA."""
    threads: int = Field(default=0, ge=0, le=1024)
    """Of one forward pass on the CPU; 0: all cores of this process."""
    decode_threads: int = Field(default=0, ge=0, le=256)
    cache_dir: Path = Field(default_factory=default_cache_dir)

    max_batch_size: int = Field(default=8, ge=1, le=1024)
    """Pictures of one forward pass. On a CPU more are no faster, and a picture that somebody searches by waits for the
    batch that has begun; a GPU wants more."""
    max_text_batch_size: int = Field(default=32, ge=1, le=1024)
    interactive_wait_ms: float = Field(default=2.0, ge=0, le=1000)
    bulk_wait_ms: float = Field(default=10.0, ge=0, le=10_000)
    queue_size: int = Field(default=512, ge=1, le=1_000_000)
    """Items that may wait, for each model, kind and priority."""
    queue_bytes: int = Field(default=536_870_912, ge=1_048_576)
    """Bytes of images that may wait, all together."""

    max_texts: int = Field(default=256, ge=1, le=100_000)
    max_images: int = Field(default=64, ge=1, le=10_000)
    max_text_bytes: int = Field(default=16_384, ge=1)
    max_message_bytes: int = Field(default=83_886_080, ge=1_048_576, le=2_147_483_647)

    token: SecretStr | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    drain_seconds: float = Field(default=20.0, ge=0, le=3600)

    @field_validator("models")
    @classmethod
    def _check_models(cls, value: str) -> str:
        ids = [name.strip() for name in value.split(",")]
        if not all(ids):
            raise ValueError("model ids separated by commas, none of them empty")
        if len(set(ids)) < len(ids):
            raise ValueError("each model may be listed once")
        return value

    @field_validator("tls_cert_file", "tls_key_file")
    @classmethod
    def _check_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("no such file")
        return value

    @field_validator("token")
    @classmethod
    def _check_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not (value.get_secret_value().isascii() and value.get_secret_value().isprintable()):
            raise ValueError("printable ASCII characters only")
        return value

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("ENCODER_TLS_CERT_FILE and ENCODER_TLS_KEY_FILE are set together or not at all")
        if self.queue_size < max(self.max_texts, self.max_images):
            raise ValueError(
                f"ENCODER_QUEUE_SIZE={self.queue_size}: at least ENCODER_MAX_TEXTS={self.max_texts} and"
                f" ENCODER_MAX_IMAGES={self.max_images}, or a full request never fits"
            )
        if self.queue_bytes < self.max_message_bytes:
            raise ValueError(
                f"ENCODER_QUEUE_BYTES={self.queue_bytes}: at least ENCODER_MAX_MESSAGE_BYTES={self.max_message_bytes},"
                " or a full request never fits"
            )
        return self

    @property
    def model_ids(self) -> list[str]:
        """The models to serve, the default first."""
        return [name.strip() for name in self.models.split(",")]

    @property
    def forward_threads(self) -> int:
        """Threads of one forward pass on the CPU."""
        return self.threads or available_cores()

    @property
    def picture_threads(self) -> int:
        """Threads that decode pictures."""
        return self.decode_threads or available_cores()
