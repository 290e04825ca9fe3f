"""Errors that nobody thought of: each is counted and told, and ends no more than what it happened to."""

from __future__ import annotations

import structlog

from sightline_ingest_worker.watcher import metrics

log = structlog.get_logger()


class UnexpectedErrors:
    """The unexpected errors since a scan last went through without one.

    Attributes:
        count: How many there were.
        message: What they are, as a sentence for a person; None where there was none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.message: str | None = None

    def note(self, error: Exception, what: str) -> None:
        """Count an error, and log where it comes from.

        Args:
            error: The error, which is being handled.
            what: What it happened to, as "the scan", or a key.
        """
        self.count += 1
        metrics.UNEXPECTED_ERRORS.inc()
        log.error("unexpected error", of=what, exc_info=error)
        times = "" if self.count == 1 else f", {self.count:,} times"
        self.message = (
            f"the watcher met an error of its own{times}, at last in {what}: {type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}; its log says more, please report it"
        )

    def forget(self) -> None:
        """Forget them: a scan has gone through without one."""
        self.count, self.message = 0, None
