"""Normalises pixel values for a network."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Normalise(torch.nn.Module):
    """(n, height, width, 3) uint8 to (n, 3, height, width) float32: from 0 to 1, less `mean`, over `std`."""

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        # As one multiplication and one addition: x / 255 / std - mean / std.
        self.scale = torch.nn.Buffer(torch.tensor([1 / (255 * value) for value in std]).reshape(1, 3, 1, 1))
        shift = [-centre / spread for centre, spread in zip(mean, std, strict=True)]
        self.shift = torch.nn.Buffer(torch.tensor(shift).reshape(1, 3, 1, 1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the normalised pixels, channels first."""
        return pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift
