"""Which keys are part of the bucket: patterns in gitignore's syntax that leave keys out, and that take keys in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from pathspec import GitIgnoreSpec

DEFAULT_EXCLUDE = (
    # Hidden, and what people threw away.
    ".*", "$RECYCLE.BIN/", "$Recycle.Bin/", "RECYCLER/", "Network Trash Folder/", "#recycle/", "@Recycle/",
    "files_trashbin/",
    # Snapshots and earlier versions.
    "#snapshot/", "~snapshot/", "@Recently-Snapshot/", "files_versions/",
    # Thumbnails and other files that storage boxes, servers and programs make for themselves.
    "@eaDir/", "@__thumb/", "@Transcode/", "@tmp/", "appdata_*/", "iPod Photo Cache/", "System Volume Information/",
    "Temporary Items/", "__MACOSX/", "lost+found/",
    # What photo programs keep beside the originals: previews, faces, edits.
    "*.lrdata/", "*.lrcat-data/", "**/CaptureOne/Cache/", "**/*.cocatalog/Cache/",
    "**/*.photoslibrary/*", "!**/*.photoslibrary/originals/", "!**/*.photoslibrary/Masters/",
    "**/*.photolibrary/*", "!**/*.photolibrary/Originals/", "!**/*.photolibrary/Masters/",
    "**/*.aplibrary/*", "!**/*.aplibrary/Masters/",
)  # fmt: skip
"""The patterns that hold before those of BUCKET_EXCLUDE, of which one with ! takes back what these leave out."""

NO_MEDIA = ".nomedia"
"""A folder with a file of this name, and what is below it, is left out: so Android's programs have it."""

_ANYWHERE = "^(?:.+/)?"
_NAMELESS = re.compile(r"(?:^|(?<=/))\.{0,2}(?=/|$)(?!^$)")
"""A part of a key that is empty, `.` or `..`."""
_FOLDER_MARK = "(?P<ps_d>/)"


@dataclass(frozen=True)
class Exclusion:
    """Why a key is left out.

    Attributes:
        pattern: Of BUCKET_EXCLUDE or the defaults; empty where no pattern of BUCKET_INCLUDE takes the key in.
        folder: The folder that is left out as a whole, empty where it is the key alone.
        no_media: Whether the folder is left out for its file `.nomedia`.
    """

    pattern: str = ""
    folder: str = ""
    no_media: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether it is left out for the dot in front of its name."""
        return self.pattern == ".*"

    def __str__(self) -> str:
        if self.no_media:
            return f"it is hidden from Sightline: its folder {self.folder} holds a file {NO_MEDIA}"
        if not self.pattern:
            return "no pattern of BUCKET_INCLUDE takes it in"
        return f"it is hidden from Sightline by the pattern {self.pattern} (BUCKET_EXCLUDE, or a default)"


class Selection:
    """Says which keys are part of the bucket. Safe to share between threads.

    A key is left out where a pattern of `exclude` matches it or one of its folders, as with git; and where there are
    patterns of `include`, unless one of them matches it or one of its folders.

    Args:
        exclude: Patterns in gitignore's syntax, after DEFAULT_EXCLUDE.
        include: Likewise; empty for everything.

    Raises:
        ValueError: A pattern is not valid.
    """

    def __init__(self, exclude: Sequence[str] = (), include: Sequence[str] = ()) -> None:
        self._patterns = [*DEFAULT_EXCLUDE, *_without_comments(exclude)]
        self._exclude = GitIgnoreSpec.from_lines(map(_escaped, self._patterns))
        sources = [pattern.regex.pattern for pattern in self._exclude.patterns if pattern.regex is not None]
        self._any = _any_of(sources)
        self._any_of_files = _any_of([source for source in sources if not source.endswith(_FOLDER_MARK)])
        included = _without_comments(include)
        self._include = GitIgnoreSpec.from_lines(map(_escaped, included)) if included else None
        self._folder = lru_cache(maxsize=4096)(self._find_folder)

    def folder(self, raw: bytes) -> Exclusion | None:
        """Return why a folder is left out, itself or with one above it; None if it is not."""
        path = _text(raw)
        return self._folder(path)[1] if path else None

    def key(self, raw: bytes) -> Exclusion | None:
        """Return why an object's key is left out, itself or with one of its folders; None if it is not."""
        path = _text(raw)
        parent, slash, _ = path.rpartition("/")
        is_matched, exclusion = self._folder(parent) if slash else (False, None)
        if exclusion is not None:
            return exclusion
        # Few names match any pattern, and one expression tries them all at once; where none matches the folder, those
        # of folders cannot match what is directly in it.
        if (self._any if is_matched else self._any_of_files).match(path):
            exclusion = self._match(path)
        if exclusion is None and self._include is not None and not self._include.match_file(path):
            return Exclusion()
        return exclusion

    def _find_folder(self, path: str) -> tuple[bool, Exclusion | None]:
        """Return whether any pattern matches a folder, one that takes back included, and why it is left out."""
        if not self._any.match(path + "/"):
            return False, None
        parent, slash, _ = path.rpartition("/")
        above = self._folder(parent)[1] if slash else None
        return True, above or self._match(path + "/")

    def _match(self, path: str) -> Exclusion | None:
        found = self._exclude.check_file(path)
        if not found.include or found.index is None:
            return None
        return Exclusion(self._patterns[found.index], path.rstrip("/") if path.endswith("/") else "")


def split_patterns(text: str) -> list[str]:
    """Return the patterns of a setting: one a line where there are several lines, else separated by commas."""
    return text.splitlines() if "\n" in text.strip() else text.split(",")


def _without_comments(patterns: Sequence[str]) -> list[str]:
    """Return patterns without empty lines and comments, which here begin with # and a blank."""
    stripped = (pattern.strip() for pattern in patterns)
    return [pattern for pattern in stripped if pattern and pattern != "#" and not pattern.startswith("# ")]


def _escaped(pattern: str) -> str:
    # Git's files have comments begin with #; storage boxes have names of folders begin with it.
    return f"\\{pattern}" if pattern.startswith("#") else pattern


def _any_of(sources: Sequence[str]) -> re.Pattern[str]:
    """Return an expression that matches whatever one of some patterns' expressions matches."""
    plain = [source.replace(_FOLDER_MARK, "/") for source in sources]
    anywhere = [source.removeprefix(_ANYWHERE) for source in plain if source.startswith(_ANYWHERE)]
    others = [source for source in plain if not source.startswith(_ANYWHERE)]
    return re.compile("|".join([f"{_ANYWHERE}(?:{'|'.join(anywhere)})", *others]))


def _text(raw: bytes) -> str:
    text = raw.decode("utf-8", "surrogateescape")
    # In an object store, whose keys may have such parts, they name nothing hidden.
    return _NAMELESS.sub("_", text) if _NAMELESS.search(text) else text
