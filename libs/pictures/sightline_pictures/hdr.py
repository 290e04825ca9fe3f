"""Maps pictures of high dynamic range, PQ or HLG, to what a screen of the usual range shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

_PQ, _HLG = 16, 18
_WHITE_NITS = 203.0
"""What paper white is in such pictures (ITU-R BT.2408)."""
_HLG_PEAK_NITS = 1000.0
_KNEE = 0.7
"""What is darker is shown as it is; what is brighter is compressed, up to the picture's own peak."""
_PEAK_PERCENTILE = 99.9
_SAMPLE = 512
_ROWS_PIXELS = 250_000
_LEVELS = 4096
_TO_BT709 = {
    # From BT.2020 and from Display P3; of any other primaries the colours are taken as they are.
    9: [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]],
    12: [[1.224940, -0.224940, 0.0], [-0.042057, 1.042057, 0.0], [-0.019638, -0.078636, 1.098274]],
}


@dataclass(frozen=True)
class HighRange:
    """How a picture of high dynamic range is coded, by the numbers of ITU-T H.273."""

    primaries: int
    transfer: int


def high_range_of(data: bytes, format: str, icc_profile: bytes | None) -> HighRange | None:
    """Return how a file's picture is coded; None where it is of the usual range.

    Of a file with a gain map, such as Ultra HDR's, the base picture is shown, which is of the usual range.
    """
    if format == "PNG":
        codes = _png_codes(data)
    elif format in ("HEIC", "AVIF"):
        codes = _box_codes(data)
    else:
        codes = []
    codes = codes or _profile_codes(icc_profile or b"")
    if codes and all(code.transfer in (_PQ, _HLG) for code in codes):
        return codes[0]
    return None


def _png_codes(data: bytes) -> list[HighRange]:
    at = data.find(b"cICP", 8, max(data.find(b"IDAT"), 8))
    return [HighRange(data[at + 4], data[at + 5])] if 0 <= at < len(data) - 6 else []


def _box_codes(data: bytes) -> list[HighRange]:
    """Return what the colour boxes of a HEIF's items say: the main picture's, and perhaps that of a gain map."""
    at = data.find(b"meta", 0, 4096)
    if at < 4:
        return []
    meta = data[at : at - 4 + int.from_bytes(data[at - 4 : at], "big")]
    found = []
    start = meta.find(b"colrnclx")
    while 0 <= start <= len(meta) - 12:
        primaries, transfer = (int.from_bytes(meta[start + 8 + k : start + 10 + k], "big") for k in (0, 2))
        found.append(HighRange(primaries, transfer))
        start = meta.find(b"colrnclx", start + 8)
    return found


def _profile_codes(profile: bytes) -> list[HighRange]:
    """Return what an ICC profile's cicp tag says."""
    for number in range(min(int.from_bytes(profile[128:132], "big"), 100)):
        entry = profile[132 + 12 * number : 144 + 12 * number]
        at = int.from_bytes(entry[4:8], "big")
        if entry[:4] == b"cicp" and at + 12 <= len(profile):
            return [HighRange(profile[at + 8], profile[at + 9])]
    return []


def tone_mapping(image: Image.Image, coding: HighRange) -> Callable[[Image.Image], Image.Image]:
    """Return what maps a picture, or any band of it, to sRGB.

    Args:
        image: The whole picture, of mode RGB or RGBA.
        coding: How it is coded.
    """
    linear = _linear_levels(coding.transfer)
    matrix = np.array(_TO_BT709.get(coding.primaries, np.eye(3)), dtype=np.float32)
    encoded = _srgb_levels()
    sample = image.resize((min(_SAMPLE, image.width), min(_SAMPLE, image.height)), Image.Resampling.NEAREST)
    brightest = _light(np.asarray(sample)[:, :, :3], linear, matrix, coding.transfer).max(axis=2)
    curve = _curve(float(np.percentile(brightest, _PEAK_PERCENTILE)))

    def apply(band: Image.Image) -> Image.Image:
        pixels = np.array(band)
        rows = max(1, _ROWS_PIXELS // band.width)
        for top in range(0, band.height, rows):
            part = pixels[top : top + rows, :, :3]
            light = _light(part, linear, matrix, coding.transfer)
            highest = light.max(axis=2, keepdims=True)
            light *= curve(highest) / np.maximum(highest, 1e-6)
            np.sqrt(light.clip(0, 1, out=light), out=light)
            part[:] = encoded[(light * (_LEVELS - 1)).astype(np.int16)]
        return Image.fromarray(pixels, band.mode)

    return apply


def _light(pixels: NDArray[np.uint8], linear: Floats, matrix: Floats, transfer: int) -> Floats:
    """Return linear light of BT.709's primaries, 1 being paper white."""
    light = linear[pixels]
    if transfer == _HLG:
        # The scene's light to the display's: BT.2100's gamma of 1.2 for a display of 1,000 nits.
        luminance = light @ np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
        light *= np.power(np.maximum(luminance, 1e-6), 0.2)[:, :, None] * (_HLG_PEAK_NITS / _WHITE_NITS)
    shown: Floats = np.maximum(light @ matrix.T, 0)
    return shown


def _linear_levels(transfer: int) -> Floats:
    """Return the light of each of 256 levels: PQ's of the display, HLG's of the scene (ITU-R BT.2100)."""
    levels = np.arange(256) / 255
    if transfer == _PQ:
        root = levels ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        return (light * (10_000 / _WHITE_NITS)).astype(np.float32)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - c) / a) + b) / 12).astype(np.float32)


def _srgb_levels() -> NDArray[np.uint8]:
    """Return sRGB's level for the square root of a linear one."""
    linear = (np.arange(_LEVELS) / (_LEVELS - 1)) ** 2
    curved = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (curved * 255).round().astype(np.uint8)


def _curve(peak: float) -> Callable[[Floats], Floats]:
    """Return the tone curve: as it is up to the knee, and from there on logarithmic, so that the peak becomes white."""
    if peak <= 1:
        return lambda light: np.minimum(light, 1)
    ratio = (peak - _KNEE) / (1 - _KNEE)
    low, high = 1e-6, 1e6
    for _ in range(60):
        # The bend for which the curve has no corner at the knee.
        bend = math.sqrt(low * high)
        low, high = (bend, high) if bend / math.log1p(bend) < ratio else (low, bend)

    def compress(light: Floats) -> Floats:
        beyond = np.clip((light - _KNEE) / (peak - _KNEE), 0, 1)
        return np.where(light <= _KNEE, light, _KNEE + (1 - _KNEE) * np.log1p(bend * beyond) / math.log1p(bend))

    return compress
