"""Uploaded files, and keys of the bucket made of their names."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from sightline_pictures import FORMATS, has_image_extension

from sightline_search_gateway.errors import ServiceError

MAX_NAME_BYTES = 200
MAX_FOLDERS = 16
# What one of the usual file systems refuses or treats as something else.
FORBIDDEN = set('<>:"/\\|?*')


@dataclass(frozen=True)
class SentFile:
    """A file of an upload: its name, and what reads at most so many bytes of it."""

    name: str
    read: Callable[[int], bytes]


def safe_name(name: str, picture_format: str) -> str:
    """Return a file name for an upload: no folders, no leading dot, and the extension of an image format.

    Args:
        name: As it was sent, a path perhaps.
        picture_format: The name of the format that the bytes have.
    """
    base = name.replace("\\", "/").rpartition("/")[2]
    base = unicodedata.normalize("NFC", base.encode("utf-8", "replace").decode())
    kept = "".join("_" if char in FORBIDDEN else char for char in base if _is_plain(char))
    kept = kept.strip(" .") or "picture"
    if not has_image_extension(kept):
        kept += FORMATS[picture_format].extensions[0]
    stem, dot, extension = kept.rpartition(".")
    return _cut(stem, MAX_NAME_BYTES - len(extension.encode()) - 1) + dot + extension


def numbered_key(key: str, number: int) -> str:
    """Return the key to try when `number` others of that name are there already."""
    if number == 0:
        return key
    stem, dot, extension = key.rpartition(".")
    return f"{stem}-{number}{dot}{extension}"


def safe_folder(folder: str) -> str:
    """Return a folder's path in the bucket, without slashes at its ends; empty for the bucket itself.

    Raises:
        ServiceError: It is outside the bucket, hidden, or not a valid path.
    """
    if "\\" in folder or folder.startswith("/"):
        raise _bad_folder(folder, "give it relative to the bucket, with / between folders")
    parts = [part for part in folder.rstrip("/").split("/") if folder.rstrip("/")]
    if len(parts) > MAX_FOLDERS:
        raise _bad_folder(folder, f"at most {MAX_FOLDERS} levels")
    for part in parts:
        if part in ("", ".", "..") or part.startswith("."):
            raise _bad_folder(folder, "no part of it may be empty or start with a dot")
        if part != part.strip() or part.endswith(".") or any(c in FORBIDDEN or not _is_plain(c) for c in part):
            raise _bad_folder(folder, f"{part!r} holds characters that not every file system allows")
        if len(part.encode("utf-8", "replace")) > MAX_NAME_BYTES:
            raise _bad_folder(folder, f"at most {MAX_NAME_BYTES} bytes a level")
    return unicodedata.normalize("NFC", str(PurePosixPath(*parts))) if parts else ""


def _bad_folder(folder: str, why: str) -> ServiceError:
    detail = f"The folder {folder[:100]!r} cannot be used: {why}."
    return ServiceError("invalid-request", detail, errors=[{"in": "body", "name": "folder", "detail": detail}])


def _is_plain(char: str) -> bool:
    """Return whether a character shows: no control, no surrogate, no direction override."""
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _cut(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")
