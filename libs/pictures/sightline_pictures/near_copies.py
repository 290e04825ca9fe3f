"""Tells whether two pictures are one: resized, compressed again, cropped, turned, tinted, written on, framed.

One picture is laid over the other, and compared with it patch by patch. Two pictures of two cups agree nowhere in
detail, however alike they are; of a picture with a caption most do. No model has a part in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.WebPImagePlugin import WebPImageFile

from sightline_pictures.registration import (
    SIDE,
    SIDES,
    Floats,
    Level,
    Place,
    inside_of,
    lay_over,
    likely_places,
    moved,
    turned,
)

COMPARISON_VERSION = 1
"""One more where pictures that were compared before should be again."""
LEAST_SHARE = 0.76
LEAST_COLOUR = 0.8
"""Of the patches, and of the colours, so many agree in near copies: measured by `make duplicates`."""
_PATCH = 16
_FEWEST_PATCHES = 4
_AGREES_FROM = 0.85
"""The correlation of a patch, from which on it agrees."""
_CONTRAST = 3.0
"""Grey levels by which a patch varies at least that has anything in it."""
_WHOLE = 0.95
_COLOUR_SIDE = 32
_COLOUR_OFF = 40.0
"""Levels by which a colour may be off, beyond a tint."""
_GREY = 6.0
"""Levels between the channels of a picture that has no colours, in the mean."""
_ROUNDS = 4
_ALIKE_AT_A_GLANCE = 0.7


@dataclass(frozen=True)
class Sketch:
    """What is compared of a picture, whatever its shape: (SIDE, SIDE) uint8 in grey, (32, 32, 3) uint8 in colour."""

    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]

    @classmethod
    def of(cls, thumbnail: bytes) -> Sketch | None:
        """Return the sketch of a thumbnail, WebP; None if it cannot be read."""
        try:
            return cls.of_picture(WebPImageFile(BytesIO(thumbnail), "").convert("RGB"))
        except Exception:
            # Whatever is wrong with one that was stored.
            return None

    @classmethod
    def of_picture(cls, picture: Image.Image) -> Sketch:
        """Return the sketch of a picture, RGB."""
        grey = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        colour = picture.resize((_COLOUR_SIDE, _COLOUR_SIDE), Image.Resampling.BOX)
        return cls(np.asarray(grey), np.asarray(colour))

    @cached_property
    def levels(self) -> dict[int, Level]:
        """It in grey, by side, the largest first."""
        pixels = self.grey.astype(np.float32)
        levels = {}
        for side in reversed(SIDES):
            shrink = len(pixels) // side
            pixels = pixels.reshape(side, shrink, side, shrink).mean((1, 3))
            levels[side] = Level(pixels)
        return levels


class Agreement(NamedTuple):
    """How far two pictures agree, one of them laid over the other.

    Attributes:
        share: Of the patches that have something in them, those that agree in detail.
        colour: Of the places that are in both, those that have one colour, but for a tint.
        correlation: Of all that is in both.
        is_moved: Whether one had to be moved to fit, and not only turned by quarters or mirrored.
    """

    share: float = 0.0
    colour: float = 0.0
    correlation: float = 0.0
    is_moved: bool = True

    @property
    def is_near_copy(self) -> bool:
        """Whether the two are one picture."""
        return self.share >= LEAST_SHARE and self.colour >= LEAST_COLOUR


def compare(one: Sketch, other: Sketch) -> Agreement:
    """Return how far two pictures agree, as they are, turned or mirrored; nothing where they do not fit."""
    agreement, glance = _laid_over(one, other)
    if not agreement.is_near_copy and glance >= _ALIKE_AT_A_GLANCE:
        # A framed picture is laid over the bare one; the other way round, the frame would not fit.
        reverse, _ = _laid_over(other, one)
        agreement = max(agreement, reverse)
    return agreement


def _laid_over(one: Sketch, other: Sketch) -> tuple[Agreement, float]:
    """Return how far a picture agrees with one that it is laid over, and how alike they are at a glance."""
    side = SIDES[0]
    starts = []
    places = likely_places(one.levels[side], other.levels[side])
    glance = max((correlation for correlation, _, _ in places), default=0.0)
    for _, turn, place in places:
        laid = lay_over(one.levels[side], turned(other.levels[side].pixels, turn), place)
        if laid is not None:
            starts.append((*laid, turn))
    if not starts:
        return Agreement(), glance
    correlation, place, turn = max(starts, key=lambda start: start[0])
    for side in SIDES[1:]:
        laid = lay_over(one.levels[side], turned(other.levels[side].pixels, turn), place)
        if laid is None:
            return Agreement(), glance
        correlation, place = laid
    share = _share_of_patches(one.levels[SIDE].pixels, turned(other.levels[SIDE].pixels, turn), place)
    colour = _share_of_colours(one.colour, turned(other.colour, turn), place)
    return Agreement(share, colour, correlation, not place.is_identity), glance


def _share_of_patches(one: Floats, other: Floats, place: Place) -> float:
    """Return which share of the patches with something in them agrees; (SIDE, SIDE) each."""
    inside = inside_of(place, SIDE)
    other = moved(other, place)
    gain = other[inside].std() / (one[inside].std() + 1e-3)
    is_whole = _patches(inside).mean(1) > _WHOLE
    ours, theirs = _patches(one)[is_whole], _patches(other)[is_whole] / (gain + 1e-3)
    ours, theirs = ours - ours.mean(1, keepdims=True), theirs - theirs.mean(1, keepdims=True)
    our_contrast, their_contrast = ours.std(1), theirs.std(1)
    correlations = (ours * theirs).mean(1) / (our_contrast * their_contrast + 1e-3)
    telling = correlations[np.maximum(our_contrast, their_contrast) > _CONTRAST]
    return float((telling > _AGREES_FROM).mean()) if len(telling) >= _FEWEST_PATCHES else 0.0


def _patches(pixels: NDArray[np.float32] | NDArray[np.bool_]) -> Floats:
    count = len(pixels) // _PATCH
    cut = pixels.reshape(count, _PATCH, count, _PATCH).transpose(0, 2, 1, 3)
    return cut.reshape(count * count, _PATCH * _PATCH).astype(np.float32)


def _share_of_colours(one: NDArray[np.uint8], other: NDArray[np.uint8], place: Place) -> float:
    """Return at which share of the places colours agree, once each channel is fitted; 1 where one is grey."""
    inside = inside_of(place, _COLOUR_SIDE)
    ours = one[inside].astype(np.float32)
    channels = np.moveaxis(other.astype(np.float32), -1, 0)
    theirs = np.stack([moved(channel, place)[inside] for channel in channels], axis=-1)
    if min(float(np.ptp(each, axis=1).mean()) for each in (ours, theirs)) < _GREY:
        return 1.0
    weights = np.ones(len(ours), np.float32)
    off = np.zeros(len(ours), np.float32)
    for _ in range(_ROUNDS):
        # What is written on a picture should not count for its tint.
        mean_ours, mean_theirs = (np.average(each, axis=0, weights=weights) for each in (ours, theirs))
        from_ours, from_theirs = ours - mean_ours, theirs - mean_theirs
        covariance, variance = weights @ (from_ours * from_theirs), weights @ from_ours**2
        off = np.abs(from_theirs - from_ours * (covariance / (variance + 1e-2))).max(1)
        weights = 1 / (1 + (off / 10) ** 2)
    return float((off < _COLOUR_OFF).mean())
