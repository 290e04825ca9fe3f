"""Hints of the gateway, from a Redis list: keys that it has just changed, for the watcher to check soon."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import redis
import structlog
from sightline_service.queues import RESCAN_LIST, TRACE
from sightline_service.request_ids import REQUEST_ID

log = structlog.get_logger()


@dataclass(frozen=True)
class Hint:
    """What the gateway asks for.

    Attributes:
        keys: Keys to check; None means the folder, or the whole bucket.
        folder: A folder to check; None means the whole bucket.
        verify: Whether what seems to be unchanged is to be read and compared.
        retry: Whether those of them that failed are to be tried again.
        deleted: Whether an owner has deleted them.
        confirm_loss: What is held and went missing until then is really gone, an owner says.
        request_id: Of the request that it is for; None for none's.
        trace: The request's place in a trace; empty where there is none.
    """

    keys: list[str] | None
    folder: str | None = None
    verify: bool = False
    retry: bool = False
    deleted: bool = False
    confirm_loss: datetime | None = None
    request_id: str | None = None
    trace: Mapping[str, str] = field(default_factory=dict)


def pop_hints(client: redis.Redis) -> Iterator[Hint]:
    """Yield the hints in the list, the oldest first; each is removed when it is yielded.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    while (message := client.rpop(RESCAN_LIST)) is not None:
        yield from _parse(str(message))


def wait_for_hint(client: redis.Redis, seconds: float) -> Iterator[Hint]:
    """Wait up to `seconds` for a hint, and yield it.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    answer = client.brpop([RESCAN_LIST], timeout=seconds)
    if answer:
        yield from _parse(str(answer[1]))


def _parse(message: str) -> Iterator[Hint]:
    try:
        fields = json.loads(message)
        keys = fields.get("keys")
        hint = Hint(
            keys=[str(key) for key in keys] if keys is not None else None,
            folder=str(fields["folder"]).strip("/") if fields.get("folder") else None,
            verify=fields.get("verify") is True,
            retry=fields.get("retry") is True,
            deleted=fields.get("deleted") is True,
            confirm_loss=_moment(fields.get("confirm_loss")),
            request_id=fields.get(REQUEST_ID),
            trace={str(name): str(value) for name, value in fields.get(TRACE, {}).items()},
        )
    except (ValueError, AttributeError, TypeError):
        log.warning("not a valid hint", message=message[:200])
        return
    yield hint


def _moment(text: str | None) -> datetime | None:
    moment = datetime.fromisoformat(text) if text else None
    return moment.astimezone(UTC) if moment is not None else None
