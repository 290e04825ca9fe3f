"""The models that are measured, and loops over them: the encoder's own runtime, torch, and ONNX Runtime.

A loop is what one writes without a service: prepared inputs in, unit vectors out, the same number of threads for all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.models import ModelSource
from sightline_encoder.runtimes.openvino_runtime import export, ov
from sightline_encoder.runtimes.tower import TowerSource
from sightline_encoder.settings import EncoderSettings

from benchmarks.harness import pictures
from benchmarks.harness.pictures import MODELS, Collection, Pixels, Vectors
from benchmarks.harness.results import say

FORMS = ("{}", "{} in the snow", "an old {} beside a wooden fence", "two of {}")
"""Short and long, as people ask: a batch holds texts of unequal length."""
OPENVINO, OPENVINO_F32, TORCH = "OpenVINO", "OpenVINO float32", "torch float32"
TORCH_BF16, ONNX = "torch bfloat16", "ONNX Runtime"
Forward = Callable[..., Vectors]


class Unavailable(Exception):
    """A runtime that cannot run a network here; the message says why in one line."""


@dataclass(frozen=True)
class Subject:
    """A model that is measured.

    Attributes:
        key: What its figures start with.
        name: As people write it.
        model_id: As in ENCODER_MODELS.
    """

    key: str
    name: str
    model_id: str

    @cached_property
    def source(self) -> ModelSource:
        """The model as the encoder finds it."""
        return models.describe(self.model_id, settings())

    @property
    def suffix(self) -> str:
        """What figures of serving end with."""
        return "" if self.key == "embedded" else f"_{self.key}"

    def pixels(self, found: Collection, count: int) -> Pixels:
        """Return (count, height, width, 3) uint8: pictures of a collection at the model's input."""
        return pictures.pixels(found.some(count), self.source.preprocessing, count)


@dataclass(frozen=True)
class Loop:
    """A model on one runtime, in this process.

    Attributes:
        images: (n, height, width, 3) uint8 to (n, dimensions) unit vectors.
        texts: A list of n texts to the same.
    """

    images: Callable[[Any], Vectors]
    texts: Callable[[list[str]], Vectors]


def settings() -> EncoderSettings:
    """Return the encoder's own defaults, with the folder of converted models that `make demo` uses."""
    return pictures.encoder_settings("embedded")


def texts(count: int) -> list[str]:
    """Return distinct texts: names of things, in forms of unequal length, mixed as queries are."""
    return pictures.texts(*FORMS, count=count)


EMBEDDED = Subject("embedded", "embedded", "embedded")


def subjects() -> tuple[Subject, Subject]:
    """Return the model that runs without Docker, and open_clip's ViT-B-32.

    The latter has random weights, which take as long as trained ones and need no hub; they are written once.
    """
    path = MODELS / "random" / "ViT-B-32.safetensors"
    if not path.is_file():
        import open_clip
        import torch
        from safetensors.torch import save_file

        say("writing random weights of ViT-B-32")
        torch.manual_seed(0)
        module = open_clip.create_model("ViT-B-32", pretrained=None)
        tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
        _write(path, lambda draft: save_file(tensors, draft))
    return EMBEDDED, Subject("vit_b_32", "ViT-B-32", f"path:{path}@ViT-B-32")


def _write(path: Path, save: Callable[[Path], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    save(draft)
    draft.replace(path)


def openvino(subject: Subject, **changes: str) -> Loop:
    """Return the encoder's own code, at the precision that it chooses unless one is named."""
    model = models.load(subject.model_id, settings().model_copy(update=changes))
    return Loop(model.encode_pixels, model.encode_texts)


def loops(subject: Subject) -> dict[str, Loop]:
    """Return the model on every runtime that can run it here; a line on stderr says why others cannot."""
    source = subject.source

    def over(make: Callable[[TowerSource], Forward]) -> Loop:
        image, text = make(source.image), make(source.text)
        return Loop(image, lambda batch: text(*source.tokenize(batch)))

    found = {OPENVINO: openvino(subject)}
    if subject.key == "vit_b_32" and "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        found[OPENVINO_F32] = openvino(subject, precision="f32")
    found[TORCH] = over(lambda tower: _torch_forward(tower, bf16=False))
    found[TORCH_BF16] = over(lambda tower: _torch_forward(tower, bf16=True))
    try:
        found[ONNX] = over(_onnx_forward)
    except Unavailable as error:
        say(f"{subject.name}: {error}")
    return found


@cache
def _built(source: Callable[[], Any]) -> Any:
    return source().eval().requires_grad_(False)


def _torch_forward(source: TowerSource, *, bf16: bool) -> Forward:
    import torch

    torch.set_num_threads(settings().forward_threads)
    module = _built(source.build)

    def forward(*inputs: NDArray[Any]) -> Vectors:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            return np.asarray(module(*map(torch.from_numpy, inputs)).float().numpy())

    return forward


def _onnx_forward(source: TowerSource) -> Forward:
    path = MODELS / f"onnx-{source.fingerprint[:12]}" / f"{source.name}.onnx"
    try:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = settings().forward_threads
        options.log_severity_level = 3
        if not path.is_file():
            import torch

            say(f"exporting {source.name} to ONNX")
            module, save = export(source), torch.onnx.export
            _write(path, lambda draft: save(module, dynamo=True, external_data=False, verbose=False, f=str(draft)))
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise Unavailable(f"ONNX Runtime, {source.name}: {' '.join(str(error).split())[:160]}") from error
    names = [each.name for each in session.get_inputs()]
    return lambda *inputs: np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])
