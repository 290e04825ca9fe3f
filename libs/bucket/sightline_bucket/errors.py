"""What can go wrong with a bucket. Each message is one line, fit to show to a person."""

from __future__ import annotations


class BucketError(Exception):
    """The base of all."""


class ObjectMissing(BucketError):
    """There is no such object (any more)."""


class ObjectExists(BucketError):
    """An object of that key is there already, and was left as it is."""


class KeyRefused(BucketError):
    """The key leaves the bucket, is hidden, goes through a link, or cannot be one. It will never work."""


class BucketReadOnly(BucketError):
    """The bucket may not be changed: BUCKET_WRITABLE is not set."""


class BucketUnavailable(BucketError):
    """The whole bucket, or the store of thumbnails, cannot be reached. Nothing is known about its objects."""
