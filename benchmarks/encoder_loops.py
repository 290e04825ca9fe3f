"""Part `loops` of `make bench-encoder`: the encoder's runtime beside bare loops of others, in one process.

A loop is what one writes without a service: prepared inputs in, unit vectors out, the same number of threads for all.
They take turns at every batch size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.models import ModelSource
from sightline_encoder.runtimes.openvino_runtime import export
from sightline_encoder.runtimes.tower import TowerSource
from sightline_encoder.settings import EncoderSettings
from sightline_service.atomic_write import replacing

from benchmarks.harness import pictures, results, timing
from benchmarks.harness.pictures import MODELS, Collection, Pixels, Vectors, chunks
from benchmarks.harness.results import say

FORMS = ("{}", "{} in the snow", "an old {} beside a wooden fence", "two of {}")
"""Short and long, as people ask: a batch holds texts of unequal length."""
OPENVINO, TORCH, TORCH_BF16, ONNX = "OpenVINO", "torch float32", "torch bfloat16", "ONNX Runtime"
BATCHES, COMPARED_AT = (1, 8, 16, 32), 16
SAMPLES, ROUNDS, ROUNDS_COMPARED = 192, 3, 5
ITEMS = {"images": 32, "texts": 64}
"""At least so many in each turn: in as many batches as that takes."""
Forward = Callable[..., Vectors]
Loop = Mapping[str, Callable[[Any], Vectors]]
"""A model on one runtime in this process: `images` takes pixels, `texts` a list of texts; both give unit vectors."""


@dataclass(frozen=True)
class Subject:
    """A model that is measured: what its figures start with, its name, its id as in ENCODER_MODELS."""

    key: str
    name: str
    model_id: str

    @cached_property
    def source(self) -> ModelSource:
        """The model as the encoder finds it."""
        return models.describe(self.model_id, settings())

    def pixels(self, found: Collection, count: int) -> Pixels:
        """Return (count, height, width, 3) uint8: pictures of a collection at the model's input."""
        return pictures.pixels(found.some(count), self.source.preprocessing, count)


def settings() -> EncoderSettings:
    """Return the encoder's own defaults, with the folder of converted models that `make demo` uses."""
    return pictures.encoder_settings("embedded")


def texts(count: int) -> list[str]:
    """Return distinct texts: names of things, in forms of unequal length, mixed as queries are."""
    return pictures.texts(*FORMS, count=count)


def subjects() -> tuple[Subject, Subject]:
    """Return the model that runs without Docker, and ViT-B-32 with random weights: these take as long as others."""
    path = MODELS / "random" / "ViT-B-32.safetensors"
    if not path.is_file():
        import open_clip
        import torch
        from safetensors.torch import save_file

        say("writing random weights of ViT-B-32")
        torch.manual_seed(0)
        module = open_clip.create_model("ViT-B-32", pretrained=None)
        tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            save_file(tensors, draft)
    return Subject("embedded", "embedded", "embedded"), Subject("vit_b_32", "ViT-B-32", f"path:{path}@ViT-B-32")


def openvino(subject: Subject) -> Loop:
    """Return the encoder's own code, at the precision that it chooses."""
    model = models.load(subject.model_id, settings())
    return {"images": model.encode_pixels, "texts": model.encode_texts}


def loops(subject: Subject) -> dict[str, Loop]:
    """Return the model on every runtime that can run it here; a line on stderr says why ONNX Runtime cannot."""
    source = subject.source

    def over(make: Callable[[TowerSource], Forward]) -> Loop:
        image, text = make(source.image), make(source.text)
        return {"images": image, "texts": lambda batch: text(*source.tokenize(batch))}

    found = {OPENVINO: openvino(subject)}
    found[TORCH] = over(partial(_torch_forward, bf16=False))
    found[TORCH_BF16] = over(partial(_torch_forward, bf16=True))
    try:
        found[ONNX] = over(_onnx_forward)
    except Exception as error:
        say(f"{subject.name}: ONNX Runtime: {' '.join(str(error).split())[:160]}")
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
    import onnxruntime

    path = MODELS / f"onnx-{source.fingerprint[:12]}" / f"{source.name}.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings().forward_threads
    options.log_severity_level = 3
    if not path.is_file():
        import torch

        say(f"exporting {source.name} to ONNX")
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as draft:
            torch.onnx.export(export(source), dynamo=True, external_data=False, verbose=False, f=str(draft))
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    return lambda *inputs: np.asarray(session.run(None, dict(zip(names, inputs, strict=True)))[0])


def encode_all(encode: Callable[[Any], Vectors], items: Any, batch: int) -> Vectors:
    """Return the vectors of all items, encoded in batches."""
    return np.concatenate([encode(part) for part in chunks(items, batch)])


def lowest_cosine(first: Vectors, second: Vectors) -> float:
    """Return the lowest cosine of rows of unit vectors, one to one."""
    return float((first * second).sum(axis=1).min())


def measure(subject: Subject, kind: str, found: dict[str, Loop], items: Any) -> dict[int, dict[str, list[float]]]:
    """Return for each batch size and runtime its items a second, turn by turn."""
    rates = {}
    for batch in BATCHES:
        count = max(ITEMS[kind] // (4 if batch == 1 else 1), batch)
        entries = {}
        for name, loop in found.items():
            # Shapes that a runtime has not met yet cost more the first time.
            loop[kind](items[:batch])
            entries[name] = timing.rate(partial(encode_all, loop[kind], items[: count // batch * batch], batch))
        rates[batch] = timing.in_turns(entries, ROUNDS_COMPARED if batch == COMPARED_AT else ROUNDS)
        say(f"{subject.name}, {kind}, batch {batch}: done")
    return rates


def measured(subject: Subject, found: dict[str, Loop], samples: Any) -> dict[str, float]:
    """Measure and print one model; return its figures."""
    figures: dict[str, float] = {}
    cosines = []
    for kind, items in (("images", samples), ("texts", texts(SAMPLES))):
        rates = measure(subject, kind, found, items)
        compared = rates[COMPARED_AT]
        rows = [
            [name, *(median(rates[batch][name]) for batch in BATCHES), timing.ratio(compared, name, TORCH)]
            for name in found
        ]
        title = f"{subject.name}: {kind} a second by batch size, and how often torch float32's at {COMPARED_AT}"
        results.show(["runtime", *map(str, BATCHES), "times"], rows, title)
        prefix = subject.key if kind == "images" else f"{subject.key}_text"
        figures[f"{prefix}_speedup"] = timing.ratio(compared, OPENVINO, TORCH)
        for name in found:
            figures[f"{subject.key}_{kind}_per_second_{name.lower().replace(' ', '_')}"] = median(compared[name])
        cosines.append(lowest_cosine(*(encode_all(found[name][kind], items, 32) for name in (OPENVINO, TORCH))))
    print(f"{subject.name}: lowest cosine of OpenVINO to torch float32, images and texts: {cosines}\n")
    return figures | {f"{subject.key}_cosine": min(cosines)}


def run(found: Collection) -> dict[str, float]:
    """Measure both models."""
    figures: dict[str, float] = {}
    with warnings.catch_warnings():
        # Of the export to ONNX; they concern whoever changes the model.
        warnings.simplefilter("ignore")
        for subject in subjects():
            figures |= measured(subject, loops(subject), subject.pixels(found, min(SAMPLES, len(found.keys))))
    return figures
