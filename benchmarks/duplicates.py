"""How well changed copies of pictures are found: `make duplicates IMAGES=FOLDER`.

Of some pictures changed copies are made. Each is looked for as a worker does it: the nearest pictures by their visual
vectors are compared with it. What else is taken for a copy counts as wrong, though some pictures of the collection may
be copies of each other: these pairs are drawn, to be looked at. Beside that, what one threshold for the visual vectors
finds, and one for each of two perceptual hashes (turned in eight ways), if 98 % of what it finds should be right.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from sightline_encoder.models import Model
from sightline_ingest_worker.worker.grouping import CANDIDATES
from sightline_pictures import preprocess, thumbnail
from sightline_pictures.near_copies import Sketch, compare

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection, Vectors
from benchmarks.harness.variants import CHANGES

VARIED = 40
"""Pictures of which changed copies are made."""
PRECISION = 0.98
SEED = 7
MOST_DRAWN = 70
_DRAWN_SIDE = 130
Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Shown:
    """A picture: its thumbnail, WebP, and its visual vector, (d,)."""

    thumbnail: bytes
    vector: Vectors

    @cached_property
    def sketch(self) -> Sketch:
        """What is compared of it."""
        sketch = Sketch.of(self.thumbnail)
        assert sketch is not None
        return sketch


@dataclass(frozen=True)
class Trial:
    """A changed copy that was looked for.

    Attributes:
        change: How it was changed.
        is_candidate: Whether its picture was among those that were compared.
        is_found: Whether it was taken for a copy of it.
        wrong: The numbers of other pictures that it was taken for copies of.
        scores: For it and its picture: how alike they are by the visual vectors, and by each hash.
        other_scores: Likewise for the nearest other pictures, (n, 3).
        seconds: Of the processor, for all of it, the thumbnails' decoding too.
    """

    change: str
    is_candidate: bool
    is_found: bool
    wrong: list[int]
    scores: tuple[float, float, float]
    other_scores: NDArray[np.float64]
    seconds: float


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("duplicates", __doc__).images)
    model = pictures.load()
    keys, shown = show(model, found)
    vectors = np.stack([one.vector for one in shown])
    joined = joined_pairs(shown, vectors)
    random = np.random.default_rng(SEED)
    trials: list[Trial] = []
    for number in sorted(random.permutation(len(keys))[:VARIED].tolist()):
        trials += trials_of(model, found, keys[number], number, shown, vectors, joined)
    names = list(CHANGES)
    recalls = {name: float(np.mean([one.is_found for one in trials if one.change == name])) for name in names}
    wrong = sum(len(one.wrong) for one in trials)
    right = sum(one.is_found for one in trials)
    rows = []
    baselines = [threshold(trials, method) for method in range(3)]
    for name in names:
        of_change = [one for one in trials if one.change == name]
        candidates = np.mean([one.is_candidate for one in of_change])
        others = [np.mean([one.scores[method] >= baselines[method][0] for one in of_change]) for method in range(3)]
        rows.append([name, recalls[name], candidates, *others])
    results.show(["change", "found", "was a candidate", "visual vector", "difference hash", "frequency hash"], rows)
    results.show(["taken for copies"], [[f"{keys[one]} {keys[other]}"] for one, other in joined])
    draw_pairs(f"duplicates-{found.name}", shown, joined)
    milliseconds = 1000 * np.array([one.seconds for one in trials])
    figures = {
        "recall": right / len(trials),
        "precision_of_changed": right / (right + wrong),
        "precision_at_least": right / (right + wrong + len(joined)),
        "pairs_joined": len(joined),
        "of_visual_vectors": baselines[0][1],
        "of_difference_hash": baselines[1][1],
        "of_frequency_hash": baselines[2][1],
        "milliseconds_p50": np.percentile(milliseconds, 50),
        "milliseconds_p95": np.percentile(milliseconds, 95),
        **recalls,
    }
    results.write(
        f"duplicates-{found.name}",
        settings={"images": str(found.folder), "pictures": len(keys), "varied": VARIED, "candidates": CANDIDATES},
        figures=figures,
    )


def show(model: Model, found: Collection) -> tuple[list[str], list[Shown]]:
    """Return the keys of the pictures that decode, and the pictures."""
    keys, rows = pictures.embed_with(model, found, visual=True)
    visual = visual_of(model, rows)
    return keys, [Shown(thumbnail(_opened(found, key)), vector) for key, vector in zip(keys, visual, strict=True)]


def visual_of(model: Model, rows: Vectors) -> Vectors:
    """Return the visual vectors of rows, (n, d), of length one."""
    visual = rows[:, model.dimensions :] if rows.shape[1] > model.dimensions else rows
    return np.asarray(visual / np.linalg.norm(visual, axis=1, keepdims=True), np.float32)


def _opened(found: Collection, key: str) -> Image.Image:
    return Image.Image.convert(pictures.opened(found.read(key)), "RGB")


def joined_pairs(shown: Sequence[Shown], vectors: Vectors) -> list[tuple[int, int]]:
    """Return the pairs of a collection's own pictures that are taken for copies."""
    found = set()
    for number, one in enumerate(shown):
        order = np.argsort(-(vectors @ one.vector))
        for other in islice((int(place) for place in order if place != number), CANDIDATES):
            pair = (min(number, other), max(number, other))
            if pair not in found and compare(one.sketch, shown[other].sketch).is_near_copy:
                found.add(pair)
    return sorted(found)


