"""Folders that no other user of the machine may enter: for data, and for Unix sockets."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import weakref
from pathlib import Path

PRIVATE_UMASK = 0o077
"""Of the launcher and all services: what they make is for its owner alone."""
SOCKET_PATH_BYTES = 107
"""The longest path of a Unix socket on Linux; 103 elsewhere."""
LONGEST_SOCKET_NAME = 24


def make_private(folder: Path) -> None:
    """Create a folder that its owner alone may enter; one that others may enter is mended, with all that is in it.

    Links stay as they are, and so do files that have a second name, which may be somebody's original.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_open(folder.stat().st_mode):
        return
    # The folder first: then nobody can replace what is in it.
    close(folder)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            status = path.lstat()
            is_ours = stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1)
            if is_ours and _is_open(status.st_mode):
                close(path)


def close(path: Path) -> None:
    """Take all rights to a file or folder from everybody but its owner."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) & ~PRIVATE_UMASK)


def make_socket_folder(owner: object) -> Path:
    """Return a new folder for Unix sockets, which its owner alone may enter; it goes with the object `owner`.

    Its path is short, wherever the checkout or TMPDIR lies, and its name cannot be guessed, and so not be taken before.

    Raises:
        FileNotFoundError: There is no folder for temporary files that is fit for it.
    """
    for parent in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108
        length = len(os.fsencode(parent)) + len("/sightline-12345678/") + LONGEST_SOCKET_NAME
        if length > SOCKET_PATH_BYTES or not _keeps_names(parent):
            continue
        folder = Path(tempfile.mkdtemp(prefix="sightline-", dir=parent))
        weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
        return folder
    raise FileNotFoundError("no folder for Unix sockets: set TMPDIR to one with a short path that only you may change")


def _keeps_names(folder: str) -> bool:
    """Return whether nobody else can rename what this process makes in a folder."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    others_write = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return bool(not others_write or status.st_mode & stat.S_ISVTX) and os.access(folder, os.W_OK)


def _is_open(mode: int) -> bool:
    return bool(stat.S_IMODE(mode) & PRIVATE_UMASK)
