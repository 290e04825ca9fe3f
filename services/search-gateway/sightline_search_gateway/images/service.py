"""Images of the collection in three sizes, without HTTP."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import structlog
from sightline_bucket import Bucket, BucketUnavailable, OpenObject, StoreFull, ThumbnailStore
from sightline_catalogue import Collection, Facet, Filter, GroupKind, GroupPage, Image, Page
from sightline_catalogue import image_id as image_id_of
from sightline_pictures import Crop, PictureError, PictureSettings
from sightline_pictures.decoder_pool import Busy, DecoderPool, Patience
from sightline_pictures.rendering import render_crop, render_preview, render_thumbnail

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.images.preview_cache import PreviewCache
from sightline_search_gateway.images.shared_renderings import SharedRenderings

DECODE_WAIT_SECONDS = 20
SHARED_WAIT_SECONDS = 60
log = structlog.get_logger()


@dataclass(frozen=True)
class RenderedPicture:
    """A WebP, and the SHA-256 of the file that it was made from."""

    sha256: str
    webp: bytes
    was_stored: bool = False


@dataclass(frozen=True)
class ImageService:
    """Finds images, reads their files and renders them. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    bucket: Bucket
    thumbnails: ThumbnailStore
    limits: PictureSettings
    bucket_id: str
    previews: PreviewCache
    decoders: DecoderPool
    renderings: SharedRenderings[tuple[str, bytes]]

    def browse(
        self,
        matching: Filter,
        limit: int,
        cursor: str | None = None,
        *,
        distinct: bool = False,
        copies_of: str | None = None,
    ) -> Page:
        """Return a page of the collection; where there is none, an empty one.

        Args:
            matching: Which images.
            limit: At most so many.
            cursor: Of the page before.
            distinct: Of each group of copies only the newest.
            copies_of: The id of an image: only this one and its copies.

        Raises:
            ServiceError: There is no image of that id.
        """
        if copies_of is not None:
            image = self.find(copies_of)
            if image.copy_group is None:
                # It was never read: nothing is known to be like it.
                return Page([] if cursor else [image])
            matching = replace(matching, copy_groups=(image.copy_group,))
        collection = self.catalogue.current_if_any()
        return Page([], None) if collection is None else collection.browse(matching, limit, cursor, distinct=distinct)

    def facets(self, names: Sequence[Facet], matching: Filter, limit: int) -> dict[Facet, dict[str, int]]:
        """Return how many indexed images have each value, at most `limit` of them, by facet."""
        collection = self.catalogue.current_if_any()
        found = {} if collection is None else collection.facets(names, matching, limit=limit)
        return {name: found.get(name, {}) for name in names}

    def groups(self, kind: GroupKind | None, limit: int, cursor: str | None, matching: Filter) -> GroupPage:
        """Return a page of the collection's groups of copies, or of its bursts; where there is none, an empty one."""
        collection = self.catalogue.current_if_any()
        return GroupPage([]) if collection is None else collection.copy_groups.page(kind, limit, cursor, matching)

    def find(self, image_id: str) -> Image:
        """Return an image of the collection, as `locate` does."""
        return self.locate(image_id)[1]

    def locate(self, image_id: str) -> tuple[Collection, Image]:
        """Return the collection and an image of it.

        Raises:
            ServiceError: There is none of that id.
        """
        collection = self.catalogue.current()
        image = collection.get([image_id])[0]
        if image is None:
            raise ServiceError("image-not-found", f"There is no picture {image_id}; it may have been removed.")
        return collection, image

    def check_key(self, image: Image) -> None:
        """Refuse an image whose key is not its file's name.

        Of a name that cannot be a key the catalogue has what can be shown of it, which may be another file's key.

        Raises:
            ServiceError: It is not.
        """
        if image_id_of(self.bucket_id, image.key.encode("utf-8", "surrogateescape")) != image.id:
            raise ServiceError("not-shown", f"The file cannot be reached by its name: {image.reason or 'rename it'}.")

    @contextmanager
    def open(self, image: Image) -> Iterator[OpenObject]:
        """Open an image's file, to be read while the context lasts.

        Raises:
            BucketError: It is not there, or cannot be read.
            ServiceError: It is over the limit.
        """
        self.check_key(image)
        with self.bucket.open(image.key) as opened:
            self._check_size(opened.object.size)
            yield opened

    def read(self, image: Image) -> bytes:
        """Return an image's file.

        Raises:
            BucketError: It is not there, or cannot be read.
            ServiceError: It is over the limit.
        """
        self.check_key(image)
        data, _ = self.bucket.read(image.key, self.limits.max_bytes)
        self._check_size(len(data))
        return data

    def _check_size(self, size: int) -> None:
        if size > self.limits.max_bytes:
            limit = f"{self.limits.max_bytes:,}"
            raise ServiceError("not-shown", f"The file is larger than {limit} bytes (IMAGE_MAX_BYTES).")

    def preview(self, image: Image) -> RenderedPicture:
        """Return an image at a size for a screen."""
        cached = self.previews.get(image.sha256) if image.sha256 else None
        if cached is not None and image.sha256 is not None:
            return RenderedPicture(image.sha256, cached)
        rendered = self._render(image, render_preview)
        self.previews.put(rendered.sha256, rendered.webp)
        return rendered

    def thumbnail(self, image: Image) -> RenderedPicture:
        """Return an image at a size for a list."""
        try:
            stored = self.thumbnails.get(image.sha256) if image.sha256 else None
        except BucketUnavailable as error:
            log.warning("the store of thumbnails does not answer", error=str(error))
            stored = None
        if stored is not None and image.sha256 is not None:
            return RenderedPicture(image.sha256, stored, was_stored=True)
        rendered = self._render(image, render_thumbnail)
        try:
            self.thumbnails.put(rendered.sha256, rendered.webp)
        except StoreFull as error:
            log.debug("there is no room to keep a thumbnail", error=str(error))  # its disk has been logged, once
        except BucketUnavailable as error:
            log.warning("a thumbnail could not be kept", error=str(error))
        return rendered

    def crop(self, crop: Crop, *, image: Image | None = None, file: bytes = b"") -> bytes:
        """Return a rectangle of an image, or of a picture file, at the size of a preview, WebP.

        Raises:
            BucketError: The image's file is not there, or cannot be read.
            ServiceError: It cannot be decoded, the rectangle is too small, or all decoders are busy.
        """
        try:
            return self.decoders.run(
                render_crop,
                Patience(DECODE_WAIT_SECONDS),
                lambda: file if image is None else self.read(image),
                self.limits,
                crop,
            )[1]
        except PictureError as error:
            raise ServiceError("not-a-picture", f"This picture cannot be cropped: {error.reason}.") from error
        except Busy:
            raise _busy() from None

    def _render(self, image: Image, render: Callable[[bytes, PictureSettings], bytes]) -> RenderedPicture:
        try:
            key = (image.id, image.etag, render)
            sha256, webp = self.renderings.run(key, lambda: self._decode(image, render), SHARED_WAIT_SECONDS)
        except PictureError as error:
            raise ServiceError("not-shown", f"This file cannot be shown: {error.reason}.") from error
        except Busy:
            raise _busy() from None
        return RenderedPicture(sha256, webp)

    def _decode(self, image: Image, render: Callable[[bytes, PictureSettings], bytes]) -> tuple[str, bytes]:
        data, webp = self.decoders.run(render, Patience(DECODE_WAIT_SECONDS), lambda: self.read(image), self.limits)
        return hashlib.sha256(data).hexdigest(), webp


def _busy() -> ServiceError:
    return ServiceError("overloaded", "Many pictures are being prepared; try again soon.", retry_after_seconds=5)