def trials_of(
    model: Model,
    found: Collection,
    key: str,
    number: int,
    shown: Sequence[Shown],
    vectors: Vectors,
    joined: Sequence[tuple[int, int]],
) -> list[Trial]:
    """Look for changed copies of a picture."""
    image = _opened(found, key)
    changed = [change(image) for change in CHANGES.values()]
    rows = model.encode_pixels([preprocess(one, model.preprocessing) for one in changed], visual=True)
    copies = {number, *(one if other == number else other for one, other in joined if number in (one, other))}
    trials = []
    for name, one, vector in zip(CHANGES, changed, visual_of(model, rows), strict=True):
        webp = thumbnail(one)
        similarities = vectors @ vector
        nearest = np.argsort(-similarities)[:CANDIDATES].tolist()
        began = time.thread_time()
        sketch = Sketch.of(webp)
        assert sketch is not None
        found_copies = [place for place in nearest if compare(sketch, _sketch(shown[place])).is_near_copy]
        seconds = time.thread_time() - began
        others = [place for place in nearest if place not in copies]
        scores = [(float(similarities[place]), *_alike(sketch, shown[place].sketch)) for place in (number, *others)]
        trials.append(
            Trial(
                name,
                number in nearest,
                number in found_copies,
                [place for place in found_copies if place not in copies],
                scores[0],
                np.array(scores[1:]).reshape(-1, 3),
                seconds,
            )
        )
    return trials


def _sketch(one: Shown) -> Sketch:
    sketch = Sketch.of(one.thumbnail)
    assert sketch is not None
    return sketch


def _alike(one: Sketch, other: Sketch) -> tuple[float, float]:
    """Return which shares of two hashes' bits two pictures have in common, turned as fits best."""
    ways = [np.rot90(side, turn) for side in (one.grey, one.grey[:, ::-1]) for turn in range(4)]
    hashes = (difference_hash, frequency_hash)
    return tuple(max(float((of(way) == of(other.grey)).mean()) for way in ways) for of in hashes)  # type: ignore[return-value]


def difference_hash(grey: NDArray[np.uint8]) -> Bits:
    """Return 64 bits: whether each of 8 x 8 places is brighter than the next one."""
    small = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((9, 8), Image.Resampling.BOX), np.int16)
    return np.asarray(small[:, 1:] > small[:, :-1])


def frequency_hash(grey: NDArray[np.uint8]) -> Bits:
    """Return 64 bits: whether each of the 8 x 8 lowest frequencies is above their median."""
    small = np.asarray(Image.fromarray(np.ascontiguousarray(grey)).resize((32, 32), Image.Resampling.BOX), np.float64)
    lowest = dctn(small)[:8, :8]
    return np.asarray(lowest > np.median(lowest))


def threshold(trials: Sequence[Trial], method: int) -> tuple[float, float]:
    """Return the lowest threshold from which on enough of what a method finds is right, and the recall there."""
    right = np.array([one.scores[method] for one in trials])
    wrong = np.concatenate([one.other_scores[:, method] for one in trials])
    for cut in np.unique(right):
        found, false = int((right >= cut).sum()), int((wrong >= cut).sum())
        if found >= PRECISION * (found + false):
            return float(cut), found / len(right)
    return float("inf"), 0.0


def draw_pairs(target: str, shown: Sequence[Shown], pairs: Sequence[tuple[int, int]]) -> None:
    """Draw some pairs side by side, to be looked at."""
    if not pairs:
        return
    drawn = pairs[:: -(-len(pairs) // MOST_DRAWN)]
    with results.picture(target, f"{len(drawn)} of {len(pairs)} pairs taken for copies", height=9, grid=None) as axes:
        sheet = np.full((10 * _DRAWN_SIDE, 7 * 2 * _DRAWN_SIDE, 3), 255, np.uint8)
        for place, pair in enumerate(drawn):
            for side, number in enumerate(pair):
                grey = np.repeat(shown[number].sketch.grey[..., None], 3, axis=-1)
                top, left = place // 7 * _DRAWN_SIDE, (place % 7 * 2 + side) * _DRAWN_SIDE
                sheet[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
        axes.imshow(sheet)


if __name__ == "__main__":
    main()
