"""Keys: which names are valid, and how an invalid name is printed."""

from __future__ import annotations

import unicodedata

from sightline_bucket.errors import KeyRefused

NOT_UTF8 = "its name is not valid UTF-8; rename it"
CONTROL_CHARACTER = "its name holds a line break or another control character; rename it"
LONGEST_KEY, LONGEST_NAME = 1024, 255
"""In bytes, of a key and of each of its parts."""

TOO_LONG = f"its name is longer than {LONGEST_NAME} bytes, or its path than {LONGEST_KEY:,}; shorten it"


def problem(raw: bytes) -> str | None:
    """Return why a file's raw name cannot be a key; None if it can."""
    if len(raw) > LONGEST_KEY or any(len(part) > LONGEST_NAME for part in raw.split(b"/")):
        return TOO_LONG
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    return CONTROL_CHARACTER if any(unicodedata.category(character) == "Cc" for character in text) else None


def printable(raw: bytes) -> str:
    """Return a printable form of a name: characters that are not printable are escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def check(key: str) -> str:
    """Return a key, if a file may have it, and a new object.

    Raises:
        KeyRefused: It is empty, absolute, leaves the bucket, or cannot be a name in the bucket.
    """
    raw = check_stored(key).encode()
    wrong = problem(raw)
    if wrong:
        raise KeyRefused(f"{_shortened(raw)}: {wrong}")
    if any(segment in (b"", b".", b"..") for segment in raw.split(b"/")):
        raise KeyRefused(f"{_shortened(raw)}: a key is relative to the bucket, without empty parts, '.' and '..'")
    return key


def check_stored(key: str) -> str:
    """Return a key, if an object store may have an object of it: there, '..' and a line break are names like others.

    Raises:
        KeyRefused: It is empty, too long, or no text.
    """
    try:
        raw = key.encode("utf-8")
    except UnicodeEncodeError:
        raise KeyRefused(f"{printable(key.encode('utf-8', 'backslashreplace'))}: {NOT_UTF8}") from None
    if not raw:
        raise KeyRefused("an empty key names nothing")
    if len(raw) > LONGEST_KEY:
        raise KeyRefused(f"{_shortened(raw)}: {TOO_LONG}")
    return key


def _shortened(raw: bytes) -> str:
    name = printable(raw)
    return name if len(name) <= LONGEST_NAME else f"{name[:60]}..."
