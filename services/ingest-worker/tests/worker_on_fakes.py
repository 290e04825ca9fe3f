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
from sightline_ingest_worker.context import Context, Target
from sightline_ingest_worker.settings import WorkerSettings
from sightline_ingest_worker.worker import run
from sightline_pictures import Preprocessing
from sightline_service import load_settings

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


class DangerousBucket:
    """Reading some files ends the process, once or each time; others take as long as a file says."""

    def __init__(self, bucket):
        self._bucket = bucket
        self.stat = bucket.stat

    def read(self, key, max_bytes):
        data, seen = self._bucket.read(key, max_bytes)
        with open(POINTS.parent / "reads", "a") as log:
            log.write(f"{key}\n")
        if data.startswith(b"POISON"):
            os.kill(os.getpid(), signal.SIGKILL)
        if data.startswith(b"SLOW"):
            (POINTS.parent / "reading").write_text(str(os.getpid()))
            while (POINTS.parent / "reading").exists():
                time.sleep(0.02)
            data = data[4:]
        return data, seen


def open_on_fakes(settings, stopping):
    preprocessing = Preprocessing("squash", 8, crop_width=8, crop_height=8)
    target = Target(Collection(), ModelRef("tiny", "f", 1), preprocessing, 16)
    source = SimpleNamespace(forget=lambda: None)

    class Source:
        def __call__(self):
            return target

        forget = source.forget

    return Context(
        bucket_id="main",
        bucket=DangerousBucket(open_bucket(settings.bucket)),
        thumbnails=open_thumbnails(settings.thumbnails.url),
        encoder=Encoder(),
        target=Source(),
        pictures=settings.pictures,
        stopping=stopping,
    )


if __name__ == "__main__":
    sys.exit(run(load_settings(WorkerSettings), open_on_fakes))
