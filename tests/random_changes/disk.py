"""A bucket's folder, as people and their programs change it, and the disks that are mounted in it."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path
from typing import NamedTuple

from PIL import Image
from sightline_pictures import has_image_extension

FOLDERS = ("", "a/", "b/", "a/c/", "disk/")
NAMES = ("1.png", "2.png", "3.jpg", "4")
KEYS = tuple(folder + name for folder in FOLDERS for name in NAMES)
MOVABLE = ("a", "b", "a/c", "disk/d", "e")
MOUNT_POINT = "disk"
NO_MEDIA = ".nomedia"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<r:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="{}"/></r:RDF></x:xmpmeta>'
)


class File(NamedTuple):
    """A file of the bucket that is named as an image, or is one."""

    etag: tuple[int, int]
    data: bytes
    rating: int | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@cache
def picture(number: int) -> bytes:
    """Return a PNG that no other number gives. All of even numbers have one size in bytes, all of odd ones another."""
    out = io.BytesIO()
    size = (12, 9) if number % 2 else (10, 9)
    Image.new("RGB", size, (number % 256, number // 256 % 256, 99)).save(out, "PNG", compress_level=0)
    return out.getvalue()


def broken(number: int) -> bytes:
    """Return a file that is not whole, whose size is that of some pictures."""
    data = picture(number)
    return data[:40] + bytes(len(data) - 40)


def move(source: Path, target: Path) -> None:
    """Rename a file or a folder; copy and delete it where the target is on another disk."""
    if source != target:
        shutil.move(source, target)


class Disk:
    """The folder of a bucket. Every change returns the keys that file events would name.

    Attributes:
        root: The folder.
    """

    def __init__(self, base: Path, now: Callable[[], datetime]) -> None:
        self.root = base / "bucket"
        self._others = base / "others"
        self._now = now
        self._numbers = count()
        self.root.mkdir(exist_ok=True)
        for name in ("mount-0", "mount-1", "bucket-0", "bucket-1"):
            (self._others / name).mkdir(parents=True, exist_ok=True)
        (self._others / "mount-1/5.png").write_bytes(picture(40))
        (self._others / "bucket-1/6.png").write_bytes(picture(41))

    @property
    def is_there(self) -> bool:
        return self.root.exists()

    def names(self) -> list[str]:
        """Return the keys of all files."""
        if not self.is_there:
            return []
        found = (Path(folder) / name for folder, _, names in os.walk(self.root) for name in names)
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def pictures(self) -> list[str]:
        """Return the keys of all files but those that describe others."""
        return [key for key in self.names() if not key.endswith((".xmp", NO_MEDIA))]

    def listed(self) -> list[str]:
        """Return the keys of all files that are not left out."""
        names = self.names()
        left_out = tuple(key.removesuffix(NO_MEDIA) for key in names if key.endswith("/" + NO_MEDIA))
        return [key for key in names if not key.startswith(left_out)]

    def files(self) -> dict[str, File]:
        """Return what should be in the catalogue."""
        found = {}
        for key in self.listed():
            if key.endswith(".xmp"):
                continue
            path = self.root / key
            status, data = path.stat(), path.read_bytes()
            if has_image_extension(key) or data.startswith(b"\x89PNG"):
                beside = path.with_name(path.name + ".xmp")
                rating = int(beside.read_text().partition('Rating="')[2][0]) if beside.exists() else None
                found[key] = File((status.st_size, status.st_mtime_ns), data, rating)
        return found

    def write(self, key: str, data: bytes, *, modified: int | None = None, in_place: bool = False) -> list[str]:
        """Write a file, as programs do: in place, or by a new file that is renamed."""
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path if in_place else self._others / "new"
        before = path.stat().st_ctime_ns if path.exists() else 0
        written.write_bytes(data)
        move(written, path)
        modified = modified or self._moment()
        while path.stat().st_ctime_ns == before or path.stat().st_mtime_ns != modified:
            # The kernel's times have a coarse grain: a change that it cannot tell from the one before is no change.
            os.utime(path, ns=(modified, modified))
        return [key]

    def restore(self, key: str, data: bytes, *, in_place: bool) -> list[str]:
        """Put other bytes in a file's place, with the time that it had."""
        return self.write(key, data, modified=(self.root / key).stat().st_mtime_ns, in_place=in_place)

    def touch(self, key: str) -> list[str]:
        """Change a file's time of modification alone."""
        return self.write(key, (self.root / key).read_bytes(), in_place=True)

    def change_mode(self, key: str) -> list[str]:
        """Change a file's permissions: its change time is another, its bytes are the same."""
        path = self.root / key
        path.chmod(path.stat().st_mode ^ 0o100)
        return [key]

    def copy(self, source: str, target: str, *, with_time: bool) -> list[str]:
        """Copy a file."""
        path = self.root / source
        modified = path.stat().st_mtime_ns if with_time else None
        return self.write(target, path.read_bytes(), modified=modified) if source != target else []

    def rename(self, source: str, target: str) -> list[str]:
        """Rename a file, perhaps onto another one."""
        path = self.root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        move(self.root / source, path)
        return [source, target]

    def swap(self, first: str, second: str) -> list[str]:
        """Have two files change their places."""
        aside = self._others / "aside"
        move(self.root / first, aside)
        move(self.root / second, self.root / first)
        move(aside, self.root / second)
        return [first, second]

    def delete(self, key: str) -> list[str]:
        """Delete a file, or a folder with all that is in it."""
        path = self.root / key
        if not path.is_dir():
            path.unlink(missing_ok=True)
            return [key]
        inside = [name for name in self.names() if name.startswith(key + "/")]
        shutil.rmtree(path)
        return [*inside, key]

    def move_folder(self, source: str, target: str) -> list[str]:
        """Move a folder to where nothing is."""
        path, to = self.root / source, self.root / target
        if not path.is_dir() or to.exists() or target.startswith(source + "/"):
            return []
        to.parent.mkdir(parents=True, exist_ok=True)
        move(path, to)
        return [source, target]

    def describe(self, key: str, rating: int) -> list[str]:
        """Write the sidecar of a picture; delete it where the rating is 0."""
        beside = key + ".xmp"
        return self.write(beside, XMP.format(rating).encode()) if rating else self.delete(beside)

    def leave_out(self, folder: str) -> list[str]:
        """Have a folder left out, or no longer."""
        key = f"{folder}/{NO_MEDIA}"
        if not (self.root / folder).is_dir():
            return []
        return self.delete(key) if (self.root / key).exists() else self.write(key, b"")

    def mount(self, number: int) -> list[str]:
        """Have another disk mounted inside the bucket, or none; the kernel reports nothing."""
        self._exchange(self.root / MOUNT_POINT, self._others / f"mount-{number}")
        return []

    def mount_bucket(self, number: int) -> list[str]:
        """Have another disk in the bucket's place, or none."""
        self._exchange(self.root, self._others / f"bucket-{number}")
        return []

    def take_away(self) -> None:
        """Take the bucket's folder away."""
        self.root.rename(self.root.with_name("away"))

    def put_back(self) -> None:
        """Undo that."""
        self.root.with_name("away").rename(self.root)

    def _exchange(self, first: Path, second: Path) -> None:
        aside = self._others / "aside"
        first.mkdir(exist_ok=True)
        first.rename(aside)
        second.rename(first)
        aside.rename(second)

    def _moment(self) -> int:
        """Return the present moment in nanoseconds, never the same twice."""
        return int(self._now().timestamp()) * 10**9 + next(self._numbers) * 1000
