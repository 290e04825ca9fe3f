"""Opens folders and files below a folder by descriptors, so that no part of a path can be a symbolic link."""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# With O_PATH a folder on the way need not be readable; macOS has no O_PATH.
PASS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW
LIST = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# If a pipe has taken the file's place, O_NONBLOCK keeps the call from waiting for a writer.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@contextmanager
def open_folder(root: int, folder: bytes, flags: int = PASS, *, create: bool = False) -> Iterator[int]:
    """Open a folder below another until the block ends, part by part.

    Args:
        root: The descriptor of the other folder.
        folder: The path from there, without `.` and `..`; empty for `root` itself.
        flags: Of the last part.
        create: Whether to create folders that are missing.

    Raises:
        OSError: Of ELOOP where a part is a symbolic link.
    """
    held = root
    try:
        parts = folder.split(b"/") if folder else []
        for number, part in enumerate(parts, 1):
            opened = _open_part(held, part, flags if number == len(parts) else PASS, create=create)
            if held != root:
                os.close(held)
            held = opened
        yield held
    finally:
        if held != root:
            os.close(held)


def _open_part(parent: int, name: bytes, flags: int, *, create: bool) -> int:
    try:
        return os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
        with suppress(FileExistsError):
            os.mkdir(name, dir_fd=parent)
        return _open_part(parent, name, flags, create=False)
    except NotADirectoryError:
        if modes.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None
        raise


def rename_without_replacing(folder: int, source: bytes, target: bytes) -> None:
    """Give a file of a folder another name in it, unless that is taken.

    Raises:
        FileExistsError: It is.
    """
    try:
        # A hard link fails where the name is taken; a rename would replace what is there.
        os.link(source, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM, errno.EMLINK):
            raise
        # No hard links here (FAT, some network shares): take the name with an empty file, then replace that.
        os.close(os.open(target, CREATE, 0o666, dir_fd=folder))
        try:
            os.replace(source, target, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(OSError):
                os.unlink(target, dir_fd=folder)
            raise
