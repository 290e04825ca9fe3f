"""The report's six figures over a folder whose folders are classes: `make report IMAGES=FOLDER`.

Writes `results/report-NAME/`, with a page, `index.html`, that can be opened from disk, and a PNG of each figure; and
`results/report-NAME.json`.
"""

from __future__ import annotations

# First: it sets what OpenMP reads when it is loaded.
from benchmarks.map import mapped, scatter  # isort: skip

import io
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageOps
from sightline_qdrant_edge.settings import EdgeSettings

from benchmarks import experiments
from benchmarks.experiments import SQUARE, TOP, Answer, SearchTimes, Subject
from benchmarks.harness import pictures, results
from benchmarks.harness.page import render
from benchmarks.harness.pictures import query_of
from benchmarks.harness.questions import Score, mean, scores
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import COLORS, INK, say

LONGEST_KEY = 22
DEPTH = 100
SIZES, INDEXED_TO = "1000,3000,10000,30000,100000,300000,1000000", 100_000
REPORTED_MS = 4.0
"""What the report says that a million pictures take at most on its GPU."""
METHODS = {"exact_cpu": "exact, CPU", "hnsw": "HNSW, CPU", "exact_gpu": "exact, GPU"}


def draw_answer(path: Path, answer: Answer) -> None:
    """Draw one of Figures 1 to 3: the nearest, side by side."""
    figure = Figure(figsize=(8, 2.15), layout="constrained", facecolor="white")
    for place, axes in enumerate(figure.subplots(1, TOP)):
        axes.set_axis_off()
        if place < len(answer.results):
            key, similarity, data = answer.results[place]
            with Image.open(io.BytesIO(data)) as small:
                axes.imshow(np.asarray(ImageOps.pad(small.convert("RGB"), (SQUARE, SQUARE), color="white")))
            name = key if len(key) <= LONGEST_KEY else f"…{key[1 - LONGEST_KEY :]}"
            axes.set_title(f"{place + 1}  {similarity:.3f}\n{name}", fontsize=8, color=INK, parse_math=False)
    figure.savefig(path, dpi=150)


def draw_scores(target: str, found: list[Score], drawn: list[Score]) -> None:
    """Draw Figure 4: a bar for each class that was drawn, then for each of the worst."""
    others = [score for score in experiments.worst(found) if score not in drawn] if len(found) > len(drawn) else []
    with results.picture(target, height=1.2 + 0.3 * len(drawn + others), grid="x") as axes:
        for label, color, group in (("drawn at random", COLORS[2], drawn), ("the worst of all", COLORS[3], others)):
            if group:
                labels = [query_of(score.name).replace("$", r"\$") for score in group]
                bars = axes.barh(labels, [score.precision for score in group], 0.7, color=color, label=label)
                axes.bar_label(bars, [f"{score.precision:.0%}" for score in group], padding=4, fontsize=8)
        average = mean(found)
        label = f"mean of all {len(found)}: {average:.0%}"
        axes.axvline(average, color=INK, linewidth=1, linestyle=":", label=label)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.08)


def draw_times(target: str, found: Sequence[SearchTimes]) -> None:
    """Draw Figure 5: a line for each method, and how far the slowest twentieth of its searches is above it."""
    with results.picture(target, x="vectors", y="milliseconds a search") as axes:
        for (method, label), color in zip(METHODS.items(), COLORS, strict=False):
            if mine := [timing for timing in found if timing.method == method]:
                sizes = [timing.size for timing in mine]
                medians, slow = ([timing.percentile(percent) for timing in mine] for percent in (50, 95))
                axes.loglog(sizes, medians, color=color, linewidth=2, marker="o", markersize=5, label=label)
                axes.fill_between(sizes, medians, slow, color=color, alpha=0.18, linewidth=0)
        label = f"{REPORTED_MS:.0f} ms: the report's, on a GPU"
        axes.axhline(REPORTED_MS, color=INK, linewidth=1, linestyle=":", label=label)


def main() -> None:
    """Embed, measure, draw and write."""
    more = {"model": (str, None), "sizes": (results.sizes, SIZES), "hnsw": (int, INDEXED_TO)}
    options = results.options("report", __doc__, "a folder whose folders are classes", **more)
    began = time.monotonic()
    found = pictures.find(options.images)
    target = f"report-{found.name}"
    folder = results.RESULTS / target
    folder.mkdir(parents=True, exist_ok=True)
    model = pictures.load(options.model)
    keys, both = pictures.embed_with(model, found, visual=True)
    rows = Rows.of(model, both)
    subject = Subject(found, model, keys, np.array([found.label(key) or "" for key in keys]), rows)
    say("Figures 1 to 3: searching")
    answers = experiments.search_texts(subject)
    for number, answer in enumerate(answers, start=1):
        draw_answer(folder / f"figure-{number}.png", answer)
    say("Figure 4: searching for each class")
    scored = scores(model, subject.labels, rows, DEPTH)
    names, enough = experiments.drawn_classes({score.name: score.size for score in scored})
    drawn = [score for score in scored if score.name in names]
    timings, notes = experiments.search_times(subject, options.sizes, options.hnsw)
    say("Figure 6: laying out " + (", ".join(names) or "nothing: there are no classes"))
    inside = np.isin(subject.labels, names)
    laid = mapped(rows.visual[inside], subject.labels[inside].tolist())
    if scored:
        draw_scores(f"{target}/figure-4", scored, drawn)
    draw_times(f"{target}/figure-5", timings)
    if laid:
        with results.picture(f"{target}/figure-6", height=5.6, grid=None) as axes:
            scatter(axes, laid)
    figures = {name: value for timing in timings for name, value in timing.figures().items()}
    if scored:
        figures |= {
            f"mean_precision_at_{DEPTH}": mean(scored),
            f"drawn_precision_at_{DEPTH}": mean(drawn),
            "classes": len(scored),
            f"classes_of_fewer_than_{DEPTH}": sum(score.size < DEPTH for score in scored),
        }
    if laid:
        figures |= {f"map_{name}": value for name, value in laid.figures().items()}
    content: dict[str, Any] = {
        "DEPTH": DEPTH,
        "experiments": experiments,
        "name": found.name,
        "pictures": len(keys),
        "model": model.id,
        "dimensions": model.dimensions,
        "machine": results.machine(),
        "made_at": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "answers": answers,
        "charts": {number: path for number in (4, 5, 6) if (path := folder / f"figure-{number}.png").is_file()},
        "scores": scored,
        "drawn": drawn,
        "worst": experiments.worst(scored),
        "figures": figures,
        "enough": enough,
        "timings": {size: {t.method: t for t in timings if t.size == size} for size in options.sizes},
        "methods": {name: shown for name, shown in METHODS.items() if any(t.method == name for t in timings)},
        "index_above": EdgeSettings.model_fields["index_threshold"].default,
        "notes": notes,
        "mapped": laid,
        "seconds": time.monotonic() - began,
    }
    (folder / "index.html").write_text(render("report.html", content), encoding="utf-8")
    described = {"images": str(found.folder), "pictures": len(keys), "model": model.id, "drawn": names}
    results.write(target, settings=described, figures=figures, classes={one.name: one.precision for one in scored})
    print(f"page: {folder / 'index.html'}")


if __name__ == "__main__":
    main()
