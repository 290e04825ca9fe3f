"""The page of `make quality`: what an owner of pictures wants to know, with thumbnails of what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sightline_pictures import PictureError

from benchmarks.harness import honesty, pictures, questions
from benchmarks.harness.bootstrap import FEW, Interval, interval
from benchmarks.harness.honesty import Honesty
from benchmarks.harness.outcome import SAID, TELLING, Difference, Input, Outcome
from benchmarks.harness.page import embedded_image, render
from benchmarks.harness.pictures import Collection, query_of
from benchmarks.harness.questions import CUTS, DEPTH, KINDS, Kind

WORST = 8
"""Folders, and captions, that are shown with pictures."""
SHOWN = 8
"""Pictures of each."""
SIDE, QUALITY = 144, 60
"""Of a thumbnail: pixels of the longest side, and WebP's quality."""
FEWEST = 3
"""Pictures of a folder that is shown with them, while there are others: what goes wrong in smaller ones is chance."""
ROWS = 1000
"""Folders in the table of all: of more, the worst."""


class Shown(NamedTuple):
    """A picture on the page.

    Attributes:
        key: Its.
        label: Its folder's name; empty for none.
        is_right: Whether it is of what was asked for.
        rank: Its place among what was found, from 1.
        thumbnail: A data URI; None where it cannot be made.
    """

    key: str
    label: str
    is_right: bool
    rank: int
    thumbnail: str | None


@dataclass(frozen=True)
class Wrong:
    """A question that was answered badly: what came first, and the right pictures that came last."""

    asked: str
    count: int
    precision: float | None
    rank: int
    first: list[Shown]
    last: list[Shown]


class Row(NamedTuple):
    """A folder in the table of all."""

    name: str
    size: int
    precision: float
    recall: float
    average: float
    alike: float | None
    instead: list[tuple[str, int]]


def thumbnail_uri(found: Collection, key: str) -> str | None:
    """Return a small picture as an address that holds it; None where the file cannot be read any more."""
    try:
        image = pictures.opened(found.read(key), SIDE)
    except (OSError, PictureError):
        return None
    image = image.convert("RGB")
    image.thumbnail((SIDE, SIDE))
    out = BytesIO()
    image.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", icc_profile=b"")
    return embedded_image(out.getvalue())


def worst_of(given: Input, outcome: Outcome, kind: Kind) -> list[Wrong]:
    """Return the questions of a kind that were answered worst, the worst first; none that was answered perfectly."""
    answers = outcome.answers.get(kind)
    if answers is None:
        return []
    thumbnail = lru_cache(None)(lambda key: thumbnail_uri(given.found, key))
    labels = given.labels
    precisions = answers.measures.get(f"precision_at_{DEPTH}")
    if precisions is None:
        order = np.argsort(-np.array(answers.best), kind="stable")
    else:
        is_small = np.array(answers.counts) < min(FEWEST, max(answers.counts))
        order = np.lexsort([answers.measures["map"], precisions, is_small])
    found: list[Wrong] = []
    for place in order.tolist():
        asked = answers.asked[place]
        if len(found) == WORST:
            break
        if answers.measures["map"][place] >= 1 or asked in {one.asked for one in found}:
            continue

        def shown(picture: int, rank: int, right: bool) -> Shown:
            key = given.keys[picture]
            return Shown(key, str(labels[picture]), right, rank, thumbnail(key))

        hits = zip(answers.first[place][:SHOWN].tolist(), answers.is_right[place].tolist(), strict=False)
        first = [shown(picture, rank, right) for rank, (picture, right) in enumerate(hits, start=1)]
        last = [shown(picture, rank, True) for picture, rank in answers.last[place] if rank > SHOWN]
        precision = None if precisions is None else float(precisions[place])
        found.append(Wrong(asked, answers.counts[place], precision, answers.best[place], first, last))
    return found


def table_of(outcome: Outcome) -> list[Row]:
    """Return a row for each folder, the worst first."""
    if "name" not in outcome.answers:
        return []
    names = outcome.answers["name"]
    alike = {}
    if "picture" in outcome.answers:
        by_picture = outcome.answers["picture"]
        alike = dict(zip(by_picture.asked, by_picture.measures[TELLING["picture"]].tolist(), strict=True))
    found = [
        Row(
            one.name,
            one.size,
            one.precision,
            float(names.measures[f"recall_at_{DEPTH}"][place]),
            float(names.measures["map"][place]),
            alike.get(one.name),
            one.instead,
        )
        for place, one in enumerate(outcome.scores)
    ]
    return sorted(found, key=lambda row: (row.precision, row.average, row.name))[:ROWS]


def write_page(
    path: Path,
    given: Input,
    outcomes: Sequence[Outcome],
    honest: Honesty,
    differences: Sequence[Difference],
    too_low: Sequence[str],
    seconds: float,
) -> None:
    """Write the page, which holds all that it shows."""
    first = outcomes[0]
    intervals: dict[Kind, dict[str, Interval]] = {
        kind: {name: interval(values) for name, values in answers.measures.items()}
        for kind, answers in first.answers.items()
    }
    content = {
        "name": given.found.name,
        "given": given,
        "labels": sorted({label for label in given.labels.tolist() if label}),
        "unlabelled": int((given.labels == "").sum()),
        "outcomes": outcomes,
        "intervals": intervals,
        "kinds": KINDS,
        "cuts": CUTS,
        "depth": DEPTH,
        "telling": TELLING,
        "worst": worst_of(given, first, "name"),
        "captions": worst_of(given, first, "caption"),
        "rows": table_of(first),
        "all_classes": len(first.scores),
        "honest": honest,
        "nearest": honesty.NEAREST,
        "differences": differences,
        "said": SAID,
        "too_low": too_low,
        "few": FEW,
        "fewest": FEWEST,
        "most_asked": questions.MOST_ASKED,
        "query_of": query_of,
        "made_at": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "seconds": seconds,
    }
    path.write_text(render("quality.html", content), encoding="utf-8")
