"""Makes files that libraries read wrongly or not at all: TIFFs of any sample, Photoshop's, cameras' raw files, HDR."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[Any]
CORNERS = ((220, 40, 40), (40, 160, 60), (40, 60, 200), (240, 210, 40))
"""The colours of the top left, top right, bottom left and bottom right corners of `marked`."""
_FORMS = {"u": 1, "i": 2, "f": 3}


def marked(size: tuple[int, int] = (120, 80)) -> Image.Image:
    """Return a picture with a colour in each corner, black, white, and something between them."""
    width, height = size
    ramp = np.linspace(0, 255, width, dtype=np.uint8)[None].repeat(height, 0)
    pixels = np.dstack([ramp, ramp[:, ::-1], np.full_like(ramp, 99)])
    side = min(size) // 4
    pixels[:side, :side], pixels[:side, -side:], pixels[-side:, :side], pixels[-side:, -side:] = CORNERS
    middle = slice(height // 2, height // 2 + 4)
    pixels[middle, : width // 4], pixels[middle, -width // 4 :] = 0, 255
    return Image.fromarray(pixels)


def corners(image: Image.Image) -> Pixels:
    """Return the four colours in the corners of a picture: (4, 3)."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    margin = max(1, min(image.size) // 8)
    return np.array([pixels[y, x] for y in (margin, -margin) for x in (margin, -margin)])


