"""The interfaces between models and runtimes: a tower is one half of a model, compiled by a runtime."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Vectors = NDArray[np.float32]


def side_by_side(rows: Vectors, widths: Sequence[int]) -> list[Vectors]:
    """Return the vectors that rows hold side by side, (n, width) each, scaled to length 1."""
    return [unit(vectors) for vectors in np.split(rows, np.cumsum(widths)[:-1], axis=1)]


def unit(vectors: Vectors) -> Vectors:
    """Return the rows scaled to length 1, in float32: lower precisions leave them slightly off."""
    scaled: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


class Tower(Protocol):
    """One compiled network. Safe to call from several threads."""

    def __call__(self, *inputs: NDArray[Any]) -> Vectors:
        """Return (n, its vectors' widths' sum) float32 rows for inputs whose first axis is n, at least 1."""
        ...


@dataclass(frozen=True)
class Axis:
    """An axis whose length varies from call to call; equal names mean equal lengths."""

    name: str
    longest: int


BATCH = Axis("batch", 4096)


@dataclass(frozen=True)
class TowerSource:
    """What a runtime needs to compile a tower.

    Attributes:
        name: `image` or `text`.
        build: Loads the weights and returns the module in float32 on the CPU, ready for inference. Costly: called
            only where no converted copy is in the cache.
        examples: One array an input, of at least two rows, as the module takes them; real enough to compare
            precisions with.
        inputs: By name, in the order of the module's arguments: the axes whose length varies. Where axis 1 does, it is
            a text's tokens, and zeros at its end are padding, which the vector does not depend on.
        fingerprint: The model's.
        widths: Of the unit vectors that a row holds side by side.
        network: Returns the same as an openvino.Model, where it can be had without torch.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    examples: tuple[NDArray[Any], ...]
    inputs: dict[str, dict[int, Axis]]
    fingerprint: str
    widths: tuple[int, ...]
    network: Callable[[], Any] | None = None


class Runtime(Protocol):
    """Compiles towers for a device.

    Attributes:
        name: `torch` or `openvino`.
        device: `cpu` or `cuda:N`.
        jit: Whether a tower recompiles at the first batch of each size.
    """

    name: str
    device: str
    jit: bool

    def is_converted(self, source: TowerSource, cache: Path) -> bool:
        """Return whether nothing is left to convert: `compile` then takes seconds."""
        ...

    def compile(self, source: TowerSource, cache: Path) -> Tower:
        """Return the tower; what must be converted is kept in the cache folder."""
        ...
