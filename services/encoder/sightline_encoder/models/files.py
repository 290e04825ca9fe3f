"""The files of models: their paths in installed packages, and their hashes."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

from sightline_service.atomic_write import atomic_write

from sightline_encoder.errors import ModelError


def package_folder(package: str, install: str) -> Path:
    """Return the folder of an installed package without importing it.

    Args:
        package: Its import name.
        install: The command that installs it, for the error message.

    Raises:
        ModelError: It is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the Python package {package} is not installed: {install}")
    return Path(next(iter(spec.submodule_search_locations)))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal.

    Raises:
        ModelError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error


def verify(path: Path, pinned: str) -> Path:
    """Return the path of a file whose SHA-256 is the pinned one.

    Raises:
        ModelError: It is missing or has another hash.
    """
    found = sha256(path)
    if found != pinned:
        raise ModelError(f"{path}: SHA-256 is {found}, not {pinned}; install the package again")
    return path


def cached_sha256(path: Path, cache_file: Path) -> str:
    """Return a file's SHA-256, from a cache where size, time and inode are as they were: hashing gigabytes is slow.

    Args:
        path: The file.
        cache_file: A JSON file with what is known.

    Raises:
        ModelError: The file cannot be read.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    state = [str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    try:
        entries = json.loads(cache_file.read_text())
    except (OSError, ValueError):
        entries = {}
    entry = entries.get(state[0])
    if entry and entry[0] == state:
        return str(entry[1])
    digest = sha256(path)
    entries[state[0]] = [state, digest]
    cache_file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(cache_file, json.dumps(entries))
    return digest
