"""Lays one picture over another: finds the affine map between two that may be crops, turns or copies of each other.

At a glance first, by the correlation of some ways to lay one over the other; then from small to large by Gauss-Newton
steps to the least squares over map, contrast and brightness (the inverse compositional algorithm; Baker and Matthews,
“Lucas-Kanade 20 Years On”, IJCV 56, 2004), where what does not fit counts less. Coordinates go from -1 to 1.
"""

from __future__ import annotations

from functools import cache, cached_property
from itertools import product
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Scalar = TypeVar("Scalar", bound=np.generic)

SIDES = (16, 32, 64, 128)
"""The sides of the squares at which one picture is laid over the other, in turn."""
SIDE = SIDES[-1]
TURNS = 8
"""Four turns, and four of the mirror image."""
_STEPS = {16: 8, 32: 8, 64: 5, 128: 3}
_SCALES = (1.0, 0.85, 1.18)
_CORNERS = tuple(product((0.9, 1.11), (-0.1, 0.1), (-0.1, 0.1)))
"""At a glance: the whole, its middle, what is around it, and each corner; a scale, and a shift."""
_LIKELY = 2
"""So many ways are looked at closely."""
_LEAST_AT_A_GLANCE = 0.4
_LEAST_CORRELATION = {16: 0.6, 32: 0.7, 64: 0.75, 128: 0.75}
"""By side: what does not fit by then is left, so that most pairs cost little. As many copies are found as with 0.55."""
_LEAST_OVERLAP = 0.3
_LEAST_SCALE, _MOST_SCALE, _MOST_SHIFT = 0.6, 1.6, 0.6
_STILL = 0.04
"""Pixels, nearly: with smaller steps it is found."""


class Place(NamedTuple):
    """Where a point of one picture lies in the other: `matrix`, (2, 2), times the point, plus `shift`, (2,)."""

    matrix: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def is_identity(self) -> bool:
        """Whether both lie at the same place, to a hundredth."""
        return bool(np.abs(self.matrix - np.eye(2)).max() < 0.01 and np.abs(self.shift).max() < 0.01)


class Level:
    """A picture at one of the sides: `pixels`, (side, side) float32, and what is derived of them."""

    def __init__(self, pixels: Floats) -> None:
        self.pixels = pixels

    @cached_property
    def gradients(self) -> Floats:
        """How the pixels change with the parameters of a place, (side², 6)."""
        side = len(self.pixels)
        x, y = _grid(side)
        down, right = (gradient * (side / 2) for gradient in np.gradient(self.pixels))
        return np.stack([right * x, right * y, right, down * x, down * y, down], axis=-1).reshape(-1, 6)

    @cached_property
    def glances(self) -> tuple[Floats, Floats, Floats]:
        """The picture in every way of `_ways`, 0 outside, (ways, side²), and the sums of it and of its squares."""
        corners, weights = _ways()[1:3]
        seen = (self.pixels.ravel()[corners] * weights).sum(-1)
        return seen, seen.sum(1), (seen**2).sum(1)


def likely_places(one: Level, other: Level) -> list[tuple[float, int, Place]]:
    """Return how another picture may have to be turned, and where one lies in it then, the likeliest first.

    Each with how well the two correlate at a glance.
    """
    ways, _, _, inside = _ways()
    seen, sums, squares = other.glances
    pixels = one.pixels.ravel() - one.pixels.mean()
    count, ours, our_squares = inside.sum(1), inside @ pixels, inside @ pixels**2
    covariance = seen @ pixels - ours * sums / count
    variances = (our_squares - ours**2 / count) * (squares - sums**2 / count)
    correlations = covariance / (np.sqrt(np.maximum(variances, 0)) + 1)
    best = [place for place in np.argsort(-correlations)[:_LIKELY] if correlations[place] >= _LEAST_AT_A_GLANCE]
    return [(float(correlations[place]), *ways[place]) for place in best]


