"""What runs a network: torch or OpenVINO, behind one small interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sightline_encoder.errors import ModelError

if TYPE_CHECKING:
    import torch

    from sightline_encoder.settings import EncoderSettings

Vectors = NDArray[np.float32]


class Tower(Protocol):
    """One compiled network. Safe to call from several threads."""

    def __call__(self, *inputs: NDArray[Any]) -> Vectors:
        """Return (n, dimensions) float32 rows for inputs whose first axis is n, at least 1."""
        ...


@dataclass(frozen=True)
class Axis:
    """An axis whose length varies from call to call; equal names mean equal lengths."""

    name: str
    longest: int


BATCH = Axis("batch", 4096)


@dataclass(frozen=True)
class TowerSource:
    """What a runtime needs to make a tower.

    Attributes:
        name: `image` or `text`.
        build: Loads the weights and returns the module in float32 on the CPU, ready for inference. Costly: called
            only where no converted copy is in the cache.
        examples: One array an input, of at least two rows, as the module takes them; real enough to compare
            precisions with.
        inputs: By name, in the order of the module's arguments: the axes whose length varies. Where axis 1 does, it is
            a text's tokens, and zeros at its end are padding, which the vector does not depend on.
        fingerprint: The model's.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    examples: tuple[NDArray[Any], ...]
    inputs: dict[str, dict[int, Axis]]
    fingerprint: str


class Runtime(Protocol):
    """Something that compiles towers for a device.

    Attributes:
        name: `torch` or `openvino`.
        device: `cpu` or `cuda:N`.
        compiles_late: Whether a tower compiles itself anew when it first meets a batch of another size.
    """

    name: str
    device: str
    compiles_late: bool

    def prepared(self, source: TowerSource, cache: Path) -> bool:
        """Say whether `compile` will find in the cache folder what would else take torch to make."""
        ...

    def compile(self, source: TowerSource, cache: Path) -> Tower:
        """Return the tower, from the cache folder where it is there; else put it there."""
        ...


def nvidia_present() -> bool:
    """Say whether a driver for NVIDIA's GPUs is there, without importing torch, which takes seconds."""
    return any(Path(path).exists() for path in ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"))


def choose_runtime(settings: EncoderSettings) -> Runtime:
    """Return the runtime that the settings name; `auto` is torch where CUDA works, and OpenVINO elsewhere.

    Raises:
        ModelError: CUDA is asked for and is not there, or OpenVINO is to use a device that is not the CPU.
    """
    wants_cuda = settings.device.startswith("cuda")
    if settings.runtime == "openvino" and wants_cuda:
        raise ModelError(f"ENCODER_DEVICE={settings.device}: OpenVINO runs on the CPU here; set ENCODER_RUNTIME=torch")
    if settings.runtime != "torch" and not wants_cuda:
        if settings.runtime == "openvino" or settings.device == "cpu" or not nvidia_present():
            return _openvino(settings)
        import torch

        if not torch.cuda.is_available():
            return _openvino(settings)
    from sightline_encoder.runtimes.torch_runtime import TorchRuntime

    return TorchRuntime.from_settings(settings)


def _openvino(settings: EncoderSettings) -> Runtime:
    from sightline_encoder.runtimes.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(threads=settings.forward_threads, precision=settings.precision)
