"""Values as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import orjson


def dump_json(value: Any) -> bytes:
    """Return JSON as UTF-8; dataclasses as objects, datetimes as RFC 3339 in UTC with a Z."""
    try:
        return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC)
    except TypeError:
        # A file's name that is not UTF-8 holds lone surrogates, which orjson refuses; escapes carry them.
        return json.dumps(value, default=_plain).encode("ascii")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)
