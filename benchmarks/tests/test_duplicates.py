from __future__ import annotations

import numpy as np
import pytest
from drawn_scenes import draw_scene
from PIL import Image

from benchmarks.duplicates import Trial, difference_hash, frequency_hash, threshold
from benchmarks.harness.variants import CHANGES


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("size", [(320, 240), (7, 300), (1, 1)])
def test_every_picture_can_be_changed_and_stays_in_colour(change, size):
    changed = change(draw_scene(1, size))
    assert changed.mode == "RGB"
    assert min(changed.size) >= 1


@pytest.mark.parametrize("hash_of", [difference_hash, frequency_hash])
def test_hashes_know_a_smaller_picture_and_no_other(hash_of):
    first, other = (np.asarray(draw_scene(seed).convert("L")) for seed in (1, 2))
    smaller = np.asarray(Image.fromarray(first).resize((160, 120)))
    assert (hash_of(first) == hash_of(smaller)).mean() > 0.9
    assert (hash_of(first) == hash_of(other)).mean() < 0.8


def trial(score, *others):
    others = np.array([(one,) * 3 for one in others]).reshape(-1, 3)
    return Trial("crop", True, True, [], (score,) * 3, others, 0.0)


def test_a_threshold_finds_as_much_as_may_be_found():
    right = [trial(0.9)] * 99
    assert threshold([*right, trial(0.6, 0.5)], 0) == (0.6, 1.0)
    assert threshold([*right, trial(0.6, *[0.7] * 9)], 0) == (0.9, 0.99)
    assert threshold([trial(0.1, 0.9)], 0) == (float("inf"), 0.0)
