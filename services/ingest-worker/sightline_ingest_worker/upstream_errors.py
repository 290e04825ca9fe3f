"""The exceptions that mean that a service does not answer, and the name of that service."""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError
from sightline.encoder.client import EncoderError
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueError

_SERVICE_OF: tuple[tuple[type[Exception], str], ...] = (
    (EncoderError, "encoder"),
    (CatalogueError, "qdrant"),
    (BucketUnavailable, "bucket"),
    (redis.RedisError, "redis"),
    (OperationalError, "redis"),
)
UPSTREAM_ERRORS = tuple(kind for kind, _ in _SERVICE_OF)
"""The exceptions that mean that a service does not answer, for an `except` clause."""
SERVICES = ("encoder", "qdrant", "bucket", "redis")


def service_of(error: BaseException | None) -> str:
    """Return the name of the service that an error is of, one of `SERVICES`; `other` where it is of none."""
    return next((name for kind, name in _SERVICE_OF if isinstance(error, kind)), "other")
