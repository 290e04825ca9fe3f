"""Notes starts of the services that know no Redis, so that it can be told that one keeps restarting.

circus calls these hooks; see `supervisor.py`.
"""

from __future__ import annotations

from typing import Any

from sightline_service.queues import QueueSettings, redis_client
from sightline_service.service_starts import forget_starts, note_start

WITHOUT_REDIS = ("encoder", "qdrant-edge")
HOOKS = {
    "after_spawn": ("sightline_local.starts.after_spawn", True),
    "after_stop": ("sightline_local.starts.after_stop", True),
}
"""In circus's form; an error in one is no error of the service's."""
SECONDS = 0.5


def after_spawn(watcher: Any, **_: object) -> bool:
    """Note that a service was started."""
    client = redis_client(QueueSettings(redis_url=watcher.env["REDIS_URL"]), timeout_seconds=SECONDS)
    note_start(client, f"{watcher.name} this machine")
    client.close()
    return True


def after_stop(watcher: Any, **_: object) -> bool:
    """Forget a service's starts: it was stopped."""
    client = redis_client(QueueSettings(redis_url=watcher.env["REDIS_URL"]), timeout_seconds=SECONDS)
    forget_starts(client, f"{watcher.name} this machine")
    client.close()
    return True