def samples(picture: Image.Image, kind: str) -> Pixels:
    """Return a picture's values as numpy's type, over the type's whole range: floats from 0 to 1."""
    values, dtype = np.asarray(picture), np.dtype(kind)
    if dtype.kind == "f":
        return (values.astype(np.float64) / 255).astype(dtype)
    if dtype.kind == "u":
        return values.astype(dtype) * dtype.type((2 ** (8 * dtype.itemsize) - 1) // 255)
    return ((values.astype(np.int64) - 128) << (8 * dtype.itemsize - 8)).astype(dtype)


def page(
    pixels: Pixels, photometric: int, *, planar: bool = False, zipped: bool = False, predictor: int = 1,
    tile: int | None = None, order: str = "<", tags: Mapping[int, Any] | None = None,
) -> dict[int, Any]:  # fmt: skip
    """Return a TIFF's page: its tags, and under 0 its strips or tiles.

    Args:
        pixels: (height, width) or (height, width, samples).
        photometric: 0 and 1 for grey, 2 for colours.
        planar: Each sample in a plane of its own.
        zipped: Compressed.
        predictor: 2 for differences of integers, 3 for those of floating point numbers.
        tile: A tile's side, where it has tiles.
        order: "<" or ">".
        tags: More of them.
    """
    stacked = pixels if pixels.ndim == 3 else pixels[:, :, None]
    height, width, count = stacked.shape
    size = stacked.dtype.itemsize
    planes = [stacked[:, :, each : each + 1] for each in range(count)] if planar else [stacked]
    parts: list[bytes] = []
    for plane in planes:
        side = tile or width
        for top in range(0, height, tile or max(1, height // 7)):
            for left in range(0, width, side):
                part = plane[top : top + (tile or max(1, height // 7)), left : left + side]
                if tile:
                    part = np.pad(part, ((0, tile - part.shape[0]), (0, tile - part.shape[1]), (0, 0)))
                parts.append(_packed(part, predictor, order, zipped))
    found = {
        256: width, 257: height, 258: [8 * size] * count, 259: 8 if zipped else 1, 262: photometric, 277: count,
        284: 2 if planar else 1, 317: predictor, 339: [_FORMS[stacked.dtype.kind]] * count, 0: parts,
    }  # fmt: skip
    found |= {322: tile, 323: tile} if tile else {278: max(1, height // 7)}
    return found | dict(tags or {})


def _packed(part: Pixels, predictor: int, order: str, zipped: bool) -> bytes:
    size = part.dtype.itemsize
    if predictor == 2:
        unsigned = np.ascontiguousarray(part).view(f"u{size}")
        part = np.diff(unsigned, axis=1, prepend=unsigned[:, :1] * 0).astype(unsigned.dtype)
    if predictor == 3:
        rows, _, count = part.shape
        spread = np.ascontiguousarray(part.astype(part.dtype.newbyteorder(">"))).view(np.uint8).reshape(rows, -1, size)
        spread = spread.swapaxes(1, 2).reshape(rows, -1, count)
        part = np.diff(spread, axis=1, prepend=spread[:, :1] * 0)
    data = part.astype(part.dtype.newbyteorder(order)).tobytes()
    return zlib.compress(data) if zipped else data


def tiff(*pages: dict[int, Any], order: str = "<", below: Sequence[dict[int, Any]] = ()) -> bytes:
    """Return a TIFF's bytes.

    Args:
        pages: In their order, as `page` gives them.
        order: "<" or ">".
        below: Pages that the first one refers to.
    """
    out = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    links = [4]

    def write(tags: dict[int, Any]) -> int:
        tags = dict(tags)
        places = [(_append(out, part), len(part)) for part in tags.pop(0)]
        offsets, lengths = (324, 325) if 322 in tags else (273, 279)
        tags[offsets], tags[lengths] = [place for place, _ in places], [length for _, length in places]
        entries = b""
        for tag, value in sorted(tags.items()):
            kind, number, data = _field(value, order)
            if len(data) > 4:
                data = struct.pack(order + "L", _append(out, data))
            entries += struct.pack(order + "HHL", tag, kind, number) + data.ljust(4, b"\0")
        return _append(out, struct.pack(order + "H", len(tags)) + entries + bytes(4))

    under = [write(each) for each in below]
    for number, tags in enumerate(pages):
        start = write(tags | ({330: under} if under and not number else {}))
        struct.pack_into(order + "L", out, links[-1], start)
        count = struct.unpack_from(order + "H", out, start)[0]
        links.append(start + 2 + 12 * count)
    return bytes(out)


def _append(out: bytearray, data: bytes) -> int:
    out += bytes(len(out) % 2)
    start = len(out)
    out += data
    return start


def _field(value: Any, order: str) -> tuple[int, int, bytes]:
    if isinstance(value, str):
        return 2, len(value) + 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return 1, len(value), value
    numbers = value if isinstance(value, list) else [value]
    if isinstance(numbers[0], float):
        pairs = [part for number in numbers for part in (round(number * 10_000), 10_000)]
        return 10, len(numbers), struct.pack(f"{order}{len(pairs)}l", *pairs)
    return 4, len(numbers), struct.pack(f"{order}{len(numbers)}L", *numbers)


def raw_file(picture: Image.Image, turn: int = 1, preview: dict[int, Any] | None = None) -> bytes:
    """Return a DNG: a sensor's values, perhaps with a preview as its first page."""
    light = (np.asarray(picture).astype(np.float64) / 255) ** 2.2 * 4000
    sensor = light[:, :, 1].copy()
    sensor[::2, ::2], sensor[1::2, 1::2] = light[::2, ::2, 0], light[1::2, 1::2, 2]
    camera: dict[int, Any] = {
        271: "Sightline", 272: "Tester", 274: turn, 50706: bytes([1, 4, 0, 0]), 50708: "Sightline Tester",
        50721: [3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570], 50728: [1.0, 1.0, 1.0],
    }  # fmt: skip
    mosaic: dict[int, Any] = {254: 0, 33421: [2, 2], 33422: bytes([0, 1, 1, 2]), 50714: 0, 50717: 4000}
    raw = page(sensor.astype(np.uint16), 32803, tags=mosaic)
    if preview is None:
        return tiff(raw | camera)
    return tiff(preview | {254: 1} | camera, below=[raw])


def psd(pixels: Pixels, mode: int = 3, flat: bool = True) -> bytes:
    """Return a Photoshop file with a flat picture and no layers."""
    stacked = pixels if pixels.ndim == 3 else pixels[:, :, None]
    height, width, channels = stacked.shape
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, channels, height, width, 8 * stacked.dtype.itemsize, mode)
    version = b"8BIM" + struct.pack(">H2xIIBx", 1057, 6, 1, flat)
    planes = np.moveaxis(stacked, 2, 0).astype(stacked.dtype.newbyteorder(">"))
    return head + struct.pack(">II", 0, len(version)) + version + struct.pack(">IH", 0, 0) + planes.tobytes()


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """Return a PNG's chunk, perhaps with a wrong checksum."""
    right = zlib.crc32(name + body)
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", right if checksum is None else checksum)


def with_chunk(png: bytes, extra: bytes) -> bytes:
    """Return a PNG with another chunk after its header."""
    return png[:33] + extra + png[33:]


def high_range(size: tuple[int, int] = (120, 80), transfer: int = 16) -> Pixels:
    """Return a picture in PQ (16) or HLG (18) and BT.2020: (height, width, 3) uint16.

    Its corners are `CORNERS` of paper white; in the middle there is a light four times as bright.
    """
    values = np.asarray(marked(size)) / 255
    light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    light[size[1] // 3 : size[1] // 2, size[0] // 3 : size[0] // 2] = 4
    to_709 = np.array([[1.660491, -0.587641, -0.07285], [-0.12455, 1.1329, -0.008349], [-0.018151, -0.100579, 1.11873]])
    light = np.clip(light @ np.linalg.inv(to_709).T, 0, None) * 203
    if transfer == 16:
        power = (light / 10_000) ** 0.1593017578125
        coded = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    else:
        light = light / 1000
        luminance = np.maximum(light @ np.array([0.2627, 0.678, 0.0593]), 1e-9)[..., None]
        scene = np.clip(light * luminance ** (-0.2 / 1.2), 0, 1)
        high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        coded = np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)
    return (coded.clip(0, 1) * 65535).round().astype(np.uint16)


def high_range_png(size: tuple[int, int] = (120, 80), transfer: int = 16) -> bytes:
    """Return a PNG of 16 bits in PQ or HLG."""
    coded = high_range(size, transfer).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in coded)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 16, 2, 0, 0, 0)) + chunk(b"cICP", bytes([9, transfer, 0, 1]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
