"""Databases of many images: filled through the catalogue as a worker fills them, and kept between runs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient
from qdrant_client.models import CollectionStatus
from sightline_catalogue import (
    Catalogue,
    CatalogueSettings,
    CatalogueUnavailable,
    Collection,
    Image,
    ModelRef,
    image_id,
)
from sightline_catalogue.schema import HNSW_EF_CONSTRUCT, HNSW_M, HNSW_PAYLOAD_FIELDS, INDEXES
from sightline_local.stack import free_port

from benchmarks.collection import DATA
from benchmarks.growth import BLOCK, Growth, Vectors

DIMENSIONS = 512
BUCKET = "main"
FOLDER = DATA / "benchmarks" / "scale"
FIRST_DAY = datetime(2015, 1, 1, tzinfo=UTC)
LABELS = 1000
FORMATS = ("JPEG",) * 17 + ("PNG",) * 2 + ("WebP",)
UNINDEXED = 50_000
"""Up to so many points the database searches without an index, as it comes."""
UPSERT = 500
PART = 2_000_000
"""Images that are inserted before an index is built: about as many as the database has in one segment."""
START_SECONDS, INDEX_SECONDS = 120.0, 7200.0
_NUMBER = re.compile(r"(\d+)\.jpg$")


class ScaleFailed(Exception):
    """A database could not be made or started; the message is for people."""


@dataclass(frozen=True)
class Filling:
    """How a database was filled.

    Attributes:
        points: How many images it holds.
        of: What it was filled from and with; one of another kind is made anew.
        insert_seconds: For all upserts, and for making the vectors and messages beside the server.
        index_seconds: From the last upsert, of all parts together, until the index answers; 0 where there is none.
    """

    points: int
    of: str
    insert_seconds: float
    index_seconds: float


def model_ref() -> ModelRef:
    """Return the model that the vectors are said to be of."""
    return ModelRef("grown", hashlib.sha256(b"grown").hexdigest(), DIMENSIONS)


def image(number: int) -> Image:
    """Return image `number`, with every field that a photograph has: payloads as large as real ones."""
    label = f"album-{number * 7919 % LABELS:04}"
    key = f"photographs/{label}/picture-{number:08}.jpg"
    # Spread over some ten years, and not in the order of the numbers.
    taken = FIRST_DAY + timedelta(minutes=number * 7907 % 5_256_000)
    return Image(
        id=image_id(BUCKET, key.encode()),
        bucket=BUCKET,
        key=key,
        state="indexed",
        attempts=1,
        sha256=hashlib.sha256(key.encode()).hexdigest(),
        bytes=1_500_000 + number % 4_000_000,
        width=4032,
        height=3024,
        format=FORMATS[number * 31 % len(FORMATS)],
        label=label,
        folders=["photographs", f"photographs/{label}"],
        taken_at=taken,
        camera="NIKON CORPORATION NIKON D750",
        modified_at=taken,
        indexed_at=datetime(2026, 1, 1, tzinfo=UTC),
        etag=f"{number:x}-{number * 31:x}",
    )


def number_of(found: Image) -> int:
    """Return which image this is; the inverse of `image`."""
    digits = _NUMBER.search(found.key)
    if digits is None:
        raise ValueError(f"{found.key} is none of the grown images")
    return int(digits.group(1))


class Database:
    """A qdrant-edge process over the folder of one size.

    Args:
        points: The images that it holds, or will hold.
        environment: Settings over the defaults.
    """

    def __init__(self, points: int, environment: dict[str, str] | None = None) -> None:
        self.folder = FOLDER / str(points)
        self.points = points
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Start the process and wait until it answers.

        Raises:
            ScaleFailed: It does not.
        """
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EDGE_")}
        environment |= {"EDGE_DATA_DIR": str(self.folder / "data"), "EDGE_PORT": str(port), **self._environment}
        log_path = self.folder / "log"
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sightline_qdrant_edge"], env=environment, stdout=log, stderr=log
            )
        catalogue = self.catalogue()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                catalogue.ping()
                catalogue.close()
                return
            except CatalogueUnavailable as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise ScaleFailed(f"the database did not start; {log_path} says why") from error
                time.sleep(0.1)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=120)

    def catalogue(self, **settings: Any) -> Catalogue:
        """Return a catalogue as the gateway makes it, with settings over the defaults."""
        return Catalogue(CatalogueSettings(url=self.url, timeout_seconds=60, **settings), BUCKET)

    def collection(self, **settings: Any) -> Collection:
        """Return the collection, with settings over the defaults."""
        return self.catalogue(**settings).current()

    def anonymous_mb(self) -> float:
        """Return the process's anonymous memory in MB of 10^6 bytes; its pages of files on disk are not counted."""
        if self._process is None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status").read_text("ascii")
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        return int(found.group(1)) * 1024 / 1e6 if found else 0.0

    def shard_folder(self) -> Path:
        """Return the folder of the engine's shard; open it only while the process does not run."""
        [pointer] = (self.folder / "data").glob("collections/*/current")
        return pointer.parent / pointer.read_text("ascii")


