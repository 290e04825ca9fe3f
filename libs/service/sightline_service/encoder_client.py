"""Where the encoders are, and a client of them; for the services that call them.

Needs the `encoder` extra.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict
from sightline.encoder.client import EncoderClient

from sightline_service.settings import SettingsGroup


class EncoderClientSettings(SettingsGroup):
    """How a service reaches the encoders."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_")

    addresses: str = "127.0.0.1:50051"
    """HOST:PORT, several separated by commas; calls go round them, and a host name with several addresses counts
    as several."""
    token: SecretStr | None = None
    ca_file: Path | None = None
    """The certificate authority of encoders that serve TLS; unset means no TLS."""
    timeout_seconds: float = Field(default=10.0, gt=0, le=600)

    @field_validator("addresses")
    @classmethod
    def _check_addresses(cls, value: str) -> str:
        for address in value.split(","):
            host, _, port = address.strip().rpartition(":")
            if not host or not port.isdecimal() or not 0 < int(port) < 65536:
                raise ValueError(f"{address.strip()!r} is not HOST:PORT")
        return value

    @property
    def address_list(self) -> list[str]:
        """The addresses, one an entry."""
        return [address.strip() for address in self.addresses.split(",")]


def open_encoder(settings: EncoderClientSettings) -> EncoderClient:
    """Return the encoders' client; it connects on its first call."""
    token = settings.token
    return EncoderClient(
        settings.address_list,
        token=token.get_secret_value() if token is not None else None,
        ca_file=settings.ca_file,
        timeout_seconds=settings.timeout_seconds,
    )
