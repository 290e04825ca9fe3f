"""Reads torch's old file format, of before version 1.6, without torch: a pickle, then the tensors' raw numbers."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline_encoder.errors import ModelError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_pickled_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by name, in the file's order.

    The pickle may hold a dictionary of tensors of float32 or int64, and nothing else; it runs no code.

    Raises:
        ModelError: The file is no such file.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ModelError(f"{path}: not a file of tensors in torch's old format: {error}") from error


class _View(NamedTuple):
    """A tensor: where in a storage it begins, and its shape and strides, all in numbers."""

    storage: str
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _TensorUnpickler(pickle.Unpickler):
    """Knows nothing but tensors.

    Attributes:
        storages: The type and length of each storage that a tensor refers to.
    """

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[np.dtype[Any], int]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, start, shape, strides, *_: _View(storage, start, shape, strides)
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in it")

    def persistent_load(self, reference: Any) -> str:
        _, dtype, key, _, length, _ = reference
        self.storages[key] = (dtype, length)
        return str(key)


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    head = [_TensorUnpickler(file).load() for _ in range(3)]
    if head[:2] != [MAGIC_NUMBER, PROTOCOL_VERSION] or not head[2]["little_endian"]:
        raise pickle.UnpicklingError("it begins otherwise")
    unpickler = _TensorUnpickler(file)
    views = unpickler.load()
    numbers = {}
    for key in _TensorUnpickler(file).load():
        dtype, length = unpickler.storages[key]
        if int.from_bytes(file.read(8), "little") != length:
            raise pickle.UnpicklingError(f"the storage {key} has another length")
        numbers[key] = np.frombuffer(file.read(length * dtype.itemsize), dtype, length)
    return {name: _tensor(view, numbers[view.storage]) for name, view in views.items()}


def _tensor(view: _View, numbers: NDArray[Any]) -> NDArray[Any]:
    last = view.start + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if view.start < 0 or min(view.strides, default=0) < 0 or 0 in view.shape or last >= len(numbers):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    steps = [stride * numbers.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(numbers[view.start :], view.shape, steps).copy()
