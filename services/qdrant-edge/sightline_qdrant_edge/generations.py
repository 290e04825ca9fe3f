"""The generations of a collection: folders beside each other, of which the file `current` names the valid one."""

from __future__ import annotations

import re
from pathlib import Path

from sightline_service.atomic_write import atomic_write

FIRST = "gen-000001"
_CURRENT_FILE = "current"
_NAME = re.compile(r"gen-[0-9]{6,}")


def current(collection: Path) -> str:
    """Return the name of the valid generation.

    Raises:
        OSError: The file that names it cannot be read.
        ValueError: It names no generation.
    """
    pointer = collection / _CURRENT_FILE
    name = pointer.read_text("ascii")
    if not _NAME.fullmatch(name) or not (collection / name).is_dir():
        raise ValueError(f"{pointer} names no generation")
    return name


def following(generation: Path) -> Path:
    """Return the folder of the generation after one."""
    return generation.with_name(f"gen-{int(generation.name.removeprefix('gen-')) + 1:06}")


def make_current(generation: Path) -> None:
    """Make a generation the valid one; it survives a crash of the machine.

    Raises:
        OSError: It is not.
    """
    pointer = generation.with_name(_CURRENT_FILE)
    try:
        atomic_write(pointer, generation.name.encode("ascii"), durable=True)
    except OSError:
        # If only the sync failed, the new name is in place and a restart would read it: the change counts.
        if pointer.read_text("ascii") != generation.name:
            raise
