"""The cursor of a page: an opaque text that says where the page ended."""

from __future__ import annotations

import base64
import binascii
import json
import uuid

from sightline_catalogue.errors import WrongCursor

_MOST_TIES = 100_000


def write_cursor(order: int, ids: list[str]) -> str:
    """Return the cursor after the images of `ids`, the last ones so far, which share one place in the order."""
    content = json.dumps([order, *(uuid.UUID(one).hex for one in ids)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[int, list[str]]:
    """Return the arguments of `write_cursor`.

    Raises:
        WrongCursor: `write_cursor` did not return it.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        order, *ids = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if type(order) is not int or abs(order) >= 2**62 or len(ids) > _MOST_TIES:
            raise ValueError
        return order, [str(uuid.UUID(hex=one)) for one in ids]
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise WrongCursor("the cursor is not one that an earlier page gave; start without one") from None
