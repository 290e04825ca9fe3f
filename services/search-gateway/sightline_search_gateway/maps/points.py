"""The points of a map, and how they are kept."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

MARGIN = 0.98
"""How far from the middle the farthest point lies: room for those that are placed later."""
COORDINATES = ("x", "y")
COLUMNS = ("ids", *COORDINATES, "label", "cluster", "new")


@dataclass
class Points:
    """What is known of each point.

    Attributes:
        ids: n ids of pictures; of an upload, names.
        label: (n,) int32, index into the map's labels; -1 for none.
        xy: (n, 2) float32, as t-SNE has them; empty while there are none.
        cluster: (n,) int16; -1 for none.
        new: (n,) bool, placed after the map was made.
    """

    ids: list[str]
    label: NDArray[np.int32]
    xy: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    cluster: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    new: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    def __post_init__(self) -> None:
        if len(self.cluster) != len(self.ids):
            self.cluster = np.full(len(self.ids), -1, np.int16)
        if len(self.new) != len(self.ids):
            self.new = np.zeros(len(self.ids), np.bool_)

    def dump(self) -> bytes:
        """Return all but the coordinates."""
        columns = {"ids": self.ids, "label": self.label, "cluster": self.cluster, "new": self.new}
        return zlib.compress(orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY), 1)


def load_points(data: bytes, xy: bytes | None) -> Points:
    """Return the points of `Points.dump` and `dump_xy`."""
    columns = orjson.loads(zlib.decompress(data))
    return Points(
        ids=columns["ids"],
        label=np.array(columns["label"], np.int32),
        xy=np.frombuffer(xy or b"", "<f4").reshape(-1, 2),
        cluster=np.array(columns["cluster"], np.int16),
        new=np.array(columns["new"], np.bool_),
    )


def dump_xy(xy: NDArray[Any]) -> bytes:
    """Return (n, 2) coordinates as bytes."""
    return np.ascontiguousarray(xy, "<f4").tobytes()


def scale_of(xy: NDArray[Any]) -> float:
    """Return the factor that brings centred coordinates into -1 to 1."""
    largest = float(np.abs(xy).max()) if len(xy) else 0.0
    return MARGIN / largest if largest > 0 else 1.0


def centred(xy: NDArray[Any]) -> NDArray[np.float32]:
    """Return coordinates round the middle of what they span."""
    return np.asarray(xy - (xy.max(axis=0) + xy.min(axis=0)) / 2, dtype=np.float32)
