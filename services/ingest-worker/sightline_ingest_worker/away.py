"""Which service is away when a call to it fails."""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError
from sightline.encoder.client import EncoderError
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueError

_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (EncoderError, "encoder"),
    (CatalogueError, "qdrant"),
    (BucketUnavailable, "bucket"),
    (redis.RedisError, "redis"),
    (OperationalError, "redis"),
)
AWAY = tuple(kind for kind, _ in _ERRORS)
"""What a call raises whose service is away; to be caught."""
SERVICES = ("encoder", "qdrant", "bucket", "redis")


def service_of(error: Exception) -> str:
    """Return the name of the service, one of `SERVICES`; `other` for an error that tells of none."""
    return next((name for kind, name in _ERRORS if isinstance(error, kind)), "other")
