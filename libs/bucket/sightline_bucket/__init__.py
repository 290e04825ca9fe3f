"""The bucket: the folder or object store that holds people's pictures; and the store of their thumbnails."""

from sightline_bucket.bucket import Bucket, BucketObject, OpenObject
from sightline_bucket.errors import (
    BucketError,
    BucketReadOnly,
    BucketUnavailable,
    KeyRefused,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    StoreFull,
)
from sightline_bucket.factory import open_bucket
from sightline_bucket.settings import BucketSettings, ThumbnailSettings
from sightline_bucket.thumbnail_store import ThumbnailStore

__all__ = [
    "Bucket",
    "BucketError",
    "BucketObject",
    "BucketReadOnly",
    "BucketSettings",
    "BucketUnavailable",
    "KeyRefused",
    "ObjectExists",
    "ObjectMissing",
    "ObjectUnreadable",
    "OpenObject",
    "StoreFull",
    "ThumbnailSettings",
    "ThumbnailStore",
    "open_bucket",
]
