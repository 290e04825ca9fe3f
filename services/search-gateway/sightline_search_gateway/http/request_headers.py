"""Headers of a request that libraries parse: those that are malformed, or too long to be meant, count as not sent.

Libraries fail at some of them, and take long over others.
"""

from __future__ import annotations

import re
from typing import Any

from werkzeug.http import parse_date

MAX_PREFERENCES = 1024
"""Characters of what a client accepts; browsers send some 200."""
MAX_MEDIA_TYPE = 1024
MAX_RANGE = 256
MAX_ETAGS = 4096
PREFERENCES = ("HTTP_ACCEPT", "HTTP_ACCEPT_CHARSET", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE")
TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
ETAGS = re.compile(rf"\*|{TAG}(?:[ \t]*,[ \t]*{TAG})*")
ONE_ETAG = re.compile(TAG)
DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)
RANGES = re.compile(r"bytes=\d{0,18}-\d{0,18}(?:[ \t]*,[ \t]*\d{0,18}-\d{0,18})*", re.ASCII)


def drop_malformed(environ: dict[str, Any]) -> None:
    """Remove such headers from a WSGI environment."""
    for name in PREFERENCES:
        if len(environ.get(name, "")) > MAX_PREFERENCES:
            del environ[name]
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
        if name in environ and (len(environ[name]) > MAX_ETAGS or not ETAGS.fullmatch(environ[name])):
            del environ[name]
    for name in ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"):
        if name in environ and not _is_date(environ[name]):
            del environ[name]
    since = environ.get("HTTP_IF_RANGE")
    if since is not None and not _is_date(since) and (len(since) > MAX_ETAGS or not ONE_ETAG.fullmatch(since)):
        # A range of what may be another version would be wrong: the whole is sent.
        environ.pop("HTTP_RANGE", None)
        del environ["HTTP_IF_RANGE"]
    wanted = environ.get("HTTP_RANGE")
    if wanted is not None and (len(wanted) > MAX_RANGE or not RANGES.fullmatch(wanted)):
        del environ["HTTP_RANGE"]
    if len(environ.get("CONTENT_TYPE", "")) > MAX_MEDIA_TYPE:
        del environ["CONTENT_TYPE"]


def _is_date(value: str) -> bool:
    """Return whether a value is a date as HTTP has them."""
    return DATE.fullmatch(value) is not None and parse_date(value) is not None
