"""One collection: its folder, the engine's shard, and the order of its writes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Event, Lock
from typing import NamedTuple

import qdrant_edge as engine
import structlog
from qdrant_client import grpc as api
from sightline_service.atomic_write import atomic_write

from sightline_qdrant_edge import generations
from sightline_qdrant_edge.errors import EdgeError, EngineFailure, NotFound, collection_missing
from sightline_qdrant_edge.files import copy_shard, discard, sync_tree
from sightline_qdrant_edge.point_cache import PointCache
from sightline_qdrant_edge.reserve import Reserve
from sightline_qdrant_edge.schema import engine_config, read_request, vector_params, write_request
from sightline_qdrant_edge.shard import count_points, create_shard, flush_shard, load_shard, update_shard
from sightline_qdrant_edge.updates import Write, operations, removed_from_index
from sightline_qdrant_edge.write_journal import WriteJournal
from sightline_qdrant_edge.write_throttle import WriteThrottle

_log = structlog.get_logger()
_UNINDEXED_FILE = "unindexed"
_JOURNAL_FILE = "journal"
_PAYLOAD_BYTES = 1000
"""What a point takes in the cache besides its vectors, about."""
_CLOSE_SECONDS = 30.0
_LAST_WRITES = 4
_MAX_ROUNDS = 50  # a round halves what is left; only writes of half a second each could need as many


class Serving(NamedTuple):
    """The shard that serves, and the points of it that are kept serialized."""

    shard: engine.EdgeShard
    cache: PointCache


class EdgeCollection:
    """A collection that is open.

    On disk: `collection.json` (the request that created it), `current` (the name of the valid
    generation), and `gen-NNNNNN/` (the engine's shard). A new generation is built beside the old one, and takes over
    when `current` is replaced; whatever `current` does not name is left over from a crash.

    Threads: every call of the engine holds the GIL throughout, so that two never overlap, and a reader needs no other
    lock: it takes `shard` once and calls it. Writers take the collection's lock, which
    keeps the journal, the shard and a swap in one order.
    """

    def __init__(self, name: str, folder: Path, cache_bytes: int, reserve: Reserve) -> None:
        """Open a collection that exists.

        Args:
            name: Its name.
            folder: Its folder.
            cache_bytes: The most bytes of serialized points that it keeps.
            reserve: The free space of its disk.

        Raises:
            EngineFailure: The engine cannot read its files.
        """
        self.name = name
        self.folder = folder
        try:
            self.request = read_request(folder)
            # Before leftovers are deleted: the generation that `current` should name may be among them.
            self.generation = generations.current(folder)
        except (OSError, ValueError) as error:
            raise EngineFailure(f"the collection in {folder} is damaged: {error}") from None
        vectors = vector_params(self.request)
        self.dimensions = {key: params.size for key, params in vectors.items()}
        self.preloaded = any(params.memory == api.Memory.Cached for params in vectors.values())
        for leftover in folder.iterdir():
            if leftover.is_dir() and leftover.name != self.generation:
                discard(leftover)
        (folder / _JOURNAL_FILE).unlink(missing_ok=True)
        self.build_error = ""
        self._lock = Lock()
        self._idle = Event()  # no build is in progress
        self._idle.set()
        self._journal: WriteJournal | None = None
        self._throttle = WriteThrottle()
        self._dirty = False
        self._writes = 0
        self._cache_bytes = cache_bytes
        self._reserve = reserve
        self._serving: Serving | None = self._served(load_shard(folder / self.generation))
        self._unindexed = self._stored_unindexed()
        self._unindexed_copied = 0

    @classmethod
    def create(cls, folder: Path, request: api.CreateCollection) -> None:
        """Write a new, empty collection into `folder`, which does not exist yet."""
        config = engine_config(request)
        generation = folder / generations.FIRST
        generation.mkdir(parents=True)
        create_shard(generation, config)
        write_request(folder, request)
        generations.make_current(generation)
        sync_tree(folder)

    def _served(self, shard: engine.EdgeShard) -> Serving:
        point_bytes = _PAYLOAD_BYTES + sum(4 * size for size in self.dimensions.values())
        # Of a collection that is far larger than the cache few points are found twice: it is not worth as much memory.
        is_large = shard.info().points_count * point_bytes > 2 * self._cache_bytes
        return Serving(shard, PointCache(self._cache_bytes // 8 if is_large else self._cache_bytes))

    @property
    def serving(self) -> Serving:
        """The shard that serves now, and its cache; take them once for each call."""
        serving = self._serving
        if serving is None:
            raise NotFound(f"Not found: Collection `{self.name}` was deleted, or the server is stopping")
        return serving

    @property
    def shard(self) -> engine.EdgeShard:
        """The shard that serves now; take it once for each call."""
        return self.serving.shard

    @property
    def closed(self) -> bool:
        """Whether the collection was deleted or the server is stopping."""
        return self._serving is None

    @property
    def building(self) -> bool:
        """Whether an index is being built."""
        return not self._idle.is_set()

    def write(self, request: Write) -> int:
        """Apply a write; once this returns, it survives a crash of the process.

        Returns:
            The write's number since the collection was opened.

        Raises:
            WrongInput: The request was refused, and nothing of it applied.
            NotFound: It names points that are not there; the others were changed, as Qdrant does it.
        """
        todo = operations(request, self.dimensions)
        unindexed = removed_from_index(request)
        self._throttle.wait()
        with self._lock:
            shard = self.shard
            self._dirty = True
            self._writes += 1
            number = self._writes
            self._unindexed += unindexed if isinstance(unindexed, int) else count_points(shard, unindexed)
            failed = True
            try:
                update_shard(shard, todo)
                failed = False
            finally:
                self._record(request, failed)
        return number

    def _record(self, request: Write, failed: bool) -> None:
        if self._journal is None:
            return
        try:
            self._journal.append(request, failed)
        except OSError:
            # The write itself is applied; only the build is lost, which `finish_generation` will notice.
            self._drop_journal()

    def flush(self) -> None:
        """Flush to the disk, so that writes also survive a crash of the machine."""
        if not self._dirty or self._serving is None:
            return
        # The engine's own flush holds the GIL for as long as the disk takes. Syncing the files first does not, and
        # leaves it little to do.
        sync_tree(self.folder / self.generation)
        if self._reserve.is_exhausted:
            return  # what has been synced will do: the engine's log is part of it
        with self._lock:
            if self._serving is not None:
                flush_shard(self._serving.shard)
                self._dirty = False
                self._store_unindexed()

    @property
    def unindexed(self) -> int:
        """How many points may have a vector and no index: an upper bound, without counting."""
        return self._unindexed

    @property
    def points(self) -> int:
        """How many points there are, with and without a vector."""
        return int(self.shard.info().points_count)

    def count_unindexed(self) -> int:
        """Return a tighter bound, by counting the points that have a vector.

        A point that was written twice counts twice until then, and setting the payload of points without a vector
        counts too.
        """
        with self._lock:
            shard = self.shard
            having = engine.Filter(should=[engine.HasVectorCondition(name) for name in self.dimensions])
            self._unindexed = min(self._unindexed, count_points(shard, having))
            return self._unindexed

    def start_generation(self) -> tuple[Path, WriteJournal]:
        """Copy the shard into a new generation's folder, and record writes in a journal from then on.

        Writes wait for the last part of the copy; searches do not.
        """
        origin = self.folder / self.generation
        folder = generations.following(origin)
        discard(folder)
        self._idle.clear()
        try:
            copy_shard(origin, folder)
            sync_tree(origin)
            with self._lock:
                flush_shard(self.shard)
                copy_shard(origin, folder)
                self._journal = WriteJournal(self.folder / _JOURNAL_FILE)
                self._unindexed_copied = self._unindexed
                return folder, self._journal
        except BaseException:
            discard(folder)
            self._idle.set()
            raise

    def catch_up(self, shard: engine.EdgeShard, journal: WriteJournal) -> None:
        """Replay the journal onto a new shard, until so few writes are left that writers can wait for them."""
        self._throttle.start()
        try:
            for _ in range(_MAX_ROUNDS):
                if self._replay(shard, journal) <= _LAST_WRITES:
                    return
        finally:
            self._throttle.stop()

    def _replay(self, shard: engine.EdgeShard, journal: WriteJournal) -> int:
        count = 0
        for request, failed in journal.unreplayed():
            try:
                update_shard(shard, operations(request, self.dimensions))
            except EdgeError:
                if not failed:
                    raise
            self._throttle.count_replayed()
            count += 1
        return count

    def finish_generation(self, folder: Path, shard: engine.EdgeShard, journal: WriteJournal) -> None:
        """Replay the last writes and swap the new shard in.

        After a crash at any line of this, either generation is complete and has every acknowledged write: the old one
        until `current` is replaced, the new one from then on.

        Raises:
            EngineFailure: The journal was lost, or the new shard failed; the old one goes on serving.
            NotFound: The collection was deleted meanwhile.
        """
        self.catch_up(shard, journal)
        sync_tree(folder)
        self.catch_up(shard, journal)
        with self._lock:
            if self.closed:
                raise collection_missing(self.name)
            if self._journal is not journal:
                raise EngineFailure("the writes during the build could not be recorded: the disk was full")
            self._replay(shard, journal)
            # Not the engine's flush, for which searches would wait: its log is enough, once it is on the disk.
            sync_tree(folder)
            old = self.folder / self.generation
            try:
                generations.make_current(folder)
            except OSError as error:
                raise EngineFailure(f"cannot put {folder} into service: {error}") from None
            self.generation = folder.name
            # The old one is not closed: a search may be about to use it. Its last reference closes it.
            self._serving = self._served(shard)
            self._unindexed -= self._unindexed_copied
            self._dirty = True
            self._drop_journal()
            self.build_error = ""
            self._idle.set()
        discard(old)

    def abandon_generation(self, folder: Path) -> None:
        """Abandon a build; the collection does not change."""
        with self._lock:
            self._drop_journal()
        discard(folder)
        self._idle.set()

    def _drop_journal(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def close(self) -> None:
        """Flush and close, and wait until a build has been abandoned; every later call raises NotFound."""
        with self._lock:
            serving = self._serving
            if serving is not None:
                try:
                    flush_shard(serving.shard)
                except EdgeError as error:
                    _log.error("not flushed: the engine's log keeps it", collection=self.name, error=str(error))
                self._store_unindexed()
                self._serving = None
                serving.shard.close()
        self._idle.wait(_CLOSE_SECONDS)

    def _stored_unindexed(self) -> int:
        try:
            return int((self.folder / _UNINDEXED_FILE).read_text("ascii"))
        except (OSError, ValueError):
            info = self.shard.info()
            return max(0, info.points_count - info.indexed_vectors_count)

    def _store_unindexed(self) -> None:
        # Only an estimate: a restart can do without it.
        with suppress(OSError):
            atomic_write(self.folder / _UNINDEXED_FILE, str(self._unindexed).encode("ascii"), durable=True)
