"""Adding images to the bucket and removing them, without HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

import structlog
from sightline_bucket import Bucket, KeyRefused, ObjectExists, ObjectMissing, ThumbnailStore
from sightline_catalogue import INDEXED, CatalogueError, CatalogueReadOnly, Filter
from sightline_catalogue import image_id as image_id_of
from sightline_pictures import PictureError
from sightline_pictures.rendering import check_format

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherClient
from sightline_search_gateway.errors import Refused, ServiceError, reasons_of
from sightline_search_gateway.images.service import ImageService
from sightline_search_gateway.ingest.upload_decoding import UploadDecoding
from sightline_search_gateway.ingest.upload_names import SentFile, numbered_key, safe_folder, safe_name

MAX_NUMBER = 1000
log = structlog.get_logger()


@dataclass(frozen=True)
class Accepted:
    """A file that was added."""

    name: Annotated[str, "As it was sent."]
    key: str
    id: Uuid


@dataclass(frozen=True)
class Present:
    """A file that was not added, since its bytes are in the bucket already."""

    name: Annotated[str, "As it was sent."]
    key: Annotated[str, "Of the picture with these bytes."]
    id: Uuid


@dataclass(frozen=True)
class Uploaded:
    """What became of the files of an upload."""

    accepted: list[Accepted]
    present: list[Present]
    refused: list[Refused]


@dataclass(frozen=True)
class ChangeService:
    """Adds and removes images. Safe to use from several threads."""

    images: ImageService
    bucket: Bucket
    thumbnails: ThumbnailStore
    watcher: WatcherClient
    bucket_id: str

    def upload(
        self, files: Sequence[SentFile], folder: str, decoding: UploadDecoding, *, copies: bool = False
    ) -> Uploaded:
        """Add those of some files that are images, and whose bytes are not in the bucket yet.

        Args:
            files: The files.
            folder: Where in the bucket.
            decoding: Decodes them.
            copies: Add also those whose bytes are.

        Raises:
            BucketError: The bucket cannot be written.
            ServiceError: The folder cannot be used.
        """
        folder = safe_folder(folder)
        accepted: list[Accepted] = []
        present: list[Present] = []
        refused: list[Refused] = []
        keys: dict[str, str] = {}
        for file in files:
            try:
                data, format_name = decoding.run(check_format, file)
                sha256 = hashlib.sha256(data).hexdigest()
                known = None if copies else keys.get(sha256) or self._key_of(sha256)
                key = known or self._add(data, safe_name(file.name, format_name), folder)
            except PictureError as error:
                refused.append(Refused(name=file.name, reason=error.reason))
            except KeyRefused as error:
                refused.append(Refused(name=file.name, reason=str(error)))
            else:
                keys[sha256] = key
                image_id = image_id_of(self.bucket_id, key.encode())
                if known:
                    present.append(Present(file.name, key, image_id))
                else:
                    accepted.append(Accepted(file.name, key, image_id))
        if accepted:
            self._request_scan([one.key for one in accepted])
        return Uploaded(accepted, present, refused)

    def delete(self, image_id: str) -> None:
        """Remove an image from the bucket, the collection and the store of thumbnails.

        Raises:
            BucketError, CatalogueError: It cannot be removed now.
            ServiceError: There is no such image, or its file cannot be reached.
        """
        collection, image = self.images.locate(image_id)
        self.images.check_key(image)
        try:
            self.bucket.delete(image.key)
        except ObjectMissing:
            log.info("already gone from the bucket", key=image.key)
        except KeyRefused as error:
            raise ServiceError("invalid-request", f"This file cannot be removed here: {error}.") from error
        try:
            collection.delete([image.id])
        except CatalogueReadOnly:
            log.info("the record is left to the watcher: the gateway may not write to the catalogue", key=image.key)
        else:
            # A copy of the same bytes shares the thumbnail.
            if image.sha256:
                self.thumbnails.release([image.sha256], collection.by_sha256)
        self._request_scan([image.key], deleted=True)

    def _key_of(self, sha256: str) -> str | None:
        """Return the key of an image with some bytes; None where there is none, or nobody can say."""
        try:
            page = self.images.browse(Filter(states=(INDEXED,), sha256=(sha256,)), limit=1)
        except CatalogueError as error:
            log.warning("the catalogue cannot say whether a picture is there already", error=str(error))
            return None
        for image in page.images:
            with suppress(ObjectMissing, KeyRefused):
                # The catalogue may be behind the bucket.
                if self.bucket.stat(image.key).etag == image.etag:
                    return image.key
        return None

    def _add(self, data: bytes, name: str, folder: str) -> str:
        key = f"{folder}/{name}" if folder else name
        for number in range(MAX_NUMBER):
            try:
                self.bucket.write(numbered_key(key, number), data)
            except ObjectExists:
                continue
            return numbered_key(key, number)
        raise PictureError(f"{MAX_NUMBER} files of this name are there already")

    def _request_scan(self, keys: list[str], *, deleted: bool = False) -> None:
        try:
            self.watcher.request_scan(keys, deleted=deleted)
        except QueueUnavailable:
            # The watcher sees the change by itself, at its next scan at the latest.
            log.warning("no scan was requested: redis does not answer")


def nothing_accepted(refused: Sequence[Refused]) -> ServiceError:
    """Return the error of an upload of which no file was added."""
    return ServiceError("not-a-picture", reasons_of(refused) or "No file was sent.", refused=list(refused))
