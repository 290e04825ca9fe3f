"""What must be so of a catalogue, while a bucket changes and when all is at rest."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import timedelta
from functools import cache

import numpy as np
from fakes.encoder import PREPROCESSING, picture_row
from numpy.typing import NDArray
from sightline_catalogue import INDEXED, PENDING, Image
from sightline_pictures import open_picture, preprocess

from random_changes.disk import Disk, File, picture

KEEP = timedelta(days=30)


@cache
def vectors() -> dict[str, NDArray[np.float32]]:
    """Return the vectors of all pictures, side by side, by SHA-256."""
    files = [picture(number) for number in range(64)]
    return {hashlib.sha256(data).hexdigest(): picture_row(data) for data in files}


@cache
def whole() -> dict[str, str]:
    """Return of all pictures, by SHA-256, the SHA-256 of what the encoder is given of them."""
    files = [picture(number) for number in range(64)]
    return {hashlib.sha256(data).hexdigest(): _input(data) for data in files}


def _input(data: bytes) -> str:
    image = open_picture(data, max_bytes=10**6, max_pixels=10**6).image
    return hashlib.sha256(preprocess(image, PREPROCESSING).tobytes()).hexdigest()


def etag_of(file: File) -> str:
    """Return what the catalogue has as a file's ETag."""
    return f"{file.etag[0]:x}-{file.etag[1]:x}"


