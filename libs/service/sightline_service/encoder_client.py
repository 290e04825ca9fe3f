"""The encoders' addresses, and a client of them, for the services that call them.

Needs the `encoder` extra.
"""

from __future__ import annotations

from pydantic import Field, FilePath, field_validator
from pydantic_settings import SettingsConfigDict
from sightline.encoder.client import EncoderClient
from sightline.grpc_client import check_names

from sightline_service.request_ids import request_metadata
from sightline_service.settings import HeaderSecret, SettingsGroup


class EncoderClientSettings(SettingsGroup):
    """The encoders, as their clients reach them."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_")

    addresses: str = "127.0.0.1:50051"
    """The encoders as HOST:PORT, separated by commas; calls are spread over them, and over all addresses of a host
    name."""
    attempt_seconds: float = Field(default=1.0, gt=0, le=60)
    """How long one of several encoders has to answer a query before a second one is asked, and it is passed over."""
    token: HeaderSecret | None = None
    """The bearer token that calls need; unset means none. Health checks need none."""
    ca_file: FilePath | None = None
    """The certificate of the authority that signed the encoders' TLS certificates; unset means no TLS."""

    @field_validator("addresses")
    @classmethod
    def _check_addresses(cls, value: str) -> str:
        check_names([address.strip() for address in value.split(",")])
        return value

    @property
    def address_list(self) -> list[str]:
        """The addresses, one an entry."""
        return [address.strip() for address in self.addresses.split(",")]


def open_encoder(settings: EncoderClientSettings) -> EncoderClient:
    """Return the encoders' client, whose calls carry the request's id; it connects on its first call."""
    token = settings.token
    return EncoderClient(
        settings.address_list,
        token=token.get_secret_value() if token is not None else None,
        ca_file=settings.ca_file,
        attempt_seconds=settings.attempt_seconds,
        call_metadata=request_metadata,
    )
