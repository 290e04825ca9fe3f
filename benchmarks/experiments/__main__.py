"""The report's six figures over a folder whose folders are classes: `make report IMAGES=FOLDER`.

Writes `results/report-NAME/`, with a page, `index.html`, that can be opened from disk, and a PNG of each figure; and
`results/report-NAME.json`.
"""

from __future__ import annotations

import os

# As the map worker does: it is read when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sightline_encoder.errors import ModelError
from sightline_encoder.runtimes import nvidia_present
from sightline_qdrant_edge.settings import EdgeSettings

from benchmarks import collection, map_figure, report
from benchmarks.experiments import answers, chart, page, precision, scaling, separation
from benchmarks.experiments.subject import Subject, look
from benchmarks.growth import Growth

SEED = 7
NO_CLASSES = "no picture lies in a folder of its class."
NO_MAP = "its classes have too few pictures for a map."


@dataclass
class Times:
    """Figure 5's measurements, and what has to be said of them."""

    timings: list[scaling.Timing]
    notes: list[str] = field(default_factory=list)


def say(line: str) -> None:
    """Tell on stderr what comes next."""
    print(line, file=sys.stderr, flush=True)


def times(subject: Subject, sizes: Sequence[int], indexed_to: int) -> Times:
    """Measure Figure 5 at the sizes that fit into memory."""
    dimensions = subject.vectors.shape[1]
    kept, left_out = scaling.sizes_that_fit(sizes, dimensions, scaling.free_memory())
    found = Times([])
    if left_out:
        shown = ", ".join(f"{size:,}" for size in left_out)
        found.notes.append(f"Left out for want of memory: {shown} vectors.")
    if kept:
        say(f"Figure 5: growing {max(kept):,} vectors")
        vectors = Growth(subject.vectors).all(max(kept))
        real = min(len(subject.vectors), len(vectors))
        vectors[:real] = subject.vectors[:real]
        with tempfile.TemporaryDirectory(prefix="sightline-report-") as folder:
            found.timings = scaling.measure(
                vectors,
                scaling.questions(subject),
                kept,
                indexed_to=indexed_to,
                scratch=Path(folder),
                say=lambda line: say(f"Figure 5: {line}"),
            )
    if any(size > indexed_to for size in kept):
        found.notes.append(f"Above {indexed_to:,} vectors no index was built (HNSW=NUMBER builds larger ones).")
    if not any(timing.method == scaling.GPU for timing in found.timings):
        why = "PyTorch finds no CUDA device" if nvidia_present() else "there is none"
        found.notes.append(f"Nothing was measured on a GPU: {why} on this machine.")
    return found


def parsed_sizes(text: str) -> list[int]:
    """Return the sizes in `1000,10000`, ascending.

    Raises:
        ValueError: One is not a number, or less than one.
    """
    sizes = sorted({int(part) for part in text.replace("_", "").split(",")})
    if sizes[0] < 1:
        raise ValueError(text)
    return sizes


def options() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="make report", description=__doc__)
    parser.add_argument("--images", help="a folder whose folders are classes (default: the sample pictures)")
    parser.add_argument("--model", help="a model's id (default: the encoder's own default)")
    parser.add_argument("--sizes", type=parsed_sizes, default=list(scaling.SIZES), help="of Figure 5: 1000,10000,...")
    parser.add_argument("--hnsw", type=int, default=scaling.INDEXED_TO, help="build no index of more vectors")
    parser.add_argument("--seed", type=int, default=SEED, help="for the classes that are drawn")
    return parser.parse_args()


