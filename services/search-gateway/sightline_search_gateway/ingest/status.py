"""The state of ingestion: counts by state, and what the watcher does."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated, Any

from sightline_catalogue import CatalogueError
from sightline_service.queues import DatabaseStatus, HeldLoss

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.clients.watcher import QueueUnavailable, WatcherClient
from sightline_search_gateway.errors import queue_problem
from sightline_search_gateway.ingest.disks import FullDisks
from sightline_search_gateway.ingest.left_out import LeftOut, left_out_of

FRESH_SECONDS = 1.0
"""How long a status is reused: however many clients ask, the catalogue and Redis are read once."""

REPAIR_COMMAND = "docker compose exec watcher sightline-catalogue repair"


@dataclass(frozen=True)
class StateCounts:
    """How many images are in each state."""

    pending: int = 0
    indexed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class ModelChange(StateCounts):
    """Everything is being read again for another model; the present one's images are searched meanwhile."""

    model: Annotated[str, "The new model."] = ""


@dataclass(frozen=True)
class Database:
    """The nodes of the vector database; one of one where it is a single server."""

    nodes: int
    nodes_alive: Annotated[int, "Those that answer."]
    dead_nodes: Annotated[list[str], "Addresses of those that do not."]
    shards: Annotated[int, "The parts into which the collections are divided."]
    shards_unavailable: Annotated[int, "Those of which no copy answers: searches fail."]
    copies_wanted: Annotated[int, "Copies of all shards that there should be."]
    copies_alive: Annotated[int, "Those that answer."]
    transfers: Annotated[int, "Copies that are being made or moved."]
    message: Annotated[str | None, "What is wrong, as a sentence; null while all is well."]
    command: Annotated[str | None, "What to run then, in the watcher's container: it shows the state, and what to do."]


def database_of(status: DatabaseStatus | None) -> Database | None:
    """Return the database's state for an answer."""
    if status is None:
        return None
    told = status.model_dump() | {"message": status.message or None}
    return Database(**told, command=REPAIR_COMMAND if status.message else None)


@dataclass(frozen=True)
class BucketProblem:
    """Why the bucket cannot be reached. Searches go on without it."""

    message: Annotated[str, "A sentence."]
    since: datetime | None


@dataclass(frozen=True)
class Held:
    """Pictures that are missing, and stay in search since so many are missing at once: a disk may not be mounted."""

    count: int
    of: Annotated[int, "Of how many pictures."]
    since: Annotated[datetime, "When the first of them was found missing."]
    examples: Annotated[list[str], "Keys of some of them."]
    message: Annotated[str, "What is the matter, as a sentence."]


def held_of(loss: HeldLoss | None) -> Held | None:
    """Return what is held for an answer."""
    return None if loss is None else Held(loss.count, loss.of, loss.since, loss.examples, loss.message)


@dataclass(frozen=True)
class Ingest(StateCounts):
    """Counts, and the watcher's last report."""

    ignored: Annotated[
        int | None, "Files that are left out, as `/ingest/left-out` lists them; null while that is not known."
    ] = None
    queued: Annotated[int | None, "Tasks that wait for a worker; null while that is not known."] = None
    scanning: Annotated[bool, "Whether the bucket is being listed at the moment."] = False
    last_scan_at: datetime | None = None
    database: Annotated[Database | None, "The vector database's nodes; null while that is not known."] = None
    bucket: Annotated[BucketProblem | None, "Why the bucket cannot be reached; null while it can."] = None
    held: Annotated[Held | None, "Missing pictures that stay until they are back or confirmed; mostly null."] = None
    model_change: Annotated[ModelChange | None, "How far a change of the model is; null while there is none."] = None
    services: Annotated[str | None, "Which services keep restarting or fail unexpectedly; null while none does."] = None
    disk: Annotated[
        str | None, "Which disks are full, so that nothing new is indexed; searches go on. Null while none is."
    ] = None
    writable: Annotated[bool, "Whether pictures can be added and removed here."] = False


def count_states(catalogue: CatalogueCircuitBreaker) -> StateCounts:
    """Return how many images are in each state.

    Raises:
        CatalogueError: The catalogue does not answer.
    """
    collection = catalogue.current_if_any()
    if collection is None:
        return StateCounts()
    found = collection.counts()
    return StateCounts(found.pending, found.indexed, found.failed)


class IngestStatusService:
    """Reads the catalogue and Redis once a second at most. Safe to use from several threads."""

    def __init__(
        self, catalogue: CatalogueCircuitBreaker, watcher: WatcherClient, full_disks: FullDisks, *, writable: bool
    ) -> None:
        self._catalogue = catalogue
        self._watcher = watcher
        self._full_disks = full_disks
        self._writable = writable
        self._lock = Lock()
        self._seen: Ingest | CatalogueError | None = None
        self._seen_at = 0.0

    def current(self) -> Ingest:
        """Return the status, as it was at most a second ago.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        with self._lock:
            if self._seen is None or time.monotonic() - self._seen_at >= FRESH_SECONDS:
                self._seen = self._read()
                self._seen_at = time.monotonic()
            seen = self._seen
        if isinstance(seen, CatalogueError):
            raise seen
        return seen

    def confirm_loss(self, until: datetime | None) -> int:
        """Tell the watcher that what is held is really gone; return how many pictures are.

        Args:
            until: Only what was missing at this moment.

        Raises:
            ServiceError: Redis does not answer.
        """
        held = self._watcher.state().held
        try:
            self._watcher.confirm_loss(until or datetime.now(UTC))
        except QueueUnavailable as error:
            raise queue_problem(error) from error
        return 0 if held is None else held.count

    def left_out(self) -> LeftOut:
        """Return what the watcher's last scan left out."""
        return left_out_of(self._watcher.left_out())

    def _read(self) -> Ingest | CatalogueError:
        try:
            counts: dict[str, Any] = asdict(count_states(self._catalogue))
        except CatalogueError as error:
            return error
        seen = self._watcher.state()
        return Ingest(
            **counts,
            ignored=seen.ignored,
            queued=seen.queued,
            scanning=seen.scanning,
            last_scan_at=seen.last_scan_at,
            database=database_of(seen.database),
            bucket=BucketProblem(seen.bucket_problem, seen.bucket_problem_since) if seen.bucket_problem else None,
            held=held_of(seen.held),
            model_change=ModelChange(*seen.next_counts, model=seen.next_model) if seen.next_model else None,
            services=self._watcher.services_warning(),
            disk=self._full_disks.message(),
            writable=self._writable,
        )
