"""Keeps what may be secret out of messages and logs."""

from __future__ import annotations

import re

_USER_OF_A_URL = re.compile(r"(?<=://)\S*@")
_QUERY_OF_A_URL = re.compile(r"(://[^\s?]*\?)[^\s)\"']*")
# Up to the last @ and to the end, whatever is between: the value is wrong, and nothing in it need be where it should.
_USER = re.compile(r"(?<=://).*@", re.DOTALL)
_QUERY = re.compile(r"(?<=://)([^?]*\?).*", re.DOTALL)


def redact_url(value: str) -> str:
    """Return a setting that is one URL or several, right or wrong, without users, passwords and queries."""
    return _QUERY.sub(r"\1***", _USER.sub("***@", value))


def redact_message(text: str) -> str:
    """Return a message without the users, passwords and queries of URLs in it; a query may hold a signature."""
    return _QUERY_OF_A_URL.sub(r"\1***", _USER_OF_A_URL.sub("***@", text))