def charts(
    folder: Path, scores: list[precision.Score], names: list[str], found: Times, mapped: map_figure.Mapped | None
) -> dict[int, chart.Chart]:
    """Draw Figures 4 to 6, those that there is something to draw for."""
    drawn = {}
    if scores:
        bars = len(names) + min(precision.FEW, len(scores))
        height = 0.9 + 0.28 * bars
        drawn[4] = chart.draw(
            folder,
            "figure-4",
            lambda axes, look: precision.draw(axes, look, scores, names),
            height=height,
            narrow_height=height + 0.4,
        )
    if found.timings:
        drawn[5] = chart.draw(
            folder,
            "figure-5",
            lambda axes, look: scaling.draw(axes, look, found.timings),
            height=4.2,
            narrow_height=4.2,
        )
    if mapped is not None:
        drawn[6] = chart.draw(
            folder,
            "figure-6",
            lambda axes, look: map_figure.scatter(axes, mapped, look.colors),
            height=5.6,
            narrow_height=5.0,
        )
    return drawn


def main() -> None:
    """Embed, measure, draw and write."""
    chosen = options()
    began = time.monotonic()
    report.warn_if_busy()
    pictures = collection.find(chosen.images)
    folder = report.RESULTS / f"report-{pictures.name}"
    folder.mkdir(parents=True, exist_ok=True)
    say(f"embedding {len(pictures.keys):,} pictures of {pictures.name}")
    try:
        subject = look(pictures, chosen.model)
    except (ModelError, ValueError) as error:
        sys.exit(str(error))
    say("Figures 1 to 3: searching")
    found_answers = answers.search(subject)
    for number, answer in enumerate(found_answers, start=1):
        answers.draw(answer, folder / f"figure-{number}.png")
    say(f"Figure 4: searching for {len(subject.sizes):,} classes")
    scores = precision.measure(subject)
    names, enough = precision.chosen(subject.sizes, chosen.seed)
    found = times(subject, chosen.sizes, chosen.hnsw)
    say("Figure 6: laying out " + (", ".join(names) or "nothing: there are no classes"))
    mapped = separation.measure(subject, names)
    content: dict[str, Any] = {
        "name": pictures.name,
        "pictures": len(subject.keys),
        "classes": len(scores),
        "model": {"id": subject.model.id, "dimensions": subject.vectors.shape[1]},
        "machine": report.machine(),
        "made_at": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "answers": found_answers,
        "charts": charts(folder, scores, names, found, mapped),
        "precision": {
            "depth": precision.DEPTH,
            "scores": scores,
            "drawn": [score for score in scores if score.name in names],
            "worst": precision.worst(scores),
            "mean": precision.mean(scores) if scores else None,
            "small": sum(score.size < precision.DEPTH for score in scores),
            "names": names,
            "enough": enough,
            "seed": chosen.seed,
        },
        "scaling": {
            "nearest": scaling.NEAREST,
            "queries": scaling.QUERIES,
            "by_size": scaling.by_size(found.timings),
            "methods": [name for name in scaling.SHOWN if any(timing.method == name for timing in found.timings)],
            "shown": scaling.SHOWN,
            "index_above": EdgeSettings.model_fields["index_threshold"].default,
            "notes": found.notes,
        },
        "mapped": mapped,
        "no_classes": NO_CLASSES,
        "no_map": NO_MAP if scores else NO_CLASSES,
        "seconds": time.monotonic() - began,
    }
    path = folder / "index.html"
    path.write_text(page.render(content), encoding="utf-8")
    figures = scaling.figures(found.timings)
    if scores:
        figures |= precision.figures(scores, names)
    if mapped is not None:
        figures |= {f"map_{name}": value for name, value in mapped.figures().items()}
    settings = {
        "images": str(pictures.folder),
        "pictures": len(subject.keys),
        "model": subject.model.id,
        "fingerprint": subject.model.fingerprint,
        "drawn": names,
        "seed": chosen.seed,
        "queries": scaling.QUERIES,
        "nearest": scaling.NEAREST,
        "notes": found.notes,
    }
    report.write(
        f"report-{pictures.name}",
        settings=settings,
        figures=figures,
        classes=precision.written(scores),
        answers={
            answer.text: {
                "found": answer.relevance.found,
                "results": [[result.key, round(result.similarity, 4)] for result in answer.results],
            }
            for answer in found_answers
        },
        separation=mapped.separation if mapped else None,
    )
    print(f"page: {path}")


if __name__ == "__main__":
    main()
