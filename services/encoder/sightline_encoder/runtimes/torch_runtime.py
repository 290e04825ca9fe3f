"""The torch runtime: on CUDA in bfloat16 and compiled, on the CPU in float32."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
import torch
from numpy.typing import NDArray

from sightline_encoder.errors import ModelError
from sightline_encoder.runtimes.tower import BATCH, Tower, TowerSource, Vectors

if TYPE_CHECKING:
    from sightline_encoder.settings import EncoderSettings

log = structlog.get_logger()


class TorchRuntime:
    """Runs the torch module itself.

    Args:
        device: `cpu`, `cuda` or `cuda:N`.
        bf16: Whether matrices are multiplied in bfloat16 (autocast).
        compiled: Whether torch.compile is used.
        threads: Of one forward pass on the CPU.
    """

    name = "torch"

    def __init__(self, device: str = "cpu", *, bf16: bool = False, compiled: bool = False, threads: int = 0) -> None:
        self._device = torch.device(device)
        if self._device.type == "cuda":
            if not torch.cuda.is_available():
                raise ModelError(f"ENCODER_DEVICE={device}: torch finds no CUDA device here; set cpu or auto")
            index = self._device.index or 0
            if index >= torch.cuda.device_count():
                raise ModelError(f"ENCODER_DEVICE={device}: there are {torch.cuda.device_count()} CUDA devices")
            self._device = torch.device("cuda", index)
        elif threads:
            torch.set_num_threads(threads)
        self.device = str(self._device)
        self._bf16 = bf16
        self.jit = compiled

    @classmethod
    def from_settings(cls, settings: EncoderSettings) -> TorchRuntime:
        """Return the runtime for ENCODER_DEVICE, ENCODER_PRECISION and ENCODER_COMPILE."""
        cuda = settings.device.startswith("cuda") or (settings.device == "auto" and torch.cuda.is_available())
        device = settings.device if settings.device != "auto" else ("cuda" if cuda else "cpu")
        return cls(
            device,
            bf16=settings.precision == "bf16" or (settings.precision == "auto" and cuda),
            compiled=settings.compile == "true" or (settings.compile == "auto" and cuda),
            threads=settings.forward_threads,
        )

    def is_converted(self, source: TowerSource, cache: Path) -> bool:
        """Return True: torch runs the module itself."""
        return True

    def compile(self, source: TowerSource, cache: Path) -> Tower:
        """Return the tower; nothing of it is kept on disk."""
        module = source.build().eval().requires_grad_(False).to(self._device)
        if source.name == "image":
            module = module.to(memory_format=torch.channels_last)
        # Pictures vary in number only, and a program for each number is worthwhile; texts get one for all shapes.
        fixed = all(list(axes.values()) == [BATCH] for axes in source.inputs.values())
        forward: Callable[..., Any] = torch.compile(module, dynamic=not fixed) if self.jit else module
        return TorchTower(forward, self._device, bf16=self._bf16, padded=self.jit and fixed)


class TorchTower:
    """A torch module as a tower.

    Args:
        forward: The module, or a compiled one.
        device: Where its weights are.
        bf16: Whether to multiply matrices in bfloat16.
        padded: Whether to bring batches to a power of two, so that few sizes occur: compiling for each takes
            seconds.
    """

    def __init__(self, forward: Callable[..., Any], device: torch.device, *, bf16: bool, padded: bool) -> None:
        self._forward = forward
        self._device = device
        self._bf16 = bf16
        self._padded = padded
        # A call of a new shape may recompile, which one thread at a time should do.
        self._lock = threading.Lock()

    def __call__(self, *inputs: NDArray[Any]) -> Vectors:
        """Return (n, dimensions) float32 rows."""
        rows = len(inputs[0])
        if self._padded:
            missing = (1 << (rows - 1).bit_length()) - rows
            inputs = tuple(np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1)) for array in inputs)
        with (
            self._lock,
            torch.inference_mode(),
            torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._bf16),
        ):
            tensors = [self._to_device(torch.from_numpy(array)) for array in inputs]
            vectors: Vectors = self._forward(*tensors).float().cpu().numpy()
        return vectors[:rows]

    def _to_device(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the tensor on the device.

        The GPU copies pinned memory asynchronously, while this thread launches the network. The pinned copy may be
        freed at once: torch's allocator keeps it until the GPU has read it.
        """
        if self._device.type != "cuda":
            return tensor.to(self._device)
        return tensor.pin_memory().to(self._device, non_blocking=True)