@contextmanager
def database(points: int, environment: dict[str, str] | None = None) -> Iterator[Database]:
    """Run the database of one size until the block ends."""
    running = Database(points, environment)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def filled(points: int, growth: Growth, source: str, *, rebuild: bool = False) -> Filling:
    """Return how the database of one size was filled, after filling it where there is none of this kind yet.

    Args:
        points: How many images.
        growth: Where their vectors come from.
        source: Says which real vectors they are grown from.
        rebuild: Fill it even if it is there.

    Raises:
        ScaleFailed: The server does not start, or builds no index.
    """
    folder = FOLDER / str(points)
    note = folder / "filling.json"
    kind = f"{source}; block {BLOCK}; {_schema()}"
    if note.is_file() and not rebuild:
        known = Filling(**json.loads(note.read_text("utf-8")))
        if known.of == kind:
            return known
    shutil.rmtree(folder, ignore_errors=True)
    inserting = indexing = 0.0
    for start in range(0, points, PART):
        end = min(start + PART, points)
        # The index is built once a part, when that is in: while images come in it would be built again and again.
        threshold = {"EDGE_INDEX_THRESHOLD": str(end - start - 1)} if end - start > UNINDEXED else {}
        with database(points, threshold) as server:
            catalogue = server.catalogue()
            collection = catalogue.ensure_collection(model_ref())
            catalogue.activate(collection)
            began = time.perf_counter()
            _insert(collection, growth, start, end)
            inserted = time.perf_counter()
            inserting += inserted - began
            if threshold:
                _wait_for_index(server.url, collection.name)
                indexing += time.perf_counter() - inserted
    done = Filling(points, kind, inserting, indexing)
    note.write_text(json.dumps(asdict(done), indent=2) + "\n", "utf-8")
    return done


def _schema() -> str:
    fields = ",".join(f"{name}{'+' * (name in HNSW_PAYLOAD_FIELDS)}" for name in INDEXES)
    return f"qdrant-edge-py {version('qdrant-edge-py')}, m {HNSW_M}, ef_construct {HNSW_EF_CONSTRUCT}, {fields}"


def _insert(collection: Collection, growth: Growth, first: int, end: int) -> None:
    at = first
    for block in growth.blocks(end, first):
        for start in range(0, len(block), UPSERT):
            part = block[start : start + UPSERT]
            collection.upsert([image(at + place) for place in range(len(part))], part)
            at += len(part)
        print(f"\r{at:,} of {end:,} images inserted", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _wait_for_index(url: str, name: str) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    client = QdrantClient(host=host, grpc_port=int(port), prefer_grpc=True, check_compatibility=False, timeout=60)
    began = time.monotonic()
    while True:
        info = client.get_collection(name)
        if info.status == CollectionStatus.GREEN and (info.indexed_vectors_count or 0) >= (info.points_count or 0):
            print(file=sys.stderr)
            client.close()
            return
        if info.optimizer_status != "ok":
            raise ScaleFailed(f"the index was not built: {info.optimizer_status}")
        seconds = time.monotonic() - began
        if seconds > INDEX_SECONDS:
            raise ScaleFailed(f"the index was not built within {INDEX_SECONDS:.0f} s")
        print(f"\rthe index is being built: {seconds:.0f} s", end="", file=sys.stderr, flush=True)
        time.sleep(1.0)


def exact_nearest(
    growth: Growth, points: int, queries: Vectors, depth: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return numbers and cosines, (n, depth) each, of the nearest of all `points` grown vectors, nearest first.

    Every one is compared. They are grown once more, a block at a time: a million take 40 MB and not 2 GB.
    """
    numbers = np.full((len(queries), depth), -1, np.int64)
    cosines = np.full((len(queries), depth), -np.inf, np.float32)
    start = 0
    for block in growth.blocks(points):
        here = queries @ block.T
        # After the first blocks hardly any vector is nearer than the last of those kept: there is little to sort.
        rows, columns = np.nonzero(here > cosines.min(axis=1, keepdims=True))
        for row, first, count in zip(*np.unique(rows, return_index=True, return_counts=True), strict=True):
            found = columns[first : first + count]
            together = np.concatenate([cosines[row], here[row, found]])
            kept = np.argsort(-together)[:depth]
            cosines[row] = together[kept]
            numbers[row] = np.concatenate([numbers[row], found + start])[kept]
        start += len(block)
    return numbers, cosines


def recall(found: Sequence[Sequence[int]], exact: NDArray[np.int64]) -> float:
    """Return the share of the exact nearest that were found, the mean over the queries."""
    shares = [len(set(one) & set(truth)) / len(truth) for one, truth in zip(found, exact.tolist(), strict=True)]
    return float(np.mean(shares))
