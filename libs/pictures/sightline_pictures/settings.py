"""Settings: the limits of one image."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup


class PictureSettings(SettingsGroup):
    """Limits of an image, checked before it is decoded."""

    model_config = SettingsConfigDict(env_prefix="IMAGE_")

    max_bytes: int = Field(default=64 * 1024 * 1024, ge=1, le=2**31 - 1)
    """Bytes of an image file at most."""
    max_pixels: int = Field(default=200_000_000, ge=1, le=2**31 - 1)
    """Pixels of an image at most, width times height."""
    max_seconds: float = Field(default=30, gt=0, le=3600)
    """How many seconds decoding an image may take; one that takes longer is refused. The ingest worker takes no more
    than 60."""
