"""URLs of buckets: which are allowed, and which folder a `file://` one means."""

from __future__ import annotations

import os
from urllib.parse import unquote_to_bytes, urlsplit

OBJECT_STORES = ("s3", "s3a")


def check(url: str) -> str:
    """Return the URL if it can be a bucket's.

    Raises:
        ValueError: With what is wrong and what would be right.
    """
    if url.startswith("/"):
        raise ValueError(f"write it as a URL: file://{url}")
    parts = urlsplit(url)
    if parts.scheme == "file":
        folder(url)
    elif parts.scheme not in OBJECT_STORES:
        raise ValueError("it must be a URL such as file:///home/me/Pictures or s3://BUCKET")
    elif not parts.netloc:
        raise ValueError(f"the bucket's name is missing after {parts.scheme}://")
    elif parts.query or "@" in parts.netloc:
        raise ValueError(
            "credentials do not belong in the URL; set the store's own variables, such as AWS_ACCESS_KEY_ID"
        )
    return url


def folder(url: str) -> bytes | None:
    """Return the absolute path that a `file://` URL names; None for an object store's.

    Raises:
        ValueError: If it names no absolute path on this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ValueError("a file URL needs three slashes and an absolute path: file:///home/me/Pictures")
    if parts.query or parts.fragment:
        raise ValueError("write ? as %3F and # as %23 in a file URL")
    path = unquote_to_bytes(parts.path)
    if b"\0" in path:
        raise ValueError("a path cannot hold a zero byte")
    return os.path.normpath(path)


def is_inside(inner: str, outer: str) -> bool:
    """Return whether one URL's place is another's or lies below it, links resolved."""
    inner_folder, outer_folder = folder(inner), folder(outer)
    if inner_folder is not None and outer_folder is not None:
        one, other = os.path.realpath(inner_folder), os.path.realpath(outer_folder)
        return one == other or one.startswith(other.rstrip(b"/") + b"/")
    if inner_folder is not None or outer_folder is not None:
        return False
    return f"{inner.rstrip('/')}/".startswith(f"{outer.rstrip('/')}/")
