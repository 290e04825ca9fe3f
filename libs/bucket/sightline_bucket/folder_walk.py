"""Walks through a folder's files, and leaves out what is not part of the bucket."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from sightline_bucket import descriptors, keys
from sightline_bucket.bucket import BucketObject
from sightline_bucket.errors import BucketUnavailable
from sightline_bucket.file_objects import describe, unreadable
from sightline_bucket.left_out import LeftOut
from sightline_bucket.selection import NO_MEDIA, Exclusion, Selection
from sightline_bucket.system_errors import explain

MISSING = (FileNotFoundError, NotADirectoryError)
_NO_MEDIA = NO_MEDIA.encode()


@dataclass(frozen=True)
class FolderWalk:
    """One walk through a bucket's folder.

    Attributes:
        root: The descriptor of the bucket's folder.
        display_name: The bucket's.
        selection: What is part of the bucket.
        with_inodes: The devices whose inodes are part of stamps.
        check_answers: Called after an error on something in the folder; raises if the whole folder is out of reach.
        left_out: Counts what is left out.
    """

    root: int
    display_name: str
    selection: Selection
    with_inodes: frozenset[int]
    check_answers: Callable[[OSError], None]
    left_out: LeftOut | None

    def objects(self, start: bytes) -> Iterator[BucketObject]:
        """Yield what is below a folder, empty for the bucket's own; its files before its folders.

        Raises:
            BucketUnavailable: The bucket cannot be listed.
        """
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            folders: list[bytes] = []
            try:
                with descriptors.open_folder(self.root, folder, descriptors.LIST) as descriptor:
                    yield from self._list(descriptor, folder, folders)
            except MISSING:
                # Removed during the listing. If the whole bucket was, the check at the end notices.
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue
                if not folder:
                    raise BucketUnavailable(f"{self.display_name} cannot be listed: {error.strerror}") from error
                self.check_answers(error)
                yield unreadable(folder, f"a folder that cannot be listed: {explain(error)}", is_folder=True)
                continue
            for raw in reversed(folders):
                if len(raw) < keys.LONGEST_KEY:
                    waiting.append(raw)
                else:
                    yield unreadable(raw, keys.TOO_LONG, is_folder=True)

    def _list(self, descriptor: int, folder: bytes, folders: list[bytes]) -> Iterator[BucketObject]:
        """Yield what is directly in a folder, and append the folders in it."""
        with os.scandir(descriptor) as entries:
            named = sorted(((os.fsencode(entry.name), entry) for entry in entries), key=lambda pair: pair[0])
            if folder and any(name == _NO_MEDIA for name, _ in named):
                self._count(descriptor, b".", folder, Exclusion(folder=keys.printable(folder), no_media=True))
                return
            for name, entry in named:
                raw = folder + b"/" + name if folder else name
                with suppress(*MISSING):
                    found = self._describe(raw, entry)
                    is_folder = found is None or found.is_folder
                    exclusion = self.selection.folder(raw) if is_folder else self.selection.key(raw)
                    if exclusion is None and found is None:
                        folders.append(raw)
                    elif exclusion is None and found is not None:
                        yield found
                    elif exclusion is not None and found is None:
                        self._count(descriptor, name, raw, exclusion)
                    elif exclusion is not None and self.left_out is not None:
                        self.left_out.exclude(exclusion, keys.printable(raw))

    def _describe(self, raw: bytes, entry: os.DirEntry[str]) -> BucketObject | None:
        """Return a listed object; None for a folder."""
        try:
            if entry.is_dir(follow_symlinks=False):
                return None
            found = describe(raw, entry.stat(follow_symlinks=False), self.with_inodes)
        except OSError as error:
            if isinstance(error, MISSING):
                raise
            self.check_answers(error)
            return unreadable(raw, f"reading it failed: {explain(error)}")
        return replace(found, is_folder=True) if found is not None and _leads_to_folder(entry) else found

    def _count(self, parent: int, name: bytes, raw: bytes, exclusion: Exclusion) -> None:
        """Count the files of a folder that is left out, without looking at any; not more than there is room for.

        Args:
            parent: The descriptor of a folder.
            name: From there to the folder that is left out.
            raw: From the bucket to it.
            exclusion: Why it is left out.
        """
        if self.left_out is None:
            return
        room = self.left_out.room(exclusion)
        for inside, _, files, _ in os.fwalk(name, dir_fd=parent):
            for file in files:
                if file == _NO_MEDIA:
                    continue
                if room <= 0:
                    self.left_out.note_more(exclusion)
                    return
                self.left_out.exclude(exclusion, keys.printable(raw + inside[len(name) :] + b"/" + file))
                room -= 1


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a link to a folder."""
    with suppress(OSError):
        return entry.is_symlink() and entry.is_dir()
    return False
