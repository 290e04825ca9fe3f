"""The exceptions that mean that a service does not answer, and the name of that service."""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError
from sightline.encoder.client import EncoderError
from sightline_bucket import BucketUnavailable, StoreFull
from sightline_catalogue import CatalogueDiskFull, CatalogueError
from sightline_service.disk_space import DATABASE, THUMBNAILS
from sightline_service.full_disks import QUEUE, redis_disk_problem

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


def full_disk_of(error: BaseException | None) -> tuple[str, str] | None:
    """Return which disk is full, as `full_disks` names it, and a sentence about it; None where no disk is."""
    if isinstance(error, CatalogueDiskFull):
        return DATABASE, str(error)
    if isinstance(error, StoreFull):
        return THUMBNAILS, str(error)
    if isinstance(error, redis.RedisError) and (problem := redis_disk_problem(error)):
        return QUEUE, problem
    return None


def service_of(error: BaseException | None) -> str:
    """Return the name of the service that an error is of, one of `SERVICES`; `other` where it is of none."""
    return next((name for kind, name in _SERVICE_OF if isinstance(error, kind)), "other")
