"""Databases of many grown images: filled through the catalogue as a worker fills them, and kept between runs."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client.models import CollectionStatus
from sightline_catalogue import (
    INDEXED,
    Catalogue,
    CatalogueSettings,
    CatalogueUnavailable,
    Collection,
    Image,
    ModelRef,
    image_id,
)
from sightline_catalogue.schema import FULL_SCAN_POINTS, HNSW_EF_CONSTRUCT, HNSW_M, HNSW_PAYLOAD_FIELDS, INDEXES
from sightline_local.stack import free_port

from benchmarks.harness.pictures import DATA, Vectors, chunks
from benchmarks.harness.results import Failed, say
from benchmarks.harness.system import process, wait_for
from benchmarks.harness.vectors import BLOCK, Growth

DIMENSIONS = 512
VISUAL_DIMENSIONS = 256
MODEL = ModelRef("grown", hashlib.sha256(b"grown").hexdigest(), DIMENSIONS)
"""That the vectors are said to be of."""
SEEING = ModelRef("grown", hashlib.sha256(b"grown, seeing").hexdigest(), DIMENSIONS, VISUAL_DIMENSIONS)
"""Likewise, where they have visual vectors beside them."""
BUCKET = "main"
FOLDER = DATA / "benchmarks" / "scale"
FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)
MINUTES = 5_256_000
"""Over which images are spread: some ten years."""
LABELS = 1000
FORMATS = ("JPEG",) * 17 + ("PNG",) * 2 + ("WebP",)
CAMERAS = ("LEICA M11",) + ("Apple iPhone 12",) * 10 + ("Canon EOS 5D",) * 39 + ("NIKON CORPORATION NIKON D750",) * 50
KEYWORDS = {"heron": 1, "hill": 10, "sea": 50}
"""Each with the percentage of images that have it."""
LARGEST_BYTES = 10_000_000
"""Sizes are spread evenly below that."""
UNINDEXED = 50_000
"""Up to so many points the database searches without an index, as it comes."""
UPSERT = 500
SEGMENT_MB = os.environ.get("EDGE_SEGMENT_MB", "4096")
PART = max(int(SEGMENT_MB) * 2**20 // (4 * DIMENSIONS) // BLOCK, 1) * BLOCK
"""Images that are inserted before an index is built: about as many as the database has in one segment."""
INDEX_SECONDS = 7200.0


@dataclass(frozen=True)
class Filling:
    """How a database was filled: how many images, of what vectors and by what engine, in how many seconds."""

    points: int
    of: str
    insert_seconds: float
    index_seconds: float
    visual: bool = False

    @property
    def folder(self) -> Path:
        """Where it is."""
        return folder_of(self.points, visual=self.visual)


def folder_of(points: int, *, visual: bool = False) -> Path:
    """Return the folder of the database of one size, with visual vectors or without."""
    return FOLDER / (f"{points}-visual" if visual else str(points))


def visual_of(block: Vectors) -> Vectors:
    """Return (n, VISUAL_DIMENSIONS) unit vectors that stand for the visual ones of (n, DIMENSIONS) grown ones."""
    part = block[:, :VISUAL_DIMENSIONS]
    return np.asarray(part / np.linalg.norm(part, axis=1, keepdims=True), dtype=np.float32)


def image(number: int) -> Image:
    """Return image `number`, with every field that a photograph has: payloads as large as real ones.

    What filters go by is spread by the digest of its key, so that one field says nothing about another.
    """
    label = f"album-{number * 7919 % LABELS:04}"
    key = f"photographs/{label}/picture-{number:08}.jpg"
    # Not in the order of the numbers.
    taken = FIRST_DAY + timedelta(minutes=number * 7907 % MINUTES)
    digest = hashlib.sha256(key.encode())
    drawn = np.frombuffer(digest.digest(), np.uint32)
    return Image(
        id=image_id(BUCKET, key.encode()),
        bucket=BUCKET,
        key=key,
        state=INDEXED,
        attempts=1,
        sha256=digest.hexdigest(),
        bytes=int(drawn[0]) % LARGEST_BYTES,
        width=4032 if drawn[1] % 2 else 3024,
        height=3024 if drawn[1] % 2 else 4032,
        format=FORMATS[number * 31 % len(FORMATS)],
        label=label,
        folders=["photographs", f"photographs/{label}"],
        taken_at=taken.replace(tzinfo=None),
        place=(round(float(drawn[2]) / 2**32 * 180 - 90, 6), round(float(drawn[3]) / 2**32 * 360 - 180, 6)),
        camera=CAMERAS[drawn[4] % len(CAMERAS)],
        rating=int(drawn[5] % 5) + 1,
        keywords=[word for word, percent in KEYWORDS.items() if drawn[6] % 100 < percent],
        modified_at=taken,
        indexed_at=datetime(2026, 1, 1, tzinfo=UTC),
        added_at=datetime(2026, 1, 1, tzinfo=UTC),
        etag=f"{number:x}-{number * 31:x}",
    )


def numbers_of(images: Sequence[Image]) -> list[int]:
    """Return which images these are; the inverse of `image`."""
    return [int(one.key[-12:-4]) for one in images]


@dataclass(frozen=True)
class Database:
    """A running qdrant-edge over the folder of one size."""

    url: str
    process: psutil.Process

    def catalogue(self, **settings: Any) -> Catalogue:
        """Return a catalogue, with settings over the defaults."""
        return Catalogue(CatalogueSettings(url=self.url, timeout_seconds=60, **settings), BUCKET)

    def anonymous_mb(self) -> float:
        """Return the process's anonymous memory in MB of 10^6 bytes; its pages of files on disk are not counted."""
        held = self.process.memory_info()
        return float(held.rss - held.shared) / 1e6


