"""Keys: which names are valid, and how an invalid name is printed."""

from __future__ import annotations

import unicodedata

from sightline_bucket.errors import KeyRefused

NOT_UTF8 = "its name is not valid UTF-8; rename it"
CONTROL_CHARACTER = "its name holds a line break or another control character; rename it"
LONGEST_KEY, LONGEST_NAME = 1024, 255
"""In bytes, of a key and of each of its parts."""

TOO_LONG = f"its name is longer than {LONGEST_NAME} bytes, or its path than {LONGEST_KEY:,}; shorten it"
NUMBERED = "its name ends in # and a number, which storage uses for unfinished files; rename it"


def problem(raw: bytes) -> str | None:
    """Return why a raw name cannot be a key; None if it can."""
    if len(raw) > LONGEST_KEY or any(len(part) > LONGEST_NAME for part in raw.split(b"/")):
        return TOO_LONG
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    if any(unicodedata.category(character) == "Cc" for character in text):
        return CONTROL_CHARACTER
    stem, mark, number = text.rpartition("#")
    return NUMBERED if mark and stem and number.isascii() and number.isdigit() else None


def printable(raw: bytes) -> str:
    """Return a printable form of a name: characters that are not printable are escaped."""
    text = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def check(key: str) -> str:
    """Return a key, if it is valid.

    Raises:
        KeyRefused: It is empty, absolute, leaves the bucket, or cannot be a name in the bucket.
    """
    try:
        raw = key.encode("utf-8")
    except UnicodeEncodeError:
        raise KeyRefused(f"{printable(key.encode('utf-8', 'backslashreplace'))}: {NOT_UTF8}") from None
    name = printable(raw)
    if len(name) > LONGEST_NAME:
        name = f"{name[:60]}..."
    if not raw:
        raise KeyRefused("an empty key names nothing")
    wrong = problem(raw)
    if wrong:
        raise KeyRefused(f"{name}: {wrong}")
    segments = raw.split(b"/")
    if any(segment in (b"", b".", b"..") for segment in segments):
        raise KeyRefused(f"{name}: a key is relative to the bucket, without empty parts, '.' and '..'")
    return key
