"""The sketches of pictures that are compared, made of their thumbnails, some of which are kept."""

from __future__ import annotations

import threading
from collections import OrderedDict

from sightline_bucket import ThumbnailStore
from sightline_pictures.near_copies import Sketch

MOST_SKETCHES = 128
"""So many are kept, of 150 kB each once it has been compared."""


class Sketches:
    """The sketches of a store's thumbnails, those that were used last kept. Safe to share between threads.

    Args:
        thumbnails: Where the thumbnails are.
    """

    def __init__(self, thumbnails: ThumbnailStore) -> None:
        self._thumbnails = thumbnails
        self._kept: OrderedDict[str, Sketch] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, sha256: str) -> Sketch | None:
        """Return the sketch of the picture of some bytes; None if there is no thumbnail that can be read.

        Raises:
            BucketUnavailable: The store of thumbnails cannot be reached.
        """
        with self._lock:
            sketch = self._kept.pop(sha256, None)
        if sketch is None:
            thumbnail = self._thumbnails.get(sha256)
            sketch = Sketch.of(thumbnail) if thumbnail is not None else None
        if sketch is not None:
            with self._lock:
                self._kept[sha256] = sketch
                if len(self._kept) > MOST_SKETCHES:
                    self._kept.popitem(last=False)
        return sketch
