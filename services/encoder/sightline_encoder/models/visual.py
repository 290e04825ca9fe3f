"""Visual vectors of any timm model, beside those of a model of open_clip."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import timm
import torch
from timm.data.config import resolve_model_data_config
from torch.nn.functional import normalize

from sightline_encoder.models.normalise import Normalise


class VisualNetwork(torch.nn.Module):
    """Pictures, (n, height, width, 3) uint8, to (n, dimensions) unit vectors: what a timm model sees, without classes.

    It is given what the model beside it is given, so that a picture is prepared once.

    Attributes:
        dimensions: Of a vector.
    """

    def __init__(self, model: Any, size: tuple[int, int]) -> None:
        super().__init__()
        resolve: Any = resolve_model_data_config
        config = resolve(model)
        self.normalise = Normalise(config["mean"], config["std"])
        self.model = model
        with torch.inference_mode():
            self.dimensions = int(model(torch.zeros(1, 3, *size)).shape[1])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return unit vectors."""
        return normalize(self.model(self.normalise(pixels)).float(), dim=-1)


class SideBySide(torch.nn.Module):
    """Pictures, (n, height, width, 3) uint8, to the vectors of two networks side by side."""

    def __init__(self, first: torch.nn.Module, second: torch.nn.Module) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return both."""
        return torch.cat([self.first(pixels), self.second(pixels)], dim=-1)


def load(name: str, size: tuple[int, int]) -> tuple[VisualNetwork, str]:
    """Return a timm model with its weights, from its hub, its cache or a folder, and a hash of all that it is made of.

    Args:
        name: As timm has it (`vit_small_patch14_dinov2.lvd142m`), or local-dir:FOLDER.
        size: Height and width of the pictures that it will be given.
    """
    create = partial(timm.create_model, name, pretrained=True, num_classes=0)
    try:
        # A transformer's positions are brought to that size.
        model = create(img_size=size)
    except TypeError:
        # A convolutional network takes any.
        model = create()
    network = VisualNetwork(model.eval().requires_grad_(False), size)
    digest = hashlib.sha256(repr([size, network.normalise.state_dict()]).encode())
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return network, digest.hexdigest()
