"""Pictures a second through the whole pipeline, beside a bare loop in the same run: `make bench-ingest IMAGES=FOLDER`.

The bare loop does the same work in one process without services, on the same runtime, threads and batch.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from statistics import median

from sightline_bucket import BucketSettings, ThumbnailSettings, ThumbnailStore
from sightline_encoder import models
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.worker.context import ENCODE_BATCH
from sightline_pictures import PictureError, preprocess, thumbnail

from benchmarks.harness import pictures, results, timing
from benchmarks.harness.pictures import Collection, Pixels
from benchmarks.harness.system import System, stage, system

ROUNDS = 3


def bare_loop(found: Collection, model: models.Model, readers: int) -> float:
    """Index without services; return pictures a second."""
    steps = model.preprocessing
    with tempfile.TemporaryDirectory(prefix="sightline-bare-") as folder, ThreadPoolExecutor(readers) as pool:
        store = ThumbnailStore(Path(folder).as_uri())

        def prepare(key: str) -> Pixels | None:
            data = found.read(key)
            sha256 = hashlib.sha256(data).hexdigest()
            try:
                picture = pictures.opened(data, steps.min_side)
            except PictureError:
                return None
            pixels = preprocess(picture, steps)
            store.put(sha256, thumbnail(picture))
            return pixels

        began = time.perf_counter()
        done = 0
        prepared = pictures.ahead(pool, prepare, found.keys, 4 * ENCODE_BATCH)
        ready = (pixels for pixels in prepared if pixels is not None)
        while batch := list(islice(ready, ENCODE_BATCH)):
            done += len(model.encode_pixels(batch))
        return done / (time.perf_counter() - began)


def pipeline(running: System, staged: Path) -> float:
    """Index staged pictures with the services and take all out again; return pictures a second until the last one."""
    inside = running.stack.bucket / "pictures"
    began = time.time()
    os.rename(staged, inside)
    running.rescan()
    state = running.wait(lambda state: state.known > 0 and state.finished)
    ended = max(datetime.fromisoformat(one["indexed_at"]).timestamp() for one in running.images() if one["indexed_at"])
    results.say(f"{state.indexed} indexed, {state.failed} failed")
    os.rename(inside, staged)
    running.confirm_loss()
    running.wait(lambda state: state.known == 0)
    # What is left of thumbnails would spare the next turn their making.
    for folder in (running.stack.state / "thumbnails").iterdir():
        shutil.rmtree(folder)
    return state.indexed / (ended - began)


def distinct(found: Collection) -> Collection:
    """Return the collection without pictures of equal bytes: the pipeline would encode them once, the loop each."""
    by_content = {hashlib.sha256(found.read(key)).hexdigest(): key for key in reversed(found.keys)}
    return replace(found, keys=sorted(by_content.values()))


def main() -> None:
    """Take turns, print, draw and write."""
    found = distinct(pictures.find(results.options("bench-ingest", __doc__).images))
    # As the services get them: the defaults. Nothing is read from these addresses.
    worker = WorkerSettings(bucket=BucketSettings(url="file:///tmp"), thumbnails=ThumbnailSettings(url="file:///tmp/t"))
    model = pictures.load(f"max_batch_size={ENCODE_BATCH}")
    model.warm_up()
    # What is gone is forgotten at once: the next turn has to encode it again.
    with system(settings={"WATCHER_KEEP_DAYS": "0"}) as running:
        staged = stage(found, running)
        competitors = {
            "pipeline": lambda: pipeline(running, staged),
            "bare": lambda: bare_loop(found, model, worker.processes * worker.threads),
        }
        turns = timing.in_turns(competitors, ROUNDS)
    rows = [[name, *values, median(values)] for name, values in turns.items()]
    results.show(["pictures/s", *(f"turn {turn + 1}" for turn in range(ROUNDS)), "median"], rows)
    whole, bare = median(turns["pipeline"]), median(turns["bare"])
    figures = {"images_per_second": whole, "bare_images_per_second": bare, "ratio": whole / bare}
    settings = {"images": str(found.folder), "pictures": len(found.keys), "processes": worker.processes}
    settings |= {"threads": worker.threads, "batch": ENCODE_BATCH}
    results.write("bench-ingest", settings=settings, figures=figures, turns=turns)


if __name__ == "__main__":
    main()
