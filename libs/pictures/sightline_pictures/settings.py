"""The limits of a picture."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from sightline_service import SettingsGroup


class PictureSettings(SettingsGroup):
    """What is refused before it is decoded, everywhere."""

    model_config = SettingsConfigDict(env_prefix="IMAGE_")

    max_bytes: int = Field(default=64 * 1024 * 1024, ge=1, le=2**31 - 1)
    """The most bytes that an image file may have."""
    max_pixels: int = Field(default=200_000_000, ge=1, le=2**31 - 1)
    """The most pixels that an image may have, width times height."""
