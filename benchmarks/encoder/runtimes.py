"""The loops that the encoder's runtime is compared with: torch in float32 and bfloat16, and ONNX Runtime.

Each is what one writes without a service: prepared inputs in, unit vectors out, the same number of threads for all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.models import Model
from sightline_encoder.runtimes.openvino_runtime import export, ov
from sightline_encoder.runtimes.tower import TowerSource

from benchmarks import collection
from benchmarks.encoder.subjects import Subject, settings

Vectors = NDArray[np.float32]
Forward = Callable[..., Vectors]

OPENVINO, OPENVINO_F32, TORCH, TORCH_BF16, ONNX = (
    "OpenVINO", "OpenVINO float32", "torch float32", "torch bfloat16", "ONNX Runtime",
)  # fmt: skip


class Unavailable(Exception):
    """A runtime that cannot run a network here; the message says why in one line."""


@dataclass(frozen=True)
class Loop:
    """A model on one runtime, in this process.

    Attributes:
        images: (n, height, width, 3) uint8 to (n, dimensions) unit vectors.
        texts: A list of n texts to the same.
    """

    images: Callable[[NDArray[np.uint8]], Vectors]
    texts: Callable[[list[str]], Vectors]


def openvino(subject: Subject, precision: str | None = None) -> Loop:
    """Return the encoder's own code, at the precision that it chooses unless one is named."""
    chosen = settings() if precision is None else settings().model_copy(update={"precision": precision})
    model: Model = models.load(subject.model_id, chosen)
    return Loop(model.encode_pixels, model.encode_texts)


def computes_in_bf16() -> bool:
    """Return whether this processor has instructions for bfloat16, so that OpenVINO may use them."""
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def torch_loop(subject: Subject, *, bf16: bool) -> Loop:
    """Return the torch modules called plainly, without gradients; bf16: under autocast."""
    return _loop(subject, lambda source: _torch_forward(source, bf16=bf16))


def onnx_loop(subject: Subject) -> Loop:
    """Return ONNX Runtime on the modules exported by torch.

    Raises:
        Unavailable: It is not installed, or a module cannot be exported.
    """
    return _loop(subject, _onnx_forward)


def _loop(subject: Subject, make: Callable[[TowerSource], Forward]) -> Loop:
    source = subject.source
    image, text = make(source.image), make(source.text)
    return Loop(image, lambda batch: text(*source.tokenize(batch)))


@cache
def _built(source: Callable[[], Any]) -> Any:
    return source().eval().requires_grad_(False)


def _torch_forward(source: TowerSource, *, bf16: bool) -> Forward:
    import torch

    torch.set_num_threads(settings().forward_threads)
    module = _built(source.build)

    def forward(*inputs: NDArray[Any]) -> Vectors:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            vectors: Vectors = module(*map(torch.from_numpy, inputs)).float().numpy()
        return vectors

    return forward


def _onnx_forward(source: TowerSource) -> Forward:
    try:
        import onnxruntime
    except ImportError as error:
        raise Unavailable(f"ONNX Runtime: {error}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings().forward_threads
    options.log_severity_level = 3
    try:
        path = _exported(source)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Unavailable(f"ONNX Runtime, {source.name}: {' '.join(str(error).split())[:160]}") from error
    names = [each.name for each in session.get_inputs()]

    def forward(*inputs: NDArray[Any]) -> Vectors:
        vectors: Vectors = session.run(None, dict(zip(names, inputs, strict=True)))[0]
        return vectors

    return forward


def _exported(source: TowerSource) -> Path:
    """Return the ONNX file of a tower, exported once."""
    path = collection.MODELS / f"onnx-{source.fingerprint[:12]}" / f"{source.name}.onnx"
    if not path.is_file():
        import torch

        print(f"exporting {source.name} to ONNX", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}.draft")
        torch.onnx.export(export(source), dynamo=True, external_data=False, verbose=False, f=str(draft))
        draft.replace(path)
    return path
