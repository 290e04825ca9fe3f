"""Runtimes: torch and OpenVINO, behind one interface."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sightline_encoder.errors import ModelError
from sightline_encoder.runtimes.tower import Runtime

if TYPE_CHECKING:
    from sightline_encoder.settings import EncoderSettings


def nvidia_present() -> bool:
    """Return whether NVIDIA's driver is installed, without importing torch, which takes seconds."""
    return any(Path(path).exists() for path in ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"))


def choose_runtime(settings: EncoderSettings) -> Runtime:
    """Return the runtime that the settings name; `auto` is torch where CUDA works, and OpenVINO elsewhere.

    Raises:
        ModelError: CUDA is set and not available, or OpenVINO is set with a device other than the CPU.
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
