"""The Celery task: calls `indexing`, retries while a service does not answer, requeues."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sightline.encoder.client import EncoderError
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_before_delay, wait_exponential

from sightline_ingest_worker.upstream_errors import full_disk_of, service_of
from sightline_ingest_worker.worker.context import Stopping, WorkerContext
from sightline_ingest_worker.worker.indexing import fail_keys, index_keys
from sightline_ingest_worker.worker.item import FailureKind
from sightline_ingest_worker.worker.metrics import TASKS, WAITS

log = structlog.get_logger()

RETRIED = (EncoderError, CatalogueError, BucketUnavailable)
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
FULL_DISK_QUIET_SECONDS = 60.0
"""A full disk is logged again once nothing waited for it for so long."""
UNEXPECTED = "an error of Sightline's own, which its log tells more of; please report it"


class Requeue(Exception):
    """The task is to be requeued."""


def retry_until(context: WorkerContext, deadline: float, call: Callable[[], Counter[str]]) -> Counter[str]:
    """Call, and retry while a service does not answer.

    The task waits in its process, not as a delayed retry of Celery's: while a service does not answer no further task
    is started, and a stop is noticed at once.

    Raises:
        Requeue: A service did not answer until the deadline, or the worker is stopping.
    """

    def note(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        WAITS.labels(service_of(error)).inc()
        if (full := full_disk_of(error)) is not None:
            _tell_full_disk(context, *full)
            return
        # The model or the collection may be another when it answers again.
        context.target.forget()
        if state.attempt_number == 1:
            log.warning("waiting for a service", error=f"{type(error).__name__}: {error}")

    retrying = Retrying(
        retry=retry_if_exception_type(RETRIED),
        wait=wait_exponential(FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
        stop=stop_before_delay(max(deadline - time.monotonic(), 0.0)),
        after=note,
        sleep=context.pause,
        reraise=True,
    )
    try:
        return retrying(call)
    except (Stopping, *RETRIED) as error:
        raise Requeue from error


def _tell_full_disk(context: WorkerContext, name: str, message: str) -> None:
    """Tell that a disk is full: the gateway each time, the log once until there has been room for a while."""
    context.tell_full_disk(name, message)
    now = time.monotonic()
    if now - context.full_disk_at > FULL_DISK_QUIET_SECONDS:
        log.warning("waiting for room on a disk", error=message)
    context.full_disk_at = now


def index_task(context: WorkerContext, keys: Sequence[str], seconds: float) -> Counter[str]:
    """Index a task's keys.

    Args:
        context: The process's context.
        keys: The keys of one task, 32 at most.
        seconds: How long the task may take, waiting included.

    Raises:
        Requeue: The task is not finished, and has to be repeated.
    """
    return _index_or_fail(context, keys, time.monotonic() + seconds)


def _index_or_fail(context: WorkerContext, keys: Sequence[str], deadline: float) -> Counter[str]:
    """Index keys; after an error that nobody thought of, each alone, so that it is the failure of its object only.

    Raises:
        Requeue: See `retry_until`.
    """
    try:
        return retry_until(context, deadline, partial(index_keys, context, keys, deadline))
    except Requeue:
        raise
    except Exception as error:
        TASKS.labels("unexpected").inc()
        log.exception("unexpected error", keys=len(keys))
        if len(keys) > 1:
            return sum((_index_or_fail(context, [key], deadline) for key in keys), Counter[str]())
        reason = f"{UNEXPECTED}: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    try:
        return retry_until(context, deadline, partial(fail_keys, context, keys, reason, FailureKind.UNREADABLE))
    except Requeue:
        raise
    except Exception:
        log.exception("a failure could not be recorded", keys=keys)
        return Counter(failed=len(keys))
