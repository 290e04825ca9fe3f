"""Adding images to the bucket and removing them, without HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import structlog
from sightline_bucket import Bucket, KeyRefused, ObjectExists, ObjectMissing, ThumbnailStore
from sightline_catalogue import CatalogueReadOnly
from sightline_catalogue import image_id as image_id_of
from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import DecoderPool
from sightline_pictures.rendering import check_format

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherClient
from sightline_search_gateway.errors import Refused, ServiceError, reasons_of
from sightline_search_gateway.images.service import ImageService
from sightline_search_gateway.ingest.upload_decoding import decode_upload
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
class Uploaded:
    """What became of the files of an upload."""

    accepted: list[Accepted]
    refused: list[Refused]


@dataclass(frozen=True)
class ChangeService:
    """Adds and removes images. Safe to use from several threads."""

    images: ImageService
    bucket: Bucket
    thumbnails: ThumbnailStore
    watcher: WatcherClient
    limits: PictureSettings
    bucket_id: str
    decoders: DecoderPool

    def upload(self, files: Sequence[SentFile], folder: str) -> Uploaded:
        """Add those of some files that are images.

        Raises:
            BucketError: The bucket cannot be written.
            ServiceError: The folder cannot be used.
        """
        folder = safe_folder(folder)
        accepted: list[Accepted] = []
        refused: list[Refused] = []
        for file in files:
            try:
                key = self._add(file, folder)
            except PictureError as error:
                refused.append(Refused(name=file.name, reason=error.reason))
            except KeyRefused as error:
                refused.append(Refused(name=file.name, reason=str(error)))
            else:
                accepted.append(Accepted(file.name, key, image_id_of(self.bucket_id, key.encode())))
        if accepted:
            self._request_scan([one.key for one in accepted])
        return Uploaded(accepted, refused)

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
        self._request_scan([image.key])

    def _add(self, file: SentFile, folder: str) -> str:
        data, format_name = decode_upload(self.decoders, check_format, file, self.limits)
        name = safe_name(file.name, format_name)
        key = f"{folder}/{name}" if folder else name
        for number in range(MAX_NUMBER):
            try:
                self.bucket.write(numbered_key(key, number), data)
            except ObjectExists:
                continue
            return numbered_key(key, number)
        raise PictureError(f"{MAX_NUMBER} files of this name are there already")

    def _request_scan(self, keys: list[str]) -> None:
        try:
            self.watcher.request_scan(keys)
        except QueueUnavailable:
            # The watcher sees the change by itself, at its next scan at the latest.
            log.warning("no scan was requested: redis does not answer")


def nothing_accepted(refused: Sequence[Refused]) -> ServiceError:
    """Return the error of an upload of which no file was added."""
    return ServiceError("not-a-picture", reasons_of(refused) or "No file was sent.", refused=list(refused))
