"""The objects of S3 and compatible stores below a URL, by the paths that the store has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from sightline_bucket import keys, s3_errors
from sightline_bucket.errors import (
    BucketError,
    BucketUnavailable,
    ObjectExists,
    ObjectMissing,
    ObjectUnreadable,
    StoreFull,
)
from sightline_bucket.s3_client import create_client
from sightline_bucket.s3_errors import STORE_ERRORS

_INSUFFICIENT_STORAGE = 507


@dataclass(frozen=True)
class StoredObject:
    """An object as the store describes it; `path` is relative to the URL."""

    path: str
    size: int
    modified_at: datetime
    etag: str
    storage_class: str = ""


class S3Store:
    """The objects whose keys begin with what the URL names. Safe to share between threads; it connects on first use.

    An error of a call is taken for the object's own only where the bucket can be listed.

    Args:
        url: As `s3://bucket/prefix`.
        name: What messages call it.
    """

    def __init__(self, url: str, name: str) -> None:
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        self._bucket = parts.netloc
        self._prefix = f"{prefix}/" if prefix else ""
        self._name = name
        self._lock = Lock()
        self._client: Any = None

    def check(self) -> None:
        """Look whether the bucket can be listed.

        Raises:
            BucketUnavailable: It cannot.
        """
        self._listed("")

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Yield the objects whose paths begin with a prefix, in the order of the bytes of their paths.

        Raises:
            BucketUnavailable: Also in the middle.
        """
        pages = self._open().get_paginator("list_objects_v2")
        try:
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for entry in page.get("Contents", ()):
                    yield self._stored(entry["Key"], entry, entry["Size"])
        except STORE_ERRORS as error:
            raise self._unavailable(error) from error

    def head(self, path: str) -> StoredObject:
        """Return an object; where the store refuses that, as its listing describes it.

        Raises:
            ObjectMissing, ObjectUnreadable, BucketUnavailable: See their docstrings.
        """
        try:
            answer = self._open().head_object(Bucket=self._bucket, Key=self._prefix + path)
        except STORE_ERRORS as error:
            if s3_errors.is_of_the_store(error) or (listed := self._listed(path)) is None:
                raise self._translate(path, error) from error
            return listed
        return self._stored(self._prefix + path, answer, answer["ContentLength"])

    def get(self, path: str, limit: int, start: int = 0, etag: str | None = None) -> tuple[bytes, StoredObject]:
        """Return an object's bytes from `start` on, at most `limit` of them, and the object.

        Args:
            path: The object's.
            limit: More are not read.
            start: The first byte.
            etag: Another version of the object is not read.

        Raises:
            ObjectMissing: Also where it is another version.
            ObjectUnreadable, BucketUnavailable: See their docstrings.
        """
        wanted: dict[str, Any] = {"Bucket": self._bucket, "Key": self._prefix + path}
        if start:
            wanted["Range"] = f"bytes={start}-{start + limit - 1}"
        if etag:
            wanted["IfMatch"] = f'"{etag}"'
        try:
            try:
                return self._get(wanted, limit)
            except s3_errors.INTERRUPTED:
                # The client itself tries again only what fails before the body.
                return self._get(wanted, limit)
        except STORE_ERRORS as error:
            raise self._translate(path, error) from error

    def _get(self, wanted: dict[str, Any], limit: int) -> tuple[bytes, StoredObject]:
        answer = self._open().get_object(**wanted)
        with closing(answer["Body"]) as body:
            # To leave the rest unread costs a connection; a range would cost a request more for every object.
            data = body.read(limit) if answer["ContentLength"] > limit else body.read()
        return data, self._stored(wanted["Key"], answer, answer["ContentLength"])

    def read(self, path: str, limit: int) -> bytes:
        """Return an object's bytes, at most `limit` of them; raises what `get` does."""
        return self.get(path, limit)[0]

    def put(self, path: str, data: bytes, *, replace: bool = True) -> None:
        """Store an object, atomically.

        Raises:
            ObjectExists: There is one, and it is not to be replaced.
            BucketUnavailable: It cannot be stored.
        """
        condition = {} if replace else {"IfNoneMatch": "*"}
        try:
            self._open().put_object(Bucket=self._bucket, Key=self._prefix + path, Body=data, **condition)
        except STORE_ERRORS as error:
            if s3_errors.status(error) in (409, 412) and not replace:
                raise ObjectExists(f"{keys.printable(path.encode())} is there already") from error
            if s3_errors.status(error) == 501 and not replace:
                self._put_where_none_is(path, data)
                return
            kind = StoreFull if s3_errors.status(error) == _INSUFFICIENT_STORAGE else BucketUnavailable
            raise kind(f"{self._name} cannot be written to: {s3_errors.in_one_line(error)}") from error

    def _put_where_none_is(self, path: str, data: bytes) -> None:
        """Store an object in a store without conditional writes: two at the same moment may both succeed."""
        try:
            self.head(path)
        except ObjectMissing:
            self.put(path, data)
        else:
            raise ObjectExists(f"{keys.printable(path.encode())} is there already")

    def delete(self, path: str) -> None:
        """Delete an object; one that is not there is no error.

        Raises:
            ObjectUnreadable: The store refuses it.
            BucketUnavailable: See its docstring.
        """
        try:
            self._open().delete_object(Bucket=self._bucket, Key=self._prefix + path)
        except STORE_ERRORS as error:
            raise self._translate(path, error) from error

    def _open(self) -> Any:
        with self._lock:
            if self._client is None:
                try:
                    self._client = create_client()
                except (*STORE_ERRORS, ValueError) as error:
                    raise BucketUnavailable(f"{self._name} cannot be opened: {s3_errors.in_one_line(error)}") from error
            return self._client

    def _listed(self, path: str) -> StoredObject | None:
        """Return an object as the listing has it: the answer that tells whether it, or the whole bucket, is amiss.

        Raises:
            BucketUnavailable: The bucket cannot be listed.
        """
        key = self._prefix + path
        try:
            # Of all keys that begin with it, it is the first.
            page = self._open().list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        except STORE_ERRORS as error:
            raise self._unavailable(error) from error
        found = [entry for entry in page.get("Contents", ()) if entry["Key"] == key]
        return self._stored(key, found[0], found[0]["Size"]) if found else None

    def _translate(self, path: str, error: Exception) -> BucketError:
        """Return the bucket's own error for one on an object.

        Raises:
            BucketUnavailable: The error is the whole bucket's.
        """
        shown = keys.printable(path.encode("utf-8", "surrogateescape"))
        if s3_errors.is_of_the_store(error):
            return self._unavailable(error)
        if s3_errors.status(error) == 412:
            return ObjectMissing(f"{shown} was changed while it was read")
        listed = self._listed(path)
        if listed is None and 400 <= s3_errors.status(error) < 500:
            return ObjectMissing(f"{shown} is not there")
        storage_class = listed.storage_class if listed is not None else ""
        return ObjectUnreadable(shown, s3_errors.explain_object(error, storage_class))

    def _unavailable(self, error: Exception) -> BucketUnavailable:
        return BucketUnavailable(f"{self._name} {s3_errors.explain_bucket(error)}")

    def _stored(self, key: str, fields: dict[str, Any], size: int) -> StoredObject:
        return StoredObject(
            path=key[len(self._prefix) :],
            size=size,
            # In whole seconds, as HTTP has it: some stores list fractions.
            modified_at=fields["LastModified"].astimezone(UTC).replace(microsecond=0),
            etag=str(fields.get("ETag", "")).strip('"'),
            storage_class=str(fields.get("StorageClass", "")),
        )
