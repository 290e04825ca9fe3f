"""What a call raises whose service does not answer, and which service that is."""

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
"""What a call raises whose service does not answer; to be caught."""
SERVICES = ("encoder", "qdrant", "bucket", "redis")


def service_of(error: BaseException | None) -> str:
    """Return the name of the service, one of `SERVICES`; `other` for an error of no service."""
    return next((name for kind, name in _SERVICE_OF if isinstance(error, kind)), "other")
