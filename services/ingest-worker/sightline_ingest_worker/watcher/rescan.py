"""`sightline-watcher --rescan`: an owner asks for the bucket, or a folder of it, to be looked at now."""

from __future__ import annotations

import json
import sys
from typing import Any

import redis
from sightline_service.queues import RESCAN_LIST, QueueSettings, redis_client
from sightline_service.redaction import redact_url


def request_rescan(settings: QueueSettings, folder: str, *, verify: bool) -> int:
    """Ask the watcher, and return an exit status: 1 where Redis does not answer.

    Args:
        settings: Of the queues.
        folder: The folder; empty for the whole bucket.
        verify: Have what seems to be unchanged read and compared.
    """
    message: dict[str, Any] = ({"folder": folder} if folder else {}) | ({"verify": True} if verify else {})
    client = redis_client(settings)
    try:
        client.lpush(RESCAN_LIST, json.dumps(message))
    except redis.RedisError as error:
        print(f"the queue at {redact_url(settings.redis_url)} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        client.close()
    print(f"The watcher looks at {folder or 'the whole bucket'} now{', and compares every file' if verify else ''}.")
    return 0
