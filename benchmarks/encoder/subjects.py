"""What is encoded, and by which models."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.models import ModelSource
from sightline_encoder.models.embedded import class_texts
from sightline_encoder.settings import EncoderSettings
from sightline_pictures import PictureError, PictureSettings, Preprocessing, open_picture, preprocess

from benchmarks import collection
from benchmarks.collection import Collection

Pixels = NDArray[np.uint8]

FORMS = ("{}", "{} in the snow", "an old {} beside a wooden fence", "two of {}")
"""Short and long, as people ask: a batch holds texts of unequal length."""


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


def settings() -> EncoderSettings:
    """Return the encoder's own defaults, with the folder of converted models that `make demo` uses."""
    return EncoderSettings(cache_dir=collection.MODELS, models="embedded")


def embedded() -> Subject:
    """Return the model that runs without Docker."""
    return Subject("embedded", "embedded", "embedded")


def vit_b_32() -> Subject:
    """Return open_clip's ViT-B-32 with random weights, which take as long as trained ones and need no hub.

    They are written once, beside the converted models.
    """
    path = collection.MODELS / "random" / "ViT-B-32.safetensors"
    if not path.is_file():
        _write_random("ViT-B-32", path)
    return Subject("vit_b_32", "ViT-B-32", f"path:{path}@ViT-B-32")


def _write_random(architecture: str, path: Path) -> None:
    import open_clip
    import torch
    from safetensors.torch import save_file

    print(f"writing random weights of {architecture}", file=sys.stderr)
    torch.manual_seed(0)
    module = open_clip.create_model(architecture, pretrained=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, draft)
    draft.replace(path)


def texts(count: int) -> list[str]:
    """Return distinct texts: names of things, in forms of unequal length, mixed as queries are."""
    names = list(dict.fromkeys(name for _, several, _ in class_texts() for name in several.split(", ")))
    found = [FORMS[(place + turn) % len(FORMS)].format(name) for turn in range(4) for place, name in enumerate(names)]
    return found[:count]


def files(pictures: Collection, count: int) -> list[bytes]:
    """Return the bytes of `count` pictures, spread over the collection; fewer where it has fewer."""
    keys = pictures.keys[:: max(1, len(pictures.keys) // count)][:count]
    return [(pictures.folder / key).read_bytes() for key in keys]


def pixels(data: Sequence[bytes], steps: Preprocessing, count: int) -> Pixels:
    """Return (count, height, width, 3) uint8: the pictures brought to a model's input, over again if need be."""
    limits = PictureSettings()
    ready = []
    for each in data:
        try:
            picture = open_picture(
                each, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=steps.min_side
            )
        except PictureError:
            continue
        ready.append(preprocess(picture.image, steps))
    if not ready:
        sys.exit("none of the pictures can be read")
    return np.stack(list(islice(cycle(ready), count)))