def lay_over(one: Level, other: Floats, place: Place) -> tuple[float, Place] | None:
    """Return the correlation of a picture with another, (side, side), and where it lies in it; None if it does not fit.

    Args:
        one: The picture.
        other: The other, turned.
        place: About where the one lies in the other.
    """
    side = len(other)
    pixels, image = one.pixels.ravel(), Image.fromarray(other)
    changes = np.concatenate(
        [-one.gradients, np.zeros_like(one.gradients[:, :1]), np.ones_like(one.gradients[:, :1])], 1
    )
    trust = np.ones(side * side, np.float32)
    for _ in range(_STEPS[side]):
        is_inside = inside_of(place, side).ravel()
        if is_inside.mean() < _LEAST_OVERLAP:
            return None
        changes[:, 6] = _moved(image, place).ravel()
        weighted = changes * (trust * is_inside)[:, None]
        normal = (weighted.T @ changes).astype(np.float64)
        normal[np.diag_indices(8)] += [1e-3 * np.trace(normal[:6, :6]) / 6 + 1e-6] * 6 + [1e-3] * 2
        step = np.linalg.solve(normal, (weighted.T @ pixels).astype(np.float64))
        off = changes @ step.astype(np.float32) - pixels
        trust = 1 / (1 + (off / (2 * np.median(np.abs(off[is_inside])) + 1)) ** 2)
        matrix = place.matrix @ np.linalg.inv(np.eye(2) + step[[0, 1, 3, 4]].reshape(2, 2))
        place = Place(matrix, place.shift - matrix @ step[[2, 5]])
        scales = np.linalg.svd(matrix, compute_uv=False)
        if not (scales[1] >= _LEAST_SCALE and scales[0] <= _MOST_SCALE and np.abs(place.shift).max() <= _MOST_SHIFT):
            return None
        if np.abs(step[:6]).max() < _STILL / side:
            break
    is_inside = inside_of(place, side)
    if is_inside.mean() < _LEAST_OVERLAP:
        return None
    correlation = _correlation(one.pixels[is_inside], _moved(image, place)[is_inside])
    return (correlation, place) if correlation >= _LEAST_CORRELATION[side] else None


def turned(pixels: NDArray[Scalar], turn: int) -> NDArray[Scalar]:
    """Return a square, turned by quarters counterclockwise; from 4 on its mirror image."""
    return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if turn >= TURNS // 2 else pixels, turn % 4))


def moved(pixels: Floats, place: Place) -> Floats:
    """Return what of a picture, (side, side), lies at each point of the one that has its `place` in it."""
    return _moved(Image.fromarray(pixels), place)


def inside_of(place: Place, side: int) -> NDArray[np.bool_]:
    """Return which points of a picture lie inside of the other, (side, side)."""
    x, y = _grid(side)
    (a, b), (c, d) = place.matrix.astype(np.float32)
    right, down = place.shift.astype(np.float32)
    edge = 1 - 1 / side
    return np.asarray((np.abs(a * x + b * y + right) <= edge) & (np.abs(c * x + d * y + down) <= edge))


def _moved(image: Image.Image, place: Place) -> Floats:
    side = image.width
    # In pixels, from the upper left corner.
    right, down = side / 2 * (place.shift + 1 - place.matrix.sum(1))
    (a, b), (c, d) = place.matrix
    bilinear = Image.Resampling.BILINEAR
    return np.asarray(image.transform((side, side), Image.Transform.AFFINE, (a, b, right, c, d, down), bilinear))


def _correlation(one: Floats, other: Floats) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float(one @ other / (np.sqrt((one @ one) * (other @ other)) + 1e-3))


@cache
def _grid(side: int) -> tuple[Floats, Floats]:
    """Return the coordinates of each pixel's middle, (side, side): to the right, and down."""
    axis = ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)
    right, down = np.meshgrid(axis, axis)
    return right, down


@cache
def _ways() -> tuple[list[tuple[int, Place]], NDArray[np.intp], Floats, Floats]:
    """Return the ways to lay one picture over another that are tried at a glance.

    Each with the turn and the place; the pixels of the other that each pixel takes, (ways, side², 4), with their
    weights, 0 outside; and which are inside, (ways, side²).
    """
    side = SIDES[0]
    whole = [(scale, 0.0, 0.0) for scale in _SCALES]
    ways = [(turn, way) for turn in range(TURNS) for way in (*whole, *(_CORNERS if turn == 0 else ()))]
    found, corners, weights, insides = [], [], [], []
    for turn, (scale, right, down) in ways:
        place = Place(np.eye(2) * scale, np.array([right, down]))
        inside = inside_of(place, side)
        numbers = turned(np.arange(side * side).reshape(side, side), turn)
        at = [
            ((scale * axis + shift + 1) * side - 1) / 2 for axis, shift in zip(_grid(side), (right, down), strict=True)
        ]
        columns, rows = (np.clip(np.floor(each).astype(np.intp), 0, side - 2) for each in at)
        x, y = at[0] - columns, at[1] - rows
        near = [(dy, dx) for dy in (0, 1) for dx in (0, 1)]
        corners.append(np.stack([numbers[rows + dy, columns + dx] for dy, dx in near], axis=-1).reshape(-1, 4))
        shares = np.stack([np.where(dy, y, 1 - y) * np.where(dx, x, 1 - x) for dy, dx in near], axis=-1)
        weights.append((shares * inside[..., None]).reshape(-1, 4))
        insides.append(inside.ravel())
        found.append((turn, place))
    return found, np.stack(corners), np.stack(weights).astype(np.float32), np.stack(insides).astype(np.float32)
