"""A real worker whose catalogue is a folder of files and whose encoder is none. Some files end the process.

Run with the environment of a worker, and POINTS_DIR.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp())

import numpy as np
from sightline.encoder.client import Encoded
from sightline_bucket import open_bucket, open_thumbnails
from sightline_catalogue import Image, ModelRef
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.target import Target
from sightline_ingest_worker.worker import reading
from sightline_ingest_worker.worker.celery_app import run
from sightline_ingest_worker.worker.context import WorkerContext
from sightline_ingest_worker.worker.crash_journal import CrashJournal
from sightline_ingest_worker.worker.encode_locks import EncodeLocks
from sightline_pictures import Preprocessing, open_picture
from sightline_service import load_settings
from sightline_service.queues import redis_client

POINTS = Path(os.environ["POINTS_DIR"])


class Collection:
    def get(self, ids):
        return [self._read(point_id) for point_id in ids]

    def _read(self, point_id):
        path = POINTS / point_id
        if not path.exists():
            return None
        said = json.loads(path.read_text())
        return Image(id=point_id, bucket="main", **{name: said[name] for name in ("key", "state", "etag", "reason")})

    def by_sha256(self, shas):
        return {}

    def upsert(self, images, vectors):
        for image in images:
            said = {"key": image.key, "state": image.state, "etag": image.etag, "reason": image.reason}
            path = POINTS / f"{image.id}.tmp{os.getpid()}"
            path.write_text(json.dumps(said))
            path.rename(POINTS / image.id)

    def set_state(self, ids, state, **_):
        pass

    def delete(self, ids):
        pass


class Encoder:
    def encode_images(self, images, *, model, fingerprint, **_):
        return Encoded(model, fingerprint, [np.ones(1, np.float32) for _ in images])


def open_dangerously(data, **limits):
    """Decode, but for bytes that end the process, and bytes that take as long as a file is there."""
    word = data.rstrip(b"0123456789 ").decode("latin-1")[:6]
    with open(POINTS.parent / "decoded", "a") as log:
        log.write(f"{word}\n")
    if data.startswith(b"POISON"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith(b"SLOW"):
        (POINTS.parent / "decoding").write_text(str(os.getpid()))
        while (POINTS.parent / "decoding").exists():
            time.sleep(0.02)
        data = data[4:]
    return open_picture(data, **limits)


def open_on_fakes(settings, stopping):
    preprocessing = Preprocessing("squash", 8, crop_width=8, crop_height=8)
    target = Target(Collection(), ModelRef("tiny", "f", 1), preprocessing, 16)
    source = SimpleNamespace(forget=lambda: None)

    class Source:
        def __call__(self):
            return target

        forget = source.forget

    client = redis_client(settings.queue)
    return WorkerContext(
        bucket_id="main",
        bucket=open_bucket(settings.bucket),
        thumbnails=open_thumbnails(settings.thumbnails.url),
        encoder=Encoder(),
        target=Source(),
        pictures=settings.pictures,
        encode_locks=EncodeLocks(client, settings.node),
        crash_journal=CrashJournal(client, settings.node),
        stopping=stopping,
    )


if __name__ == "__main__":
    reading.open_picture = open_dangerously
    sys.exit(run(load_settings(WorkerSettings), open_on_fakes))
