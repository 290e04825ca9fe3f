"""What a listing leaves out, counted by kind, with examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from sightline_bucket.selection import DEFAULT_EXCLUDE, Exclusion

Kind = Literal[
    "hidden", "folder", "pattern", "no_media", "not_included", "extension", "no_extension", "unreadable", "other"
]
"""Why it is left out: a dot in front of its name; a folder of the default patterns; another pattern; a folder with
`.nomedia`; no pattern of BUCKET_INCLUDE; the extension of another kind of file; no extension, and bytes that are not an
image's; it cannot be read; any other reason, where there are too many groups."""

MOST_GROUPS = 200
MOST_COUNTED = 10_000
"""So many files of one group are counted in folders that are left out; then it is "at least"."""
EXAMPLES = 3


@dataclass
class LeftOutGroup:
    """What is left out for one reason.

    Attributes:
        kind: See `Kind`.
        name: The folder, pattern or extension; empty where the kind says all.
        reason: Why, in words.
        count: How many files.
        at_least: Whether there may be more, which were not counted.
        examples: Some of their names.
    """

    kind: Kind
    name: str
    reason: str
    count: int = 0
    at_least: bool = False
    examples: list[str] = field(default_factory=list)


class LeftOut:
    """Counts what is left out, in groups."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Kind, str], LeftOutGroup] = {}

    def __iter__(self) -> Iterator[LeftOutGroup]:
        """Yield the groups, the largest first."""
        return iter(sorted(self._groups.values(), key=lambda group: (-group.count, group.kind, group.name)))

    @property
    def count(self) -> int:
        """How many files are left out."""
        return sum(group.count for group in self._groups.values())

    def add(self, kind: Kind, name: str, reason: str, display_name: str) -> None:
        """Count one file."""
        group = self._group(kind, name, reason)
        group.count += 1
        if len(group.examples) < EXAMPLES:
            group.examples.append(display_name)

    def exclude(self, exclusion: Exclusion, display_name: str) -> None:
        """Count one file that the bucket's selection leaves out."""
        self.add(*_kind_of(exclusion), display_name)

    def room(self, exclusion: Exclusion) -> int:
        """Return how many more files of a folder that is left out are to be counted."""
        kind, name, _ = _kind_of(exclusion)
        group = self._groups.get((kind, name))
        return MOST_COUNTED - (group.count if group is not None else 0)

    def note_more(self, exclusion: Exclusion) -> None:
        """Note that there may be more than were counted."""
        self._group(*_kind_of(exclusion)).at_least = True

    def _group(self, kind: Kind, name: str, reason: str) -> LeftOutGroup:
        if (kind, name) not in self._groups and len(self._groups) >= MOST_GROUPS:
            kind, name, reason = "other", "", "not an image by its name or its bytes"
        return self._groups.setdefault((kind, name), LeftOutGroup(kind, name, reason))


def _kind_of(exclusion: Exclusion) -> tuple[Kind, str, str]:
    if exclusion.is_hidden:
        return "hidden", "", "a name that begins with a dot is hidden"
    if exclusion.no_media:
        return "no_media", "", "the folder holds a file .nomedia"
    if not exclusion.pattern:
        return "not_included", "", "no pattern of BUCKET_INCLUDE takes it in"
    plain = exclusion.pattern.rstrip("/")
    if exclusion.pattern in DEFAULT_EXCLUDE and "/" not in plain and "*" not in plain:
        return "folder", plain, "a folder that programs and storage systems make, not people"
    return "pattern", exclusion.pattern, "excluded by this pattern"
