"""Notices between two scans that the bucket is away, or that another disk is in its place."""

from __future__ import annotations

from collections.abc import Hashable

from sightline_bucket import Bucket
from sightline_service.clock import SYSTEM_CLOCK, Clock

FOLDER_CHECK_SECONDS = 10.0
STORE_CHECK_SECONDS = 60.0
"""Between two looks whether an object store answers."""


class BucketCheck:
    """Looks at a bucket now and then."""

    def __init__(self, bucket: Bucket, clock: Clock = SYSTEM_CLOCK) -> None:
        self._bucket = bucket
        self._clock = clock
        self._due_at = 0.0
        self._identity: Hashable = None

    def is_another(self) -> bool:
        """Return whether another folder or disk has come into the bucket's place; looks only where that is due.

        Raises:
            BucketUnavailable: It cannot be reached.
        """
        if self._clock.monotonic() < self._due_at:
            return False
        pause = FOLDER_CHECK_SECONDS if self._bucket.root is not None else STORE_CHECK_SECONDS
        self._due_at = self._clock.monotonic() + pause
        before, self._identity = self._identity, self._bucket.identity()
        return before is not None and before != self._identity
