from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from sightline.encoder.v1 import encoder_pb2
from sightline_pictures import Preprocessing, preprocess
from sightline_pictures.proto import from_proto, to_proto
from timm.data import create_transform

WHITE = (255, 255, 255)
EMBEDDED = Preprocessing("shortest", 292, 260, 260, pad_color=WHITE)
SIZES = [
    (300, 200),
    (200, 300),
    (1000, 750),
    (750, 1001),
    (40, 31),
    (3000, 10),
    (10, 900),
    (1201, 7),
    (1, 1500),
    (301, 202),
    (1, 1),
    (260, 260),
    (292, 292),
]


def picture(width: int, height: int) -> Image.Image:
    """Return a picture with edges, gradients and a little noise."""
    rng = np.random.default_rng(width * 10_007 + height)
    coarse = rng.integers(0, 256, (max(1, height // 9), max(1, width // 9), 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    pixels[height // 3 : height // 2] = 255 - pixels[height // 3 : height // 2]
    return Image.fromarray((pixels + rng.integers(-6, 6, pixels.shape)).clip(0, 255).astype(np.uint8))


def on_square(image: Image.Image) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), WHITE)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def assert_same(ours: np.ndarray, theirs: np.ndarray, shape: tuple[int, int] = (1, 1), *, share: float = 0.01) -> None:
    assert ours.shape == theirs.shape
    assert ours.dtype == np.uint8
    assert ours.flags.c_contiguous
    assert ours.flags.writeable
    distance = np.abs(ours.astype(int) - theirs)
    # Of a picture more than sixteen times as long as wide, Pillow may do its two passes in the other order.
    strip = max(shape) > 16 * min(shape)
    assert distance.max() <= (3 if strip else 1)
    assert (distance > 0).mean() < (0.3 if strip else share)


@pytest.mark.parametrize("size", SIZES)
def test_padding_to_a_square_gives_the_pixels_of_timms_evaluation_transform(size):
    image = picture(*size)
    timm = create_transform((3, 260, 260), crop_pct=0.89, interpolation="bicubic", use_prefetcher=True)
    theirs = np.asarray(timm(on_square(image))).transpose(1, 2, 0)
    assert_same(preprocess(image, EMBEDDED), theirs)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear", "lanczos"])
@pytest.mark.parametrize(
    ("mode", "resize_size", "crop"),
    [("shortest", 292, (260, 260)), ("longest", 224, (200, 230)), ("squash", 0, (64, 90)), ("shortest", 40, (60, 60))],
)
def test_padding_gives_the_pixels_of_a_square_that_is_really_there(mode, resize_size, crop, interpolation, size):
    image = picture(*size)
    steps = Preprocessing(mode, resize_size, *crop, pad_color=WHITE, interpolation=interpolation, fill_color=(1, 2, 3))
    assert_same(
        preprocess(image, steps), preprocess(on_square(image), replace(steps, pad_color=None)), size, share=0.05
    )


def test_rows_before_columns_round_otherwise_and_no_more():
    image = picture(60, 8_000)
    ours = preprocess(image, EMBEDDED).astype(int)
    theirs = preprocess(on_square(image), replace(EMBEDDED, pad_color=None))
    assert np.abs(ours - theirs).max() <= 3
    assert (ours != theirs).mean() < 0.02


@pytest.mark.parametrize("size", [(65_535, 1), (1, 65_535), (20_000, 3), (790, 36_861)])
def test_what_a_narrow_picture_becomes_is_seen_in_the_middle(size):
    pixels = preprocess(Image.new("RGB", size, (200, 0, 0)), EMBEDDED)
    middle = pixels[130] if size[0] > size[1] else pixels[:, 130]
    # It covers a fraction of a pixel, or some: the more of it there is, the less white is left.
    share = min(size) * 292 / max(size)
    assert abs(int(middle[130, 1]) - max(0, 255 - round(255 * share))) < 60
    assert (pixels[:100] if size[0] > size[1] else pixels[:, :100]).min() == 255


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_the_pixels_are_those_of_open_clips_transform(mode, interpolation, size):
    image = picture(*size)
    if mode == "longest" and min(size) * 224 < max(size):
        pytest.skip("open_clip rounds the shorter side to 0 and fails")
    config = PreprocessCfg(size=224, resize_mode=mode, interpolation=interpolation, fill_color=127)
    *steps, _tensor, _normalize = image_transform_v2(config, is_train=False).transforms
    theirs = image
    for step in steps:
        theirs = step(theirs)
    ours = preprocess(
        image, Preprocessing(mode, 224, 224, 224, interpolation=interpolation, fill_color=(127, 127, 127))
    )
    if mode == "longest" and theirs.size != (224, 224):
        pytest.skip("open_clip's own rounding gives another size")
    assert_same(ours, np.asarray(theirs), size)


def test_a_crop_need_not_be_square():
    image = picture(500, 300)
    ours = preprocess(image, Preprocessing("shortest", 200, 160, 120))
    whole = image.resize((333, 200), Image.Resampling.BICUBIC)
    assert_same(ours, np.asarray(whole.crop((86, 40, 86 + 160, 40 + 120))))


def test_a_crop_larger_than_the_picture_is_filled():
    ours = preprocess(picture(100, 100), Preprocessing("shortest", 10, 20, 14, fill_color=(1, 2, 3)))
    assert ours.shape == (14, 20, 3)
    assert (ours[:2] == (1, 2, 3)).all()
    assert (ours[:, :5] == (1, 2, 3)).all()
    assert (ours[2:12, 5:15] != (1, 2, 3)).any()


@pytest.mark.parametrize("size", [(60_000, 1), (1, 60_000)])
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_a_very_long_picture_costs_little_and_does_not_fail(mode, size):
    assert preprocess(Image.new("RGB", size), Preprocessing(mode, 224, 224, 224)).shape == (224, 224, 3)


def test_a_picture_of_another_mode_is_taken_as_rgb():
    grey = picture(50, 40).convert("L")
    assert np.array_equal(preprocess(grey, EMBEDDED), preprocess(grey.convert("RGB"), EMBEDDED))


@pytest.mark.parametrize(
    "preprocessing",
    [
        EMBEDDED,
        Preprocessing("longest", 384, 384, 336, interpolation="bilinear", fill_color=(1, 2, 3)),
        Preprocessing("squash", 0, 224, 224, interpolation="lanczos", pad_color=(0, 0, 0)),
        Preprocessing("shortest", 1, 1, 1, interpolation="nearest"),
    ],
)
def test_the_message_says_the_same(preprocessing):
    message = encoder_pb2.Preprocessing.FromString(to_proto(preprocessing).SerializeToString())
    assert from_proto(message) == preprocessing


def test_an_unspecified_message_is_refused():
    with pytest.raises(ValueError, match="not known"):
        from_proto(encoder_pb2.Preprocessing(resize_size=224, crop_width=224, crop_height=224))
    message = to_proto(EMBEDDED)
    message.crop_width = 0
    with pytest.raises(ValueError, match="at least 1"):
        from_proto(message)


@pytest.mark.parametrize("changes", [{"resize_mode": "crop"}, {"interpolation": "area"}, {"resize_size": 0}])
def test_nonsense_is_refused(changes):
    with pytest.raises(ValueError, match=r"resize_mode|interpolation|at least 1"):
        Preprocessing(**{"resize_mode": "shortest", "resize_size": 1, "crop_width": 1, "crop_height": 1, **changes})
