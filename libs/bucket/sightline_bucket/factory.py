"""Opens the bucket that the settings name."""

from __future__ import annotations

from sightline_bucket import urls
from sightline_bucket.bucket import Bucket
from sightline_bucket.folder import FolderBucket
from sightline_bucket.remote import RemoteBucket
from sightline_bucket.settings import BucketSettings


def open_bucket(settings: BucketSettings) -> Bucket:
    """Return the bucket that the settings name; nothing connects before it is used.

    Credentials of an object store come from its usual variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
    AWS_REGION, AWS_ENDPOINT (and AWS_ALLOW_HTTP=true for http://), GOOGLE_APPLICATION_CREDENTIALS,
    AZURE_STORAGE_ACCOUNT_NAME, AZURE_STORAGE_ACCOUNT_KEY and so on.
    """
    folder = urls.folder(settings.url)
    if folder is not None:
        return FolderBucket(folder, writable=settings.writable, selection=settings.selection)
    return RemoteBucket(settings.url, writable=settings.writable, selection=settings.selection)
