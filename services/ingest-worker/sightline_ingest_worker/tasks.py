"""The Celery task: parses, calls, waits; the work is in `indexing`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from sightline.encoder.client import EncoderError
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueError

from sightline_ingest_worker.away import service_of
from sightline_ingest_worker.context import Context, Stopping
from sightline_ingest_worker.indexing import fail_keys, index_keys
from sightline_ingest_worker.metrics import WAITS
from sightline_ingest_worker.work import Outcome

log = structlog.get_logger()

AWAY = (EncoderError, CatalogueError, BucketUnavailable)
MAX_CRASHES = 3
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
CRASHED = (
    f"decoding it ended the worker's process {MAX_CRASHES} times: the file is damaged in a way that the decoder "
    "does not survive, or it needs more memory or time than there is"
)


class Returned(Exception):
    """The task goes back to the queue."""


def with_patience(context: Context, call: Callable[[], Outcome], deadline: float) -> Outcome:
    """Call until the services that it needs are there.

    A task waits in its place, not on a timer of the queue's: while a service is away nothing more is taken from the
    queue, and a stop is noticed at once.

    Raises:
        Returned: They were away until the deadline, or the worker was told to stop.
    """
    pause = FIRST_PAUSE_SECONDS
    said = False
    while True:
        try:
            return call()
        except Stopping as error:
            raise Returned from error
        except AWAY as error:
            # The model or the collection may be another when it comes back.
            context.target.forget()
            WAITS.labels(service_of(error)).inc()
            if not said:
                log.warning("waiting for a service", error=f"{type(error).__name__}: {error}")
                said = True
            if time.monotonic() + pause > deadline:
                raise Returned from error
            try:
                context.pause(pause)
            except Stopping as stopping:
                raise Returned from stopping
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def index_task(context: Context, keys: Sequence[str], seconds: float) -> Outcome:
    """Index a task's keys; those that may have ended a process come last, and each alone.

    Args:
        context: What is open.
        keys: At most 32, say.
        seconds: How long the task may take, waiting included.

    Raises:
        Returned: What is left is for another time.
    """
    deadline = time.monotonic() + seconds
    outcome = Outcome()
    crashes = context.journal.crashes(keys)
    good = [key for key in keys if key not in crashes]
    if good:
        outcome += with_patience(context, partial(index_keys, context, good, deadline), deadline)
    for key, count in sorted(crashes.items(), key=lambda item: item[1]):
        if count >= MAX_CRASHES:
            alone = partial(fail_keys, context, [key], CRASHED)
        else:
            alone = partial(index_keys, context, [key], deadline)
        outcome += with_patience(context, alone, deadline)
        context.journal.clear([key])
    return outcome
