"""Which pictures are one."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from drawn_scenes import draw_scene, file_of
from PIL import Image, ImageDraw, ImageOps
from sightline_pictures import thumbnail
from sightline_pictures.near_copies import Sketch, compare


def sketch(image):
    return Sketch.of(thumbnail(image))


def written_on(image):
    image = image.copy()
    ImageDraw.Draw(image).text((20, 200), "A LOVELY DAY", fill="white", stroke_fill="black", stroke_width=2)
    return image


def tinted(image):
    channels = zip(image.split(), (1.1, 1.0, 0.8), strict=True)
    return Image.merge("RGB", [channel.point(lambda level, by=by: round(level * by)) for channel, by in channels])


CHANGES = {
    "compressed": lambda image: Image.open(BytesIO(file_of(image, quality=40))),
    "smaller": lambda image: image.resize((image.width // 2, image.height // 2)),
    "cropped": lambda image: image.crop((10, 20, image.width - 22, image.height - 4)),
    "cropped at a corner": lambda image: image.crop((0, 0, image.width * 9 // 10, image.height * 9 // 10)),
    "tinted": tinted,
    "grey": lambda image: image.convert("L").convert("RGB"),
    "written on": written_on,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "upside down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "turned a little": lambda image: image.rotate(3, Image.Resampling.BICUBIC, fillcolor="white"),
    "mirrored": ImageOps.mirror,
    "framed": lambda image: ImageOps.expand(image, 16, "white"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_changed_picture_is_the_same_picture(change, seed):
    image = draw_scene(seed)
    one, other = sketch(image), sketch(change(image).convert("RGB"))
    assert compare(one, other).is_near_copy
    assert compare(other, one).is_near_copy


@pytest.mark.parametrize("seed", range(10, 20))
def test_two_pictures_are_two(seed):
    assert not compare(sketch(draw_scene(seed)), sketch(draw_scene(seed + 100))).is_near_copy


def test_the_same_drawing_in_other_colours_is_another_picture():
    flags = [Image.new("RGB", (320, 240), "white") for _ in range(2)]
    for flag, colour in zip(flags, ("red", "green"), strict=True):
        draw = ImageDraw.Draw(flag)
        draw.rectangle((60, 30, 280, 150), fill=colour)
        for place in range(70, 270, 25):
            draw.line((place, 40, place + 10, 140), fill="black", width=4)
        draw.rectangle((40, 20, 60, 230), fill="black")
    assert not compare(*map(sketch, flags)).is_near_copy


@pytest.mark.parametrize("size", [(320, 240), (1, 1), (2000, 3), (5, 900)])
def test_empty_and_narrow_pictures_have_no_copies(size):
    plain = sketch(Image.new("RGB", size, "white"))
    assert not compare(plain, sketch(Image.new("RGB", size, "grey"))).is_near_copy
    assert not compare(plain, sketch(draw_scene(1))).is_near_copy


def test_noise_warns_of_nothing():
    noise = np.random.default_rng(1).integers(0, 256, (2, 96, 96, 3), np.uint8)
    one, other = (Sketch.of_picture(Image.fromarray(each)) for each in noise)
    assert not compare(one, other).is_near_copy


def test_only_what_lies_elsewhere_is_moved():
    image = draw_scene(3)
    assert not compare(sketch(image), sketch(CHANGES["smaller"](image))).is_moved
    assert not compare(sketch(image), sketch(CHANGES["turned"](image))).is_moved
    assert compare(sketch(image), sketch(CHANGES["cropped"](image))).is_moved


def test_what_is_no_thumbnail_has_no_sketch():
    assert Sketch.of(b"text") is None
    assert Sketch.of(thumbnail(draw_scene(1))[:100]) is None
