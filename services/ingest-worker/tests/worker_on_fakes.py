"""A real worker on a fake encoder, and on a collection that is a folder of files. Some files end the process.

Run with the environment of a worker, and POINTS_DIR.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from functools import partial
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "tests"))
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp())

from dangerous_rendering import render_dangerously
from fakes import MODEL, PREPROCESSING, FakeCollection, FakeEncoder
from sightline_bucket import ThumbnailStore, open_bucket
from sightline_catalogue import Image
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker import reading
from sightline_ingest_worker.worker.celery_app import run
from sightline_ingest_worker.worker.context import WorkerContext, decoder_pool
from sightline_ingest_worker.worker.encode_locks import EncodeLocks
from sightline_service import load_settings
from sightline_service.queues import redis_client

POINTS = Path(os.environ["POINTS_DIR"])
FIELDS = ("key", "state", "etag", "stamp", "reason", "reader", "sidecars")


class FileCollection(FakeCollection):
    """A collection whose images are shared by processes: each is a file of what the tests look at."""

    def get(self, ids):
        return [self._read(point_id) for point_id in ids]

    def _read(self, point_id):
        path = POINTS / point_id
        return Image(id=point_id, bucket="main", **json.loads(path.read_text())) if path.exists() else None

    def upsert(self, images, vectors):
        for image in images:
            path = POINTS / f"{image.id}.tmp{os.getpid()}"
            path.write_text(json.dumps({name: getattr(image, name) for name in FIELDS}))
            path.rename(POINTS / image.id)


class FixedTarget:
    """The target, always the same."""

    def __init__(self):
        self.target = Target(FileCollection(), MODEL, PREPROCESSING, 16)

    def __call__(self):
        return self.target

    def forget(self):
        pass


def open_on_fakes(settings, stopping):
    client = redis_client(settings.queue)
    return WorkerContext(
        bucket_id="main",
        bucket=open_bucket(settings.bucket),
        thumbnails=ThumbnailStore(settings.thumbnails.url),
        encoder=FakeEncoder(),
        target=FixedTarget(),
        pictures=settings.pictures,
        encode_locks=EncodeLocks(client, settings.node),
        decoders=decoder_pool(settings.pictures, 2),
        stopping=stopping,
    )


if __name__ == "__main__":
    reading.render_index_input = partial(render_dangerously, str(POINTS.parent))
    sys.exit(run(load_settings(WorkerSettings), open_on_fakes))
