"""Pictures a second through the whole pipeline, beside a bare loop in the same run: `make bench-ingest IMAGES=FOLDER`.

The pipeline is the real services, started here on free ports: the pictures are moved into an empty bucket, and the time
runs until the last of them is indexed. The bare loop is one process and no services: it reads, hashes, decodes, brings
to the model's input and writes thumbnails in a pool of the same size, and encodes on the same runtime with the same
threads and batch. The two take turns; the figures are medians.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_bucket import BucketSettings, ThumbnailSettings, open_thumbnails
from sightline_encoder import models
from sightline_encoder.settings import EncoderSettings
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.worker.context import ENCODE_BATCH
from sightline_local.readiness import NotReady
from sightline_pictures import PictureError, PictureSettings, open_picture, preprocess, thumbnail

from benchmarks import collection, report
from benchmarks.collection import Collection
from benchmarks.system import System, system

WAIT_SECONDS = 3600.0


class Bare:
    """The loop without services.

    Args:
        pictures: What to index.
        readers: Pictures read and decoded at a time.
        batch: Pictures in a forward pass.
    """

    def __init__(self, pictures: Collection, readers: int, batch: int) -> None:
        settings = EncoderSettings(cache_dir=collection.MODELS, max_batch_size=batch)
        self._model = models.load(settings.model_ids[0], settings)
        self._model.warm_up()
        self._pictures = pictures
        self._readers = readers
        self._batch = batch
        self._limits = PictureSettings()
        self.described = {"model": self._model.id, "runtime": self._model.runtime, "threads": settings.forward_threads}

    def run(self) -> tuple[int, float]:
        """Return how many pictures have a vector, and the seconds that it took."""
        with tempfile.TemporaryDirectory(prefix="sightline-bare-") as folder:
            began = time.perf_counter()
            done = self._index(Path(folder))
            return done, time.perf_counter() - began

    def _index(self, thumbnails: Path) -> int:
        store = open_thumbnails(thumbnails.as_uri())

        def prepare(key: str) -> NDArray[np.uint8] | None:
            data = (self._pictures.folder / key).read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            try:
                picture = open_picture(
                    data,
                    max_bytes=self._limits.max_bytes,
                    max_pixels=self._limits.max_pixels,
                    min_side=self._model.preprocessing.min_side,
                )
            except PictureError:
                return None
            pixels = preprocess(picture.image, self._model.preprocessing)
            store.put(sha256, thumbnail(picture.image))
            return pixels

        done = 0
        with ThreadPoolExecutor(self._readers) as pool:
            ahead = _ahead(pool, prepare, self._pictures.keys, 4 * self._batch)
            ready: list[NDArray[np.uint8]] = []
            for pixels in ahead:
                if pixels is not None:
                    ready.append(pixels)
                if len(ready) == self._batch:
                    done += len(self._model.encode_pixels(ready))
                    ready = []
            done += len(self._model.encode_pixels(ready))
        return done


def _ahead(pool: ThreadPoolExecutor, work: Any, keys: list[str], count: int) -> Iterator[Any]:
    """Yield results in order, with at most `count` under way: memory stays bounded while the model is busy."""
    under_way: list[Future[Any]] = []
    for key in keys:
        under_way.append(pool.submit(work, key))
        if len(under_way) >= count:
            yield under_way.pop(0).result()
    for future in under_way:
        yield future.result()


class Pipeline:
    """The services over a bucket that is filled and emptied.

    Args:
        running: The services, over an empty bucket.
        staged: Where the pictures wait, on the bucket's file system.
    """

    def __init__(self, running: System, staged: Path) -> None:
        self._running = running
        self._staged = staged
        self._inside = running.stack.bucket / "pictures"

    def run(self) -> tuple[int, int, float]:
        """Index all; return how many were indexed, how many failed, and the seconds until the last one was.

        Raises:
            NotReady: It takes far too long.
        """
        began = time.time()
        os.rename(self._staged, self._inside)
        self._running.rescan()
        state = self._running.wait(lambda s: s.known > 0 and s.finished, WAIT_SECONDS)
        images = self._running.images()
        ended = max(datetime.fromisoformat(image["indexed_at"]).timestamp() for image in images if image["indexed_at"])
        return state.indexed, state.failed, ended - began

    def empty(self) -> None:
        """Take the pictures out again, and wait until the catalogue has forgotten them."""
        os.rename(self._inside, self._staged)
        self._running.rescan()
        self._running.wait(lambda s: s.known == 0, WAIT_SECONDS)
        # What is left of thumbnails would spare the next turn their making.
        for folder in (self._running.stack.state / "thumbnails").iterdir():
            shutil.rmtree(folder)


def stage(pictures: Collection, folder: Path) -> Path:
    """Put the pictures into a folder, as links to the same files where that is possible."""
    for key in pictures.keys:
        target = folder / key
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(pictures.folder / key, target)
        except OSError:
            shutil.copy2(pictures.folder / key, target)
    return folder


def distinct(pictures: Collection) -> Collection:
    """Return the collection without pictures of equal bytes: the pipeline would encode them once, the loop each."""
    first: dict[str, str] = {}
    for key in pictures.keys:
        first.setdefault(hashlib.sha256((pictures.folder / key).read_bytes()).hexdigest(), key)
    return replace(pictures, keys=list(first.values()))


def worker_settings(folder: Path) -> WorkerSettings:
    """Return the worker's settings as the services get them: its defaults."""
    return WorkerSettings(
        bucket=BucketSettings(url=folder.as_uri()), thumbnails=ThumbnailSettings(url=(folder / "t").as_uri())
    )


