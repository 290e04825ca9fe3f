"""How well words find pictures, without a server: `make quality IMAGES=FOLDER COMPARE=MODEL`.

Each folder's name, in lower case with spaces for underscores, is searched for among all pictures; what counts is how
many of the first min(30, size of the folder) are from that folder. Where pictures have captions, each caption is
searched for too, and what counts is whether its picture, or one with an equal caption, is among the first 1, 5 or 10.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_encoder.errors import ModelError
from sightline_encoder.settings import EncoderSettings
from sightline_pictures import PictureError, PictureSettings, open_picture, preprocess

from benchmarks import collection, report
from benchmarks.collection import Collection, chunks

DEPTH = 30
CUTS = (1, 5, 10)
Vectors = NDArray[np.float32]


@dataclass
class Outcome:
    """What one model reaches on one collection."""

    name: str
    settings: dict[str, Any]
    precisions: dict[str, float] = field(default_factory=dict)
    recalls: dict[int, float] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def mean_precision(self) -> float:
        """The mean over classes, large and small alike."""
        return float(np.mean(list(self.precisions.values()))) if self.precisions else float("nan")

    def figures(self, prefix: str = "") -> dict[str, float]:
        """Return the figures by the names that others rely on."""
        found = {f"{prefix}mean_precision_at_{DEPTH}": self.mean_precision} if self.precisions else {}
        return found | {f"{prefix}caption_recall_at_{cut}": value for cut, value in self.recalls.items()}


def encoder_settings(choice: str | None) -> EncoderSettings:
    """Return the settings for a model's id, or for `name=value,...` over the defaults, such as `runtime=torch`."""
    changes: dict[str, Any] = {"cache_dir": collection.MODELS}
    if choice and re.match(r"^(ENCODER_)?[A-Za-z_]+=", choice):
        for pair in choice.split(","):
            name, _, value = pair.partition("=")
            changes[name.removeprefix("ENCODER_").lower()] = value
    elif choice:
        changes["models"] = choice
    return EncoderSettings(**changes)


def embed(model: models.Model, pictures: Collection, settings: EncoderSettings) -> tuple[list[str], Vectors]:
    """Return the keys that decode, and their (n, d) unit vectors in the same order."""
    limits = PictureSettings()

    def prepare(key: str) -> NDArray[np.uint8] | str:
        data = (pictures.folder / key).read_bytes()
        try:
            picture = open_picture(
                data,
                max_bytes=limits.max_bytes,
                max_pixels=limits.max_pixels,
                min_side=model.preprocessing.min_side,
            )
        except PictureError as error:
            return error.reason
        return preprocess(picture.image, model.preprocessing)

    kept: list[str] = []
    vectors: list[Vectors] = []
    with ThreadPoolExecutor(settings.picture_threads) as pool:
        for chunk in chunks(pictures.keys, 4 * settings.max_batch_size):
            ready: list[NDArray[np.uint8]] = []
            for key, pixels in zip(chunk, pool.map(prepare, chunk), strict=True):
                if isinstance(pixels, str):
                    print(f"left out: {key}: {pixels}", file=sys.stderr)
                else:
                    kept.append(key)
                    ready.append(pixels)
            vectors += [model.encode_pixels(batch) for batch in chunks(ready, settings.max_batch_size)]
            print(f"\r{len(kept):,} of {len(pictures.keys):,} pictures", end="", file=sys.stderr)
    print(file=sys.stderr)
    return kept, np.concatenate(vectors)


def measure(pictures: Collection, choice: str | None) -> Outcome:
    """Embed a collection with one model and score it."""
    settings = encoder_settings(choice)
    began = time.monotonic()
    model = models.load(settings.model_ids[0], settings)
    loaded = time.monotonic()
    keys, vectors = embed(model, pictures, settings)
    seconds = time.monotonic() - loaded
    outcome = Outcome(
        name=choice or model.id,
        settings={
            "model": model.id,
            "fingerprint": model.fingerprint,
            "runtime": model.runtime,
            "device": model.device,
            "load_seconds": round(loaded - began, 1),
            "pictures_per_second": round(len(keys) / seconds, 1),
        },
    )
    score_classes(outcome, pictures, keys, vectors, model)
    score_captions(outcome, pictures, keys, vectors, model)
    return outcome


def score_classes(
    outcome: Outcome, pictures: Collection, keys: list[str], vectors: Vectors, model: models.Model
) -> None:
    """Fill in the precision of each class's name."""
    labels = np.array([pictures.label(key) or "" for key in keys])
    sizes = Counter(label for label in labels.tolist() if label)
    names = sorted(sizes)
    for label, ranking in zip(names, rank([query(name) for name in names], vectors, model, DEPTH), strict=True):
        depth = min(DEPTH, sizes[label])
        outcome.precisions[label] = float(np.mean(labels[ranking[:depth]] == label))
    outcome.sizes = {name: sizes[name] for name in names}