class Observer:
    """Looks at a fake catalogue after everything that is done.

    Args:
        disk: The bucket.
        scene: The watcher and the fakes.
    """

    def __init__(self, disk: Disk, scene) -> None:
        self._disk, self._scene = disk, scene
        self._collection, self._encoder = scene.bench.collection, scene.bench.encoder
        self._files: dict[str, File] | None = None
        self._indexed: dict[str, tuple[str, str]] = {}
        self._with_vector: dict[str, Image] = {}
        self._pending: set[str] = set()
        self._kept: dict[str, str] = {}
        self._deleted: set[str] = set()
        self._encode = self._encoder.encode_images
        self._encoder.encode_images = self._note_encoded

    @property
    def files(self) -> dict[str, File]:
        if self._files is None:
            self._files = self._disk.files()
        return self._files

    def note_change(self) -> None:
        """Note that the bucket has changed."""
        self._files = None

    def note_confirmed(self) -> None:
        """Note that an owner has said that what is missing is gone."""
        self._kept = {}

    def note_deleted(self, key: str) -> None:
        """Note that an owner deletes a picture: that takes it out of search at once, and its vector is not kept."""
        self._deleted.add(key)
        self._kept.pop(key, None)

    def note_left_out(self, folder: str) -> None:
        """Note that a folder is left out, or is so no longer: what was in it leaves the search, and is no loss."""
        self._kept = {key: sha256 for key, sha256 in self._kept.items() if not key.startswith(f"{folder}/")}

    def note_mount(self, before: dict[str, File]) -> None:
        """Note that another disk is in the place of one, or none: if much is missing now it has to stay in search."""
        content = {file.sha256 for file in self.files.values()}
        known = {image.key: image for image in self._collection.images.values() if image.state == INDEXED}
        self._kept = {
            key: known[key].sha256
            for key, file in before.items()
            if key in known and known[key].etag == etag_of(file)
            if key not in self.files and known[key].sha256 not in content
        }

    def _note_encoded(self, images, **kwargs):
        known = {image.sha256 for image in self._collection.images.values() if image.id in self._vectors}
        again = {hashlib.sha256(one.rgb.tobytes()).hexdigest() for one in images} & {whole()[one] for one in known}
        assert not again, "what has a vector is encoded again"
        return self._encode(images, **kwargs)

    @property
    def _vectors(self):
        return self._collection.stored_vectors

    def check(self) -> None:
        """Check that no picture that is there and was found has left the search, and no vector is lost."""
        images = self._collection.images.values()
        indexed = {one.key: (one.sha256, one.etag) for one in images if one.state == INDEXED}
        assert all(one.id in self._vectors for one in images if one.state == INDEXED)
        pending = {one.key for one in images if one.state == PENDING}
        found = {sha256 for sha256, _ in indexed.values()}
        if self._disk.is_there:
            self._check_search(found, pending | self._pending)
        else:
            assert indexed.keys() >= self._indexed.keys(), "something left the search while the bucket is away"
        self._indexed, self._pending = indexed, pending
        self._check_vectors()

    def _check_vectors(self) -> None:
        images = {one.id: one for one in self._collection.images.values()}
        with_vector = {one: images[one] for one in self._vectors}
        kept = {one.sha256 for one in with_vector.values()}
        for image_id, image in self._with_vector.items():
            is_replaced = image_id in images and images[image_id].sha256 != image.sha256
            if image.sha256 not in kept and not is_replaced:
                is_due = image.removed_at is not None and image.removed_at < self._scene.bench.clock.now() - KEEP
                assert is_due or image.key in self._deleted, f"the vector of {image.key} is lost"
        self._with_vector = with_vector

    def _check_search(self, found: set[str], pending: set[str]) -> None:
        carriers: dict[str, list[str]] = defaultdict(list)
        for key, (sha256, _) in self._indexed.items():
            carriers[sha256].append(key)
        for sha256 in carriers.keys() - found:
            there = [key for key, file in self.files.items() if file.sha256 == sha256]
            if not there:
                continue
            if all(key in self._deleted or self._is_another(key) for key in carriers[sha256]):
                continue
            assert not pending.intersection(there), f"{carriers[sha256]} left the search, though it is at {there}"
            assert not set(there).intersection(carriers[sha256]), f"{there} left the search, though it is there"

    def _is_another(self, key: str) -> bool:
        file = self.files.get(key)
        return file is not None and (file.sha256, etag_of(file)) != self._indexed[key]

    def check_at_rest(self) -> None:
        """Check that catalogue and bucket are equal, but for what is held."""
        self._files = None
        self._deleted.clear()
        records = self._collection.by_key()
        held = {key for key, one in records.items() if one.missing_since is not None}
        told = self._scene.watcher._missing.held
        assert len(held) == (told.count if told is not None else 0)
        if told is not None:
            assert not held & self.files.keys()
            # Others may have come since it was decided, or an owner may have deleted some.
            known = min(max(records[key].held_of or 0 for key in held), len(records))
            is_loss = told.count >= 3 and told.count >= 0.3 * known
            assert is_loss or not self._disk.listed(), f"{held} are held of {told.of}"
        present = {file.sha256 for file in self.files.values()}
        self._kept = {
            key: sha256 for key, sha256 in self._kept.items() if key not in self.files and sha256 not in present
        }
        # Those that were removed since counted when it was decided.
        if len(self._kept) >= max(3, 0.3 * len(self._collection.images)):
            missing = set(self._kept.values()) - {one.sha256 for one in records.values() if one.state == INDEXED}
            assert not missing, f"{missing} left the search with a disk: {self._kept}"
        else:
            self._kept = {}
        for image in self._collection.images.values():
            is_whole = image.id in self._vectors
            assert not is_whole or self._scene.bench.thumbnails.exists(image.sha256), f"{image.key} has no thumbnail"
            assert not is_whole or np.allclose(self._vectors[image.id], vectors()[image.sha256])
        got = {key: (one.state, one.sha256, one.etag, one.rating) for key, one in records.items() if key not in held}
        wanted = {}
        for key, file in self.files.items():
            is_whole = file.sha256 in whole()
            rating = file.rating if is_whole else records[key].rating if key in records else None
            wanted[key] = ("indexed" if is_whole else "failed", file.sha256, etag_of(file), rating)
        wrong = {key: (got.get(key), wanted.get(key)) for key in got | wanted if got.get(key) != wanted.get(key)}
        assert not wrong, f"catalogue and bucket differ: {wrong}"

    def check_nothing_held(self) -> None:
        assert self._scene.watcher._missing.held is None
