"""One collection: its folder, the engine's shard, and the order of its writes."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import qdrant_edge as engine
from google.protobuf import json_format
from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import EdgeError, NotFound, from_engine
from sightline_qdrant_edge.files import copy_shard, discard, sync_tree, write_whole
from sightline_qdrant_edge.journal import Journal
from sightline_qdrant_edge.schema import engine_config, vector_params
from sightline_qdrant_edge.updates import operations

_REQUEST_FILE = "collection.json"
_CURRENT_FILE = "current"


class Collection:
    """A collection that is open.

    On disk: `collection.json` (the request that created it), `current` (the name of the generation that is the
    truth), and `gen-NNNNNN/` (the engine's shard). A new generation is built beside the old one, and takes over when
    `current` is replaced; whatever `current` does not name is a leftover.

    Threads: every call of the engine holds the interpreter's lock from beginning to end, so that two never overlap,
    and a reader needs no lock of ours: it takes `shard` once and calls it. Writers take the collection's lock, which
    keeps the journal, the shard and a swap in one order.
    """

    def __init__(self, name: str, folder: Path) -> None:
        """Open a collection that exists.

        Raises:
            EngineFailure: The engine cannot read its files.
        """
        self.name = name
        self.folder = folder
        self.request = json_format.Parse((folder / _REQUEST_FILE).read_bytes(), api.CreateCollection())
        self.dimensions = {key: params.size for key, params in vector_params(self.request).items()}
        self.generation = (folder / _CURRENT_FILE).read_text("ascii").strip()
        for leftover in folder.iterdir():
            if leftover.is_dir() and leftover.name != self.generation:
                discard(leftover)
        (folder / "journal").unlink(missing_ok=True)
        self.building = False
        self.build_error = ""
        self._lock = Lock()
        self._journal: Journal | None = None
        self._dirty = False
        self._operations = 0
        self._without_index = 0
        self._shard: engine.EdgeShard | None = self.load(folder / self.generation)

    @classmethod
    def create(cls, folder: Path, request: api.CreateCollection) -> None:
        """Write a new, empty collection into `folder`, which does not exist yet."""
        config = engine_config(request)
        generation = folder / "gen-000001"
        generation.mkdir(parents=True)
        try:
            shard = engine.EdgeShard.create(str(generation), config)
            shard.flush()
            shard.close()
        except Exception as error:
            raise from_engine(error) from None
        write_whole(folder / _REQUEST_FILE, json_format.MessageToJson(request).encode())
        write_whole(folder / _CURRENT_FILE, generation.name.encode("ascii"))
        sync_tree(folder)

    @staticmethod
    def load(folder: Path) -> engine.EdgeShard:
        """Load a shard; the process answers nothing meanwhile (1.7 s at a million points)."""
        try:
            return engine.EdgeShard.load(str(folder))
        except Exception as error:
            raise from_engine(error) from None

    @property
    def shard(self) -> engine.EdgeShard:
        """The shard that answers now; take it once for each call."""
        shard = self._shard
        if shard is None:
            raise NotFound(f"Not found: Collection `{self.name}` was deleted, or the server is stopping")
        return shard

    @property
    def closed(self) -> bool:
        """Whether the collection was deleted or the server is stopping."""
        return self._shard is None

    def write(self, kind: str, request: Any) -> int:
        """Apply a write; when this returns, the write survives the death of the process.

        Returns:
            The write's number since the collection was opened.

        Raises:
            WrongInput: The request was refused, and nothing of it applied.
            NotFound: It names points that are not there; the others were changed, as Qdrant does it.
        """
        todo = operations(kind, request, self.dimensions)
        with self._lock:
            shard = self.shard
            if self._journal is not None:
                self._journal.append(kind, request)
            self._dirty = True
            self._operations += 1
            number = self._operations
            _apply(shard, todo)
        return number

    def flush(self) -> None:
        """Bring what was written to the disk, so that it also survives the death of the machine."""
        if not self._dirty or self._shard is None:
            return
        # The engine's own flush holds the interpreter's lock for as long as the disk takes. Syncing the files first
        # does not, and leaves it little to do.
        sync_tree(self.folder / self.generation)
        with self._lock:
            if self._shard is not None:
                self._dirty = False
                _flush(self._shard)

    def unindexed(self) -> int:
        """Return how many points with a vector are searched one by one, since no index holds them."""
        shard = self.shard
        info = shard.info()
        # Points without a vector need no index, and counting the others is not free: only where it could matter.
        return max(0, info.points_count - info.indexed_vectors_count - self._without_index)

    def count_without_vector(self) -> None:
        """Count the points that will never need an index, which `unindexed` leaves out from now on."""
        shard = self.shard
        try:
            count = engine.CountRequest(
                exact=True,
                filter=engine.Filter(must_not=[engine.HasVectorCondition(name) for name in self.dimensions]),
            )
            self._without_index = shard.count(count)
        except Exception as error:
            raise from_engine(error) from None

    def start_generation(self) -> tuple[Path, Journal]:
        """Copy the shard into a new generation's folder, and from then on keep a journal of writes.

        Writes wait for the copy; searches do not.
        """
        number = int(self.generation.removeprefix("gen-")) + 1
        folder = self.folder / f"gen-{number:06}"
        discard(folder)
        sync_tree(self.folder / self.generation)
        with self._lock:
            _flush(self.shard)
            copy_shard(self.folder / self.generation, folder)
            self._journal = Journal(self.folder / "journal")
            self.building = True
            return folder, self._journal

    def replay(self, shard: engine.EdgeShard, journal: Journal) -> int:
        """Apply to a new shard what the journal holds now; return how many writes that were."""
        count = 0
        for kind, request in journal.rest():
            try:
                _apply(shard, operations(kind, request, self.dimensions))
            except NotFound:
                pass  # the first time too, for the same points
            count += 1
        return count

    def finish_generation(self, folder: Path, shard: engine.EdgeShard, journal: Journal) -> None:
        """Replay the last writes and let the new shard answer.

        After a crash at any line of this, either generation is whole and has every acknowledged write: the old one
        until `current` is replaced, the new one from then on.
        """
        with self._lock:
            self.replay(shard, journal)
            _flush(shard)
            sync_tree(folder)
            old = self.folder / self.generation
            write_whole(self.folder / _CURRENT_FILE, folder.name.encode("ascii"))
            self.generation = folder.name
            # Not closed: a search may still be about to use it. The last reference closes it.
            self._shard = shard
            self._end_build()
        info = shard.info()
        self._without_index = max(0, info.points_count - info.indexed_vectors_count)
        discard(old)

    def abandon_generation(self, folder: Path) -> None:
        """Give up a build; nothing of the collection changes."""
        with self._lock:
            self._end_build()
        discard(folder)

    def _end_build(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self.building = False

    def close(self) -> None:
        """Flush and close; every later call answers that the collection is gone."""
        with self._lock:
            shard, self._shard = self._shard, None
            if shard is not None:
                _flush(shard)
                shard.close()


def _apply(shard: engine.EdgeShard, todo: list[engine.UpdateOperation]) -> None:
    try:
        for operation in todo:
            shard.update(operation)
    except EdgeError:
        raise
    except Exception as error:
        raise from_engine(error) from None


def _flush(shard: engine.EdgeShard) -> None:
    try:
        shard.flush()
    except Exception as error:
        raise from_engine(error) from None
