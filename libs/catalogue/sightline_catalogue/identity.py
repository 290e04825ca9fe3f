"""The id of an image, and text that the database can hold."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid

NAMESPACE = uuid.UUID("7c0f6c2e-3d0b-5c5e-9a55-2d7f6e1b8a41")
"""The namespace of Sightline's UUIDv5s. Never change it: every id would."""


def image_id(bucket_id: str, raw_key: bytes) -> str:
    """Return the id of an object's point: a UUIDv5 of the bucket's id and the key's own bytes.

    The name that is hashed is the length of the bucket's id in bytes, in decimal, a colon, the bucket's id in UTF-8,
    then the key as it is. No other bucket and key give the same name, whatever bytes they hold.

    Args:
        bucket_id: BUCKET_ID.
        raw_key: The key's bytes, which need not be UTF-8.
    """
    bucket = bucket_id.encode("utf-8", "surrogateescape")
    name = str(len(bucket)).encode() + b":" + bucket + raw_key
    digest = hashlib.sha1(NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def storable(text: str) -> str:
    r"""Return a text as strict UTF-8 can hold it; bytes that were not UTF-8 are shown as `\xff`.

    `os.fsdecode` returns such bytes as lone surrogates, which the database rejects.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass" if _has_real_surrogates(text) else "surrogateescape")
        return raw.decode("utf-8", "backslashreplace")
    return text


def canonical(text: str) -> str:
    """Return a name in the one form of Unicode by which names are compared, NFC."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def canonical_folder(path: str) -> str:
    """Return a folder's path in NFC, without empty parts: `a/b` for `/a//b/`."""
    return "/".join(part for part in canonical(path).split("/") if part)


def _has_real_surrogates(text: str) -> bool:
    """Return whether there are surrogates other than those that stand for single bytes."""
    return any("\ud800" <= character <= "\udc7f" or "\udd00" <= character <= "\udfff" for character in text)
