"""Files that models are made of: where installed packages keep them, and whether they are what they should be."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from pathlib import Path

from sightline_encoder.errors import ModelError


def package_folder(package: str, install: str) -> Path:
    """Return the folder of an installed package without importing it.

    Args:
        package: Its import name.
        install: What to tell a person who lacks it.

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


def check(path: Path, pinned: str) -> Path:
    """Return the path of a file whose SHA-256 is the pinned one.

    Raises:
        ModelError: It is missing, or its bytes are others.
    """
    found = sha256(path)
    if found != pinned:
        raise ModelError(f"{path}: SHA-256 is {found}, not {pinned}; install the package again")
    return path


def remembered_sha256(path: Path, memory: Path) -> str:
    """Return a file's SHA-256, from memory where size, time and inode are as they were: hashing gigabytes is slow.

    Args:
        path: The file.
        memory: A JSON file to remember in.

    Raises:
        ModelError: The file cannot be read.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    state = [str(path.resolve()), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    try:
        entries = json.loads(memory.read_text())
    except (OSError, ValueError):
        entries = {}
    entry = entries.get(state[0])
    if entry and entry[0] == state:
        return str(entry[1])
    digest = sha256(path)
    entries[state[0]] = [state, digest]
    memory.parent.mkdir(parents=True, exist_ok=True)
    draft = memory.with_name(f"{memory.name}.{os.getpid()}.draft")
    draft.write_text(json.dumps(entries))
    draft.replace(memory)
    return digest
