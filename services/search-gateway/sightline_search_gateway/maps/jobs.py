"""Map jobs: a Redis stream that the map workers read as one consumer group.

A message that a worker has read stays pending under the worker's name until it is acknowledged. Its idle time is the
lease: the worker renews it every second, and what was not renewed for 15 s the next worker that looks takes over. Each
run of a job has an id; what another run writes into the map is refused.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import redis
import structlog
from sightline_service.request_ids import REQUEST_ID, current_request_id

from sightline_search_gateway.maps.record import ACTIVE, MapRecord, NewMap
from sightline_search_gateway.maps.store import PREFIX, MapStore

if TYPE_CHECKING:
    from redis.client import Pipeline

STREAM = "sightline:map-jobs"
GROUP = "map-workers"
WORKER_KEY = "sightline:map-worker"
"""Is there while a map worker runs."""
LEASE_SECONDS = 15.0
"""A worker that has not renewed its lease for so long loses its job."""
WAIT_SECONDS = 1.0
HEARTBEAT_SECONDS = 1.0
MAX_ATTEMPTS = 2
FORGET_WORKER_SECONDS = 86_400.0
CANCELLED = "It was cancelled."
log = structlog.get_logger()


class LeaseLost(Exception):
    """The map was cancelled, requested again, or taken over by another worker."""


@dataclass(frozen=True)
class JobRun:
    """A worker's run of a map's job.

    Attributes:
        id: Of this run.
        map_id: Of the map that it computes.
        job_id: Of the job.
        message_id: Of the job's message in the stream.
        worker: Who holds the lease.
        attempt: 1 for the first run of the job.
        request_id: Of the request that asked for the map, for the logs.
    """

    id: str
    map_id: str
    job_id: str
    message_id: bytes
    worker: str
    attempt: int = 0
    request_id: str | None = None


class MapJobs:
    """The jobs of the maps in a store. Safe to use from several threads and processes.

    Every method raises redis.RedisError where Redis does not answer.
    """

    def __init__(self, store: MapStore) -> None:
        self.store = store

    def submit(self, new: NewMap, before: MapRecord | None = None) -> MapRecord:
        """Have a map wait for a worker; return it.

        Args:
            new: The map.
            before: The map of this id that there is; if it was finished, its points stay.
        """
        job_id = uuid.uuid4().hex
        pipe = self.store.client.pipeline()
        self.store.put(pipe, new, job_id, before)
        self._send(pipe, new.id, job_id)
        pipe.execute()
        record = self.store.get(new.id)
        assert record is not None
        return record

    def cancel(self, record: MapRecord) -> bool:
        """Cancel a waiting or running map; False where its job is neither any longer."""
        fields = {"state": "cancelled", "finished_at": time.time(), "job_id": "", "run_id": "", "reason": CANCELLED}
        return self._change(record.id, lambda now: now.is_active and now.job_id == record.job_id, fields) is not None

    def join(self, worker: str) -> None:
        """Make a worker known, and forget those that have been gone for a day."""
        client = self.store.client
        with suppress(redis.ResponseError):  # BUSYGROUP: it is there.
            client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        client.xgroup_createconsumer(STREAM, GROUP, worker)
        self._announce()
        for one in client.xinfo_consumers(STREAM, GROUP):
            if one["idle"] > FORGET_WORKER_SECONDS * 1000 and not one["pending"]:
                client.xgroup_delconsumer(STREAM, GROUP, one["name"].decode())

    def has_worker(self) -> bool:
        """Return whether a worker has looked for jobs or renewed a lease lately."""
        # The stream's group knows its consumers too, but Redis before 7.2 does not count one that waits as active.
        return bool(self.store.client.exists(WORKER_KEY))

    def _announce(self) -> None:
        self.store.client.set(WORKER_KEY, "1", ex=math.ceil(LEASE_SECONDS))

    def take(self, worker: str, *, wait_seconds: float = WAIT_SECONDS) -> JobRun | None:
        """Begin a run of the next job, one whose worker has lost its lease before others; None where none comes."""
        self._announce()
        message = self._next_message(worker, wait_seconds)
        if message is None:
            return None
        message_id, fields = message
        map_id, job_id = fields[b"map"].decode(), fields[b"job"].decode()
        request_id = fields.get(REQUEST_ID.encode(), b"").decode() or None
        run = JobRun(uuid.uuid4().hex, map_id, job_id, message_id, worker, request_id=request_id)
        record = self._change(
            map_id,
            lambda now: now.state in ACTIVE and now.job_id == job_id,
            {"state": "running", "run_id": run.id},
            attempts=1,
        )
        if record is None:
            self.drop(run)
            return None
        return replace(run, attempt=record.attempts + 1)

    def heartbeat(self, run: JobRun) -> None:
        """Renew the lease of a run.

        Raises:
            LeaseLost: It is lost.
        """
        self._announce()
        found = cast("list[bytes | None]", self.store.client.hmget(PREFIX + run.map_id, "state", "run_id"))
        if found != [b"running", run.id.encode()]:
            raise LeaseLost
        self.store.client.xclaim(STREAM, GROUP, run.worker, 0, [run.message_id], justid=True)

    def write(
        self,
        run: JobRun,
        fields: Mapping[str, Any],
        parts: Mapping[str, bytes] | None = None,
        *,
        also: Callable[[Pipeline], None] = lambda pipe: None,
        attempts: int = 0,
    ) -> None:
        """Write into the map of a run, as `_change` does.

        Raises:
            LeaseLost: The map is no longer the run's own.
        """

        def is_own(now: MapRecord) -> bool:
            return now.state == "running" and now.run_id == run.id

        if self._change(run.map_id, is_own, fields, parts, also=also, attempts=attempts) is None:
            raise LeaseLost

    def finish(self, run: JobRun, state: str, reason: str | None = None) -> None:
        """End a job as done or failed.

        Raises:
            LeaseLost: The map is no longer the run's own.
        """

        def end(pipe: Pipeline) -> None:
            self._acknowledge(pipe, run)
            pipe.delete(f"{PREFIX}{run.map_id}:vectors")
            self.store.extend(pipe, run.map_id)

        self.write(run, {"state": state, "finished_at": time.time(), "reason": reason or ""}, also=end)

    def release(self, run: JobRun, *, count_attempt: bool) -> None:
        """Have a job wait again for a worker.

        Raises:
            LeaseLost: The map is no longer the run's own.
        """

        def requeue(pipe: Pipeline) -> None:
            self._acknowledge(pipe, run)
            self._send(pipe, run.map_id, run.job_id)

        self.write(run, {"state": "queued", "run_id": ""}, also=requeue, attempts=0 if count_attempt else -1)

    def drop(self, run: JobRun) -> None:
        """Remove the message of a job that was cancelled or replaced from the stream."""
        pipe = self.store.client.pipeline()
        self._acknowledge(pipe, run)
        pipe.execute()

    def _change(
        self,
        map_id: str,
        allowed: Callable[[MapRecord], bool],
        fields: Mapping[str, Any],
        parts: Mapping[str, bytes] | None = None,
        *,
        also: Callable[[Pipeline], None] = lambda pipe: None,
        attempts: int = 0,
    ) -> MapRecord | None:
        """Write into a map if it is in an allowed state, in one transaction.

        Args:
            map_id: The map.
            allowed: Whether the map as it stands may be written into.
            fields: What to write.
            parts: What to write beside them.
            also: Adds further commands to the transaction.
            attempts: To add to those of the job.

        Returns:
            The map as it was before; None where nothing was written.
        """
        before: MapRecord | None = None

        def change(pipe: Pipeline) -> None:
            nonlocal before
            before = self.store.get(map_id)
            pipe.multi()
            if before is None or not allowed(before):
                before = None
                return
            changed = {**fields, "attempts": before.attempts + attempts} if attempts else fields
            self.store.write(pipe, map_id, before.version + 1, changed, parts)
            also(pipe)

        self.store.client.transaction(change, PREFIX + map_id)
        return before

    def _next_message(self, worker: str, wait_seconds: float) -> tuple[bytes, dict[bytes, bytes]] | None:
        client = self.store.client
        try:
            found = client.xautoclaim(STREAM, GROUP, worker, int(LEASE_SECONDS * 1000), count=1)[1]
            if not found:
                answer: Any = client.xreadgroup(GROUP, worker, {STREAM: ">"}, count=1, block=int(wait_seconds * 1000))
                found = answer[0][1] if answer else []
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self.join(worker)
            return None
        return found[0] if found else None

    def _send(self, pipe: Pipeline, map_id: str, job_id: str) -> None:
        pipe.xadd(STREAM, {"map": map_id, "job": job_id, REQUEST_ID: current_request_id() or ""})

    def _acknowledge(self, pipe: Pipeline, run: JobRun) -> None:
        pipe.xack(STREAM, GROUP, run.message_id)
        pipe.xdel(STREAM, run.message_id)
