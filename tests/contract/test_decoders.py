"""Decoder processes, and the fake that decodes at once: one suite over both."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fakes import PREPROCESSING, FakeDecoderPool
from PIL import Image
from sightline_pictures import PictureError, PictureSettings
from sightline_pictures.decoder_pool import DecoderPool, Patience
from sightline_pictures.rendering import check_format, render_preview, render_thumbnail, render_thumbnail_and_input

LIMITS = PictureSettings()
WAIT_SECONDS = 60


@pytest.fixture(params=["fake", "real"])
def decoders(request):
    made = FakeDecoderPool() if request.param == "fake" else DecoderPool(1, 60, callers=1)
    yield made
    made.close()


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((900, 600)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("work", [check_format, render_thumbnail, render_preview])
def test_a_file_is_read_and_rendered(decoders, work):
    data, rendered = decoders.run(work, Patience(WAIT_SECONDS), jpeg, LIMITS)
    assert data == jpeg()
    assert rendered == work(jpeg(), LIMITS)


def test_a_file_becomes_thumbnail_and_pixels(decoders):
    _, (webp, pixels) = decoders.run(render_thumbnail_and_input, Patience(WAIT_SECONDS), jpeg, LIMITS, PREPROCESSING)
    assert webp == render_thumbnail(jpeg(), LIMITS)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (PREPROCESSING.crop_height, PREPROCESSING.crop_width, 3)


def test_what_is_no_image_is_refused(decoders):
    with pytest.raises(PictureError, match="looks like text"):
        decoders.run(check_format, Patience(WAIT_SECONDS), lambda: b"no image at all", LIMITS)


def test_an_error_of_reading_is_passed_on_and_frees_the_decoder(decoders):
    def missing() -> bytes:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        decoders.run(check_format, Patience(WAIT_SECONDS), missing, LIMITS)
    assert decoders.run(check_format, Patience(WAIT_SECONDS), jpeg, LIMITS)[1] == "JPEG"