def score_captions(
    outcome: Outcome, pictures: Collection, keys: list[str], vectors: Vectors, model: models.Model
) -> None:
    """Fill in how often a caption finds its picture, or one with an equal caption."""
    captions = np.array([pictures.captions.get(key, "") for key in keys])
    asked = [caption for caption in captions.tolist() if caption]
    if not asked:
        return
    found = np.zeros((len(asked), max(CUTS)), bool)
    for row, (caption, ranking) in enumerate(zip(asked, rank(asked, vectors, model, max(CUTS)), strict=True)):
        hits = captions[ranking] == caption
        found[row, : len(hits)] = hits
    outcome.recalls = {cut: float(found[:, :cut].any(axis=1).mean()) for cut in CUTS}


def rank(texts: list[str], vectors: Vectors, model: models.Model, depth: int) -> Iterator[NDArray[np.intp]]:
    """Yield for each text the rows of the nearest pictures, the nearest first."""
    for batch in chunks(texts, 32):
        for similarities in model.encode_texts(batch) @ vectors.T:
            yield np.argsort(-similarities, kind="stable")[:depth]


def query(label: str) -> str:
    """Return what is asked for a folder's name."""
    return label.lower().replace("_", " ")


def show(pictures: Collection, outcomes: list[Outcome]) -> None:
    """Print the table by class, and draw it."""
    first = outcomes[0]
    order = sorted(first.precisions, key=lambda label: -first.precisions[label])
    headers = ["class", "pictures", *(f"p@{DEPTH} {outcome.name}" for outcome in outcomes)]
    rows: list[list[object]] = [
        [label, first.sizes[label], *(outcome.precisions.get(label, float("nan")) for outcome in outcomes)]
        for label in order
    ]
    rows.append(["mean", sum(first.sizes.values()), *(outcome.mean_precision for outcome in outcomes)])
    print(report.table(headers, rows), end="\n\n")
    if first.recalls:
        caption_rows = [[f"recall@{cut}", *(outcome.recalls[cut] for outcome in outcomes)] for cut in CUTS]
        print(f"{len(pictures.captions):,} captions")
        print(report.table(["captions", *(outcome.name for outcome in outcomes)], caption_rows), end="\n\n")
    draw(pictures, outcomes, order)


def draw(pictures: Collection, outcomes: list[Outcome], order: list[str]) -> None:
    """Draw a bar for each class and model."""
    title = f"Precision of the first {DEPTH} for each folder's name: {pictures.name}"
    places = np.arange(len(order))
    thickness = 0.8 / len(outcomes)
    with report.picture(f"quality-{pictures.name}", title, height=max(2.5, 0.22 * len(order) + 1)) as axes:
        for number, outcome in enumerate(outcomes):
            color = report.COLORS[number]
            values = [outcome.precisions.get(label, 0.0) for label in order]
            label = f"{outcome.name}: mean {outcome.mean_precision:.3f}"
            axes.barh(places + number * thickness, values, thickness, color=color, label=label)
            axes.axvline(outcome.mean_precision, color=color, linewidth=1, linestyle=":")
        axes.set_yticks(places + 0.4 - thickness / 2, [query(label) for label in order])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.margins(y=0.01)
        axes.grid(axis="x", color=report.GRID, linewidth=0.5)


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make quality", description=__doc__)
    parser.add_argument("--images", help="a folder whose folders are labels (default: the sample pictures)")
    parser.add_argument("--model", help="a model's id (default: the encoder's own default)")
    parser.add_argument("--compare", help="a second model's id, or settings such as runtime=torch")
    options = parser.parse_args()
    pictures = collection.find(options.images)
    choices = [options.model, *([options.compare] if options.compare else [])]
    try:
        for chosen in map(encoder_settings, choices):
            # A second model that cannot be had is better known before the first is measured.
            models.describe(chosen.model_ids[0], chosen)
        outcomes = [measure(pictures, choice) for choice in choices]
    except (ModelError, ValueError) as error:
        sys.exit(str(error))
    show(pictures, outcomes)
    figures = outcomes[0].figures()
    settings = {"images": str(pictures.folder), "pictures": len(pictures.keys), **outcomes[0].settings}
    if len(outcomes) > 1:
        figures |= outcomes[1].figures("compare_")
        settings["compare"] = outcomes[1].settings
    report.write(
        f"quality-{pictures.name}",
        settings=settings,
        figures=figures,
        classes={outcome.name: outcome.precisions for outcome in outcomes},
    )


if __name__ == "__main__":
    main()
