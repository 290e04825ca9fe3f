"""The towers of an open_clip model in torch, each with its own half of the weights."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from sightline_encoder.models.normalise import Normalise


class ClipImage(torch.nn.Module):
    """Pictures, (n, height, width, 3) uint8, to (n, dimensions) unit vectors."""

    def __init__(self, model: torch.nn.Module, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.normalise = Normalise(mean, std)
        self.model: Any = _half(model, image=True)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return unit vectors."""
        vectors: torch.Tensor = self.model.encode_image(self.normalise(pixels), normalize=True)
        return vectors.float()


class ClipText(torch.nn.Module):
    """Token ids, (n, length) int64, to (n, dimensions) unit vectors.

    Args:
        model: open_clip's.
        shortens: Whether it takes fewer tokens than its context; see `openclip.reads_left_to_right`.
    """

    def __init__(self, model: torch.nn.Module, *, shortens: bool) -> None:
        super().__init__()
        self.model: Any = _half(model, image=False)
        self.shortens = shortens

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return unit vectors."""
        if not self.shortens:
            full: torch.Tensor = self.model.encode_text(ids, normalize=True)
            return full.float()
        # The model's own forward pass, with a context as long as these texts. Rows are selected by index, since
        # torch.export treats the length of a slice as a constant.
        rows = torch.arange(ids.shape[1], device=ids.device)
        shorter = {
            "positional_embedding": self.model.positional_embedding[rows],
            "attn_mask": self.model.attn_mask[rows][:, rows],
        }
        vectors: torch.Tensor = torch.func.functional_call(self.model, shorter, kwargs={"text": ids})[1]
        return vectors.float()


def _half(model: torch.nn.Module, *, image: bool) -> torch.nn.Module:
    """Return the model without the other tower's weights, so that a converted tower holds its own alone."""
    half = copy.copy(model)
    half._modules = {name: module for name, module in model._modules.items() if (name == "visual") == image}
    half._parameters = {} if image else dict(model._parameters)
    half._buffers = {} if image else dict(model._buffers)
    return half
