"""`sightline-watcher --confirm-loss`: an owner confirms that what the watcher holds is really gone."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import cast

import redis
from sightline_service.queues import RESCAN_LIST, WATCHER_HASH, QueueSettings, WatcherStatus, redis_client
from sightline_service.redaction import redact_url


def confirm_loss(settings: QueueSettings) -> int:
    """Tell the watcher, print what it holds, and return an exit status: 1 where Redis does not answer."""
    client = redis_client(settings)
    try:
        held = WatcherStatus.read(cast("dict[str, str]", client.hgetall(WATCHER_HASH))).held
        client.lpush(RESCAN_LIST, json.dumps({"confirm_loss": datetime.now(UTC).isoformat()}))
    except redis.RedisError as error:
        print(f"the queue at {redact_url(settings.redis_url)} does not answer: {error}", file=sys.stderr)
        return 1
    finally:
        client.close()
    if held is None:
        print("Nothing is held.")
    else:
        print(f"{held.count:,} of {held.of:,} pictures leave the search, such as {', '.join(held.examples)}.")
    return 0