def draw(turns: dict[str, list[float]]) -> None:
    """Draw every turn of both."""
    with report.picture("bench-ingest", "Pictures indexed a second, turn by turn", width=6, height=3.5) as axes:
        for number, (name, values) in enumerate(turns.items()):
            places = [turn + 0.4 * number for turn in range(len(values))]
            label = f"{name}: median {median(values):.1f}"
            axes.bar(places, values, 0.38, color=report.COLORS[number], label=label)
        count = len(next(iter(turns.values())))
        axes.set_xticks([turn + 0.2 for turn in range(count)], [f"turn {turn + 1}" for turn in range(count)])
        axes.set_ylabel("pictures a second", fontsize=8)
        axes.grid(axis="y", color=report.GRID, linewidth=0.5)


def main() -> None:
    """Take turns, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-ingest", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    parser.add_argument("--turns", type=int, default=3, help="of each of the two")
    options = parser.parse_args()
    report.warn_if_busy()
    pictures = distinct(collection.find(options.images))
    turns: dict[str, list[float]] = {"pipeline": [], "bare": []}
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as temporary:
        folder = Path(temporary)
        worker = worker_settings(folder)
        readers = worker.processes * worker.threads
        bare = Bare(pictures, readers, ENCODE_BATCH)
        (folder / "bucket").mkdir()
        staged = stage(pictures, folder / "staged")
        try:
            with system(folder / "bucket", folder / "state") as running:
                pipeline = Pipeline(running, staged)
                for turn in range(options.turns):
                    indexed, failed, seconds = pipeline.run()
                    pipeline.empty()
                    turns["pipeline"].append(indexed / seconds)
                    done, bare_seconds = bare.run()
                    turns["bare"].append(done / bare_seconds)
                    rates = f"pipeline {indexed / seconds:.1f}/s, bare {done / bare_seconds:.1f}/s"
                    print(f"turn {turn + 1}: {rates}; {indexed} indexed, {failed} failed", file=sys.stderr)
                    if indexed != done:
                        print(f"the bare loop made {done} vectors: the two do not do the same work", file=sys.stderr)
        except NotReady as error:
            sys.exit(str(error))
    rows = [[name, *values, median(values)] for name, values in turns.items()]
    print(
        report.table(["pictures/s", *(f"turn {turn + 1}" for turn in range(options.turns)), "median"], rows), end="\n\n"
    )
    draw(turns)
    figures = {
        "images_per_second": median(turns["pipeline"]),
        "bare_images_per_second": median(turns["bare"]),
        "ratio": median(turns["pipeline"]) / median(turns["bare"]),
    }
    settings = {
        "images": str(pictures.folder),
        "pictures": len(pictures.keys),
        "worker_processes": worker.processes,
        "worker_threads": worker.threads,
        "batch": ENCODE_BATCH,
        **bare.described,
    }
    report.write("bench-ingest", settings=settings, figures=figures, turns=turns)


if __name__ == "__main__":
    main()