@contextmanager
def database(folder: Path, **environment: str) -> Iterator[Database]:
    """Run the database in a folder until the block ends, with settings over those of this process."""
    port = free_port()
    chosen = {name: value for name, value in os.environ.items() if name.startswith("EDGE_")}
    chosen |= {"EDGE_DATA_DIR": str(folder / "data"), "EDGE_PORT": str(port), **environment}
    url = f"http://127.0.0.1:{port}"
    catalogue = Catalogue(CatalogueSettings(url=url), BUCKET)

    def ready() -> bool:
        try:
            catalogue.ping()
        except CatalogueUnavailable:
            return False
        return True

    with process([sys.executable, "-m", "sightline_qdrant_edge"], chosen, ready) as running:
        catalogue.close()
        yield Database(url, running)


def shard_folder(folder: Path) -> Path:
    """Return the folder of the engine's shard; open it only while no process has it open."""
    [pointer] = (folder / "data").glob("collections/*/current")
    return pointer.parent / pointer.read_text("ascii")


def filled(points: int, growth: Growth, source: str, *, rebuild: bool = False, visual: bool = False) -> Filling:
    """Return how the database of one size was filled, after filling it where there is none from this `source` yet."""
    folder = folder_of(points, visual=visual)
    note = folder / "filling.json"
    fields = ",".join(f"{name}{'+' * (name in HNSW_PAYLOAD_FIELDS)}" for name in INDEXES)
    graph = f"m {HNSW_M}, ef_construct {HNSW_EF_CONSTRUCT}, full scan {FULL_SCAN_POINTS}"
    engine = f"qdrant-edge-py {version('qdrant-edge-py')}, {graph}, {fields}"
    kind = f"{source}; block {BLOCK}; {engine}; segments of {SEGMENT_MB} MB"
    if note.is_file() and not rebuild:
        known = Filling(**json.loads(note.read_text("utf-8")))
        if known.of == kind:
            return known
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    inserting = indexing = 0.0
    for start in range(0, points, PART):
        end = min(start + PART, points)
        # The index is built once a part, when that is in: while images come in it would be built again and again.
        threshold = {"EDGE_INDEX_THRESHOLD": str(end - start - 1)} if end - start > UNINDEXED else {}
        with database(folder, **threshold) as server:
            catalogue = server.catalogue()
            collection = catalogue.ensure_collection(SEEING if visual else MODEL)
            catalogue.activate(collection)
            began = time.perf_counter()
            _insert(collection, growth, start, end)
            inserted = time.perf_counter()
            inserting += inserted - began
            if threshold:
                _wait_for_index(CatalogueSettings(url=server.url), collection.name)
                indexing += time.perf_counter() - inserted
    done = Filling(points, kind, inserting, indexing, visual)
    note.write_text(json.dumps(asdict(done), indent=2) + "\n", "utf-8")
    return done


