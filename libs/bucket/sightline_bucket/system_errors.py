"""What the errors of a file system mean: of one file, of the machine, and in words for a person."""

from __future__ import annotations

import errno
import os

EXHAUSTED = (errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""Errors of this process or machine, which say nothing about a file."""
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_PASSING = (errno.EAGAIN, errno.EBUSY, errno.ETXTBSY, errno.ENOLCK, errno.EDEADLK, errno.EINTR)
"""Errors after which a disk need not be suspected."""


def out_of_reach(folder: bytes, error: OSError) -> OSError | None:
    """Return why a whole folder is out of reach, after an error on something in it; None where it can be listed."""
    if error.errno in EXHAUSTED:
        return error
    try:
        with os.scandir(folder) as entries:
            next(entries, None)
    except OSError as own:
        return own
    return None


def explain(error: OSError) -> str:
    """Return what went wrong with one file or folder, and what it means to a person."""
    if error.errno in _FORBIDDEN:
        return f"{error.strerror}: it may not be read by the user that Sightline runs as"
    if error.errno == errno.ESTALE:
        return f"{error.strerror}: the server has replaced it; it is tried again"
    return f"{error.strerror}{'' if error.errno in _PASSING else ': its disk may be damaged'}"
