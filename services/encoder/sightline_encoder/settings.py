"""Settings of the encoder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from sightline_pictures import PictureSettings
from sightline_service import HeaderSecret, LogSettings, SettingsGroup, available_cores
from sightline_service.metrics import MetricsSettings
from sightline_service.tracing import TracingSettings

from sightline_encoder import limits


def default_cache_dir() -> Path:
    """Return the default folder for converted models, in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sightline" / "encoder"


class EncoderSettings(SettingsGroup):
    """The encoder."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_")

    log: LogSettings = Field(default_factory=LogSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    tracing: TracingSettings = Field(default_factory=TracingSettings)
    pictures: PictureSettings = Field(default_factory=PictureSettings)

    models: str = "embedded"
    """The models to serve, separated by commas, the default one first: `embedded`, ARCH/TAG, hf-hub:ORG/NAME,
    local-dir:/folder or path:/file.safetensors@ARCH."""
    visual_model: str | None = None
    """A timm model whose vectors compare pictures with pictures, beside each model of open_clip: its name, or
    local-dir:/folder; unset means that those have none. `embedded` has its own."""
    rerank: Literal["auto", "true", "false"] = "auto"
    """Whether what a text finds is put in order by what the best of it look like: `false`, `true` for every model with
    a visual vector, or `auto`, for those with which it was measured to be better: `embedded`."""
    address: str = "127.0.0.1"
    """The address on which gRPC is served."""
    port: int = Field(default=50051, ge=0, le=65535)
    """The port on which gRPC is served."""
    metrics_port: int = Field(default=9101, ge=0, le=65535)
    """The port on which `/metrics` is served; 0 switches it off."""

    runtime: Literal["auto", "torch", "openvino"] = "auto"
    """The runtime: `torch`, `openvino`, or `auto`, which is torch where there is a GPU and else OpenVINO."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """The device: `cpu`, `cuda`, `cuda:N`, or `auto`, which is a GPU where there is one."""
    precision: Literal["auto", "f32", "bf16"] = "auto"
    """The precision: `f32`, `bf16`, or `auto`, which is bf16 on a GPU. On a CPU that supports bf16, `auto` uses it for
    each tower whose vectors stay the same (a cosine of at least 0.9995 in a check at the first start)."""
    compile: Literal["auto", "true", "false"] = "auto"
    """Whether torch.compile is used: `true`, `false`, or `auto`, which is on a GPU."""
    threads: int = Field(default=0, ge=0, le=1024)
    """Threads of one forward pass on the CPU, and as many that decode images; 0 means as many as there are cores."""
    cache_dir: Path = Field(default_factory=default_cache_dir)
    """The folder for converted models; sightline/encoder in the user's cache folder where none is set."""

    max_batch_size: int = Field(default=8, ge=1, le=1024)
    """Images of one forward pass at most. On a CPU larger batches are no faster, and a query by picture waits longer
    for the one that has begun; for a GPU set about 64."""
    max_text_batch_size: int = Field(default=32, ge=1, le=1024)
    """Texts of one forward pass at most."""
    queue_size: int = Field(default=512, ge=1, le=1_000_000)
    """Items that may wait, for each model, kind and priority; more are refused."""
    queue_bytes: int = Field(default=536_870_912, ge=1_048_576)
    """Bytes of images that may wait, all together."""
    max_message_bytes: int = Field(default=83_886_080, ge=1_048_576, le=2_147_483_647)
    """The most bytes that one message may have."""

    token: HeaderSecret | None = None
    """The bearer token that calls need; unset means none. Health checks need none."""
    tls_cert_file: Path | None = None
    """The certificate for TLS; set together with ENCODER_TLS_KEY_FILE or not at all."""
    tls_key_file: Path | None = None
    """The key of ENCODER_TLS_CERT_FILE."""
    drain_seconds: float = Field(default=20.0, ge=0, le=3600)
    """How long SIGTERM waits for calls under way."""

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

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError("ENCODER_TLS_CERT_FILE and ENCODER_TLS_KEY_FILE are set together or not at all")
        if self.queue_size < (least := max(limits.MAX_TEXTS, limits.MAX_IMAGES)):
            raise ValueError(f"ENCODER_QUEUE_SIZE={self.queue_size}: at least {least}, or a full request never fits")
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
        """Threads of one forward pass on the CPU, and as many that decode images."""
        return self.threads or available_cores()