@contextmanager
def filled_server(points: int, growth: Growth) -> Iterator[Catalogue]:
    """Fill a collection of the server of QDRANT_URL, behind an alias of its own; delete it when the block ends."""
    catalogue = Catalogue(CatalogueSettings(timeout_seconds=60), BUCKET, alias="benchmark")
    collection = catalogue.ensure_collection(MODEL)
    try:
        catalogue.activate(collection)
        _insert(collection, growth, 0, points)
        if points > UNINDEXED:
            # Of its segments the one that takes new points is not indexed until it is full.
            _wait_for_index(CatalogueSettings(), collection.name, 0.9)
        yield catalogue
    finally:
        catalogue.delete_collection(collection, force=True)
        catalogue.close()


def _insert(collection: Collection, growth: Growth, first: int, end: int) -> None:
    at = first
    for block in growth.blocks(end, first):
        for part in chunks(block, UPSERT):
            rows = np.hstack([part, visual_of(part)]) if collection.model.visual_dimensions else part
            collection.upsert([image(at + place) for place in range(len(part))], rows)
            at += len(part)
        print(f"\r{at:,} of {end:,} images inserted", end="", file=sys.stderr, flush=True)
    say("")


def _wait_for_index(settings: CatalogueSettings, name: str, share: float = 1.0) -> None:
    [address, *_] = settings.addresses
    host, _, port = address.rpartition(":")
    key = settings.api_key.get_secret_value() if settings.api_key else None
    client = QdrantClient(
        host=host,
        grpc_port=int(port),
        https=settings.encrypted,
        api_key=key,
        prefer_grpc=True,
        check_compatibility=False,
        timeout=60,
    )

    def is_built() -> bool:
        info = client.get_collection(name)
        if info.optimizer_status != "ok":
            raise Failed(f"the index was not built: {info.optimizer_status}")
        enough = share * (info.points_count or 0)
        return info.status == CollectionStatus.GREEN and (info.indexed_vectors_count or 0) >= enough

    wait_for("index", is_built, INDEX_SECONDS)
    client.close()


def exact_nearest(
    growth: Growth, points: int, queries: Vectors, depth: int, part: Callable[[Vectors], Vectors] = lambda block: block
) -> NDArray[np.int64]:
    """Return the numbers, (n, depth), of the nearest of all `points` grown vectors, nearest first; all are compared.

    `part` makes of grown vectors what the queries are compared with.
    """
    numbers = np.full((len(queries), depth), -1, np.int64)
    cosines = np.full((len(queries), depth), -np.inf, np.float32)
    start = 0
    for block in growth.blocks(points):
        here = queries @ part(block).T
        # After the first blocks hardly any vector is nearer than the last of those kept: there is little to sort.
        rows, columns = np.nonzero(here > cosines.min(axis=1, keepdims=True))
        for row, first, count in zip(*np.unique(rows, return_index=True, return_counts=True), strict=True):
            found = columns[first : first + count]
            together = np.concatenate([cosines[row], here[row, found]])
            kept = np.argsort(-together)[:depth]
            cosines[row] = together[kept]
            numbers[row] = np.concatenate([numbers[row], found + start])[kept]
        start += len(block)
    return numbers


def recall(found: Sequence[Sequence[int]], exact: NDArray[np.int64]) -> float:
    """Return the share of the exact nearest that were found, the mean over the queries."""
    shares = [len(set(one) & set(truth)) / len(truth) for one, truth in zip(found, exact.tolist(), strict=True)]
    return float(np.mean(shares))
