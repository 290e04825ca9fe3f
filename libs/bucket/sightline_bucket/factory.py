"""Opens the bucket that the settings name."""

from __future__ import annotations

from sightline_bucket import urls
from sightline_bucket.bucket import Bucket
from sightline_bucket.folder import FolderBucket
from sightline_bucket.settings import BucketSettings


def open_bucket(settings: BucketSettings) -> Bucket:
    """Return the bucket that the settings name; nothing connects before it is used.

    Credentials of an object store come from its usual variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    AWS_REGION, AWS_ENDPOINT_URL (and AWS_ALLOW_HTTP=true for http://) and so on.
    """
    folder = urls.folder(settings.url)
    if folder is not None:
        return FolderBucket(folder, writable=settings.writable, selection=settings.selection)
    # Not for a folder: botocore costs 30 MB.
    from sightline_bucket.s3 import S3Bucket

    return S3Bucket(settings.url, writable=settings.writable, selection=settings.selection)
