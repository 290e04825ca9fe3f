"""The errors of buckets. Each message is one line, fit to show to a person."""

from __future__ import annotations


class BucketError(Exception):
    """The base class."""


class ObjectMissing(BucketError):
    """The object does not exist, or no longer."""


class ObjectUnreadable(BucketError):
    """One object cannot be reached for a reason of its own, though its bucket answers; another try may succeed.

    Attributes:
        reason: Why, without the key: "archived in GLACIER: restore it to have it indexed".
    """

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.reason = reason


class ObjectExists(BucketError):
    """There is already an object of that key, which stays as it is."""


class KeyRefused(BucketError):
    """The key leaves the bucket, is hidden, goes through a link, or is invalid."""


class BucketReadOnly(BucketError):
    """The bucket may not be changed: BUCKET_WRITABLE is not set."""


class BucketUnavailable(BucketError):
    """The whole bucket, or the store of thumbnails, cannot be reached. Nothing is known about its objects.

    Its text says what is wrong and what may help; what is wrong with one object alone is never this error.
    """


class StoreFull(BucketUnavailable):
    """There is no room in the bucket, or in the store of thumbnails, for what is to be written; it can be read."""
