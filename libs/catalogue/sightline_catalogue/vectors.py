"""Vectors between numpy and the wire.

A dense vector is one packed field of float32, little-endian: its bytes are the array's. Going through them instead of
through Python floats costs a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qdrant_client import grpc as api

VECTOR = "image"
"""The name of the vector of a point that texts are compared with."""
VISUAL = "visual"
"""The name of the one that pictures are compared with each other by, where the model has one."""

_TAG = b"\x0a"  # field 1, length-delimited: `repeated float data = 1`


def as_vector(vector: ArrayLike, dimensions: int) -> NDArray[np.float32]:
    """Return a vector as (dimensions,) float32.

    Raises:
        ValueError: It has another shape, or a value that is not finite.
    """
    array = np.asarray(vector, dtype=np.float32)
    if array.shape != (dimensions,):
        raise ValueError(f"a vector of shape ({dimensions},) is needed, not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("a vector has values that are not finite")
    return array


def vector_message(vector: NDArray[np.float32]) -> api.DenseVector:
    """Return the message of a vector, (d,) float32."""
    data = vector.astype("<f4", copy=False).tobytes()
    header = bytearray(_TAG)
    length = len(data)
    while length > 0x7F:
        header.append(length & 0x7F | 0x80)
        length >>= 7
    header.append(length)
    return api.DenseVector.FromString(bytes(header) + data)


def read_vector(vectors: api.VectorsOutput, name: str = VECTOR) -> NDArray[np.float32] | None:
    """Return a vector of a point that Qdrant returned, (d,) float32; None where it has none of that name.

    Servers before 1.16 fill the field `data` of the vector instead of `dense`.
    """
    named = vectors.vectors.vectors
    if name not in named:
        return None
    vector = named[name]
    if vector.WhichOneof("vector") != "dense":
        return np.array(vector.data, dtype=np.float32) if len(vector.data) else None
    message = vector.dense
    count = len(message.data)
    serialized = message.SerializeToString()
    offset = len(serialized) - 4 * count
    return np.frombuffer(serialized, dtype="<f4", offset=offset) if count else None


def read_row(vectors: api.VectorsOutput, names: Iterable[str]) -> NDArray[np.float32] | None:
    """Return some vectors of a point that Qdrant returned, side by side; None where it lacks one."""
    parts = [read_vector(vectors, name) for name in names]
    present = [part for part in parts if part is not None]
    return np.concatenate(present) if len(present) == len(parts) else None


def parts_of(row: NDArray[np.float32], dimensions: Mapping[str, int]) -> dict[str, NDArray[np.float32]]:
    """Return the vectors that a row holds side by side, by name; `dimensions` are theirs, in the row's order."""
    return dict(zip(dimensions, np.split(row, np.cumsum(list(dimensions.values()))[:-1]), strict=True))
