"""What was measured of searches among many images: as tables, pictures and figures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks import report
from benchmarks.scale import Filling
from benchmarks.scale_engines import DEPTH, percentiles


@dataclass
class Timing:
    """Times of one way to search, and its recall.

    Attributes:
        milliseconds: (n,) of the searches that count.
        first: (m,) of the first searches after a start; empty where that means nothing.
        recall: Of the fifty nearest.
    """

    milliseconds: NDArray[np.float64]
    recall: float
    first: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    def row(self) -> list[float]:
        """Return p50, p99 and recall, and p50 and p99 of the first."""
        cells = [*np.percentile(self.milliseconds, (50, 99)), self.recall]
        return [float(cell) for cell in cells] + [float(x) for x in percentiles(self.first)]


@dataclass
class Size:
    """All that was measured at one size."""

    filling: Filling
    dimension: float
    anonymous_mb: float = 0.0
    ways: dict[str, Timing] = field(default_factory=dict)

    @property
    def seconds(self) -> tuple[float, float]:
        """Of inserting, and of building the index."""
        return self.filling.insert_seconds, self.filling.index_seconds


def show(sizes: list[Size], curves: dict[str, list[list[object]]]) -> None:
    """Print the tables."""
    headers = ["images", "dimension", "insert s", "index s", "RssAnon MB"]
    print(
        report.table(
            headers,
            [
                [
                    f"{s.filling.points:,}",
                    s.dimension,
                    s.filling.insert_seconds,
                    s.filling.index_seconds,
                    s.anonymous_mb,
                ]
                for s in sizes
            ],
        ),
        end="\n\n",
    )
    headers = ["milliseconds", "images", "p50", "p99", "recall@50", "first 200 p50", "p99"]
    rows = [[name, s.filling.points, *timing.row()] for s in sizes for name, timing in s.ways.items()]
    print(report.table(headers, rows), end="\n\n")
    for title, rows in curves.items():
        headers = [title, "p50 ms", "p99 ms", "recall@50", "of texts"]
        print(report.table(headers[: len(rows[0])], rows), end="\n\n")


def draw(sizes: list[Size], curves: dict[str, list[list[object]]]) -> None:
    """Draw time against size, and recall against time."""
    with report.picture("bench-scale", "The fifty nearest: time against size (p50)", width=7, height=4) as axes:
        names = dict.fromkeys(name for size in sizes for name in size.ways)
        for number, name in enumerate(names):
            found = [(s.filling.points, np.median(s.ways[name].milliseconds)) for s in sizes if name in s.ways]
            ours = number < len(report.COLORS) - 1
            color = report.COLORS[number] if ours else (0.12 * number,) * 3
            line, width = ("-", 2) if ours else ("--", 1)
            axes.plot(*zip(*found, strict=True), marker="o", label=name, color=color, linestyle=line, linewidth=width)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("images", fontsize=8)
        axes.set_ylabel("milliseconds", fontsize=8)
        axes.grid(color=report.GRID, linewidth=0.5)
    rows = next((rows for title, rows in curves.items() if title.startswith("settings")), None)
    if rows is None:
        return
    with report.picture("bench-scale-recall", "Recall against time, each point an ef", width=7, height=4.5) as axes:
        oversamplings = list(dict.fromkeys(str(row[0]).rpartition(" ")[2] for row in rows))
        for oversampling, color in zip(oversamplings, report.COLORS, strict=False):
            chosen = [row for row in rows if str(row[0]).endswith(f"oversampling {oversampling}")]
            times = [float(str(row[1])) for row in chosen]
            for column, marker, of in ((3, "o", "images"), (4, "x", "texts")):
                shares = [float(str(row[column])) for row in chosen]
                axes.plot(times, shares, marker, color=color, label=f"oversampling {oversampling}, {of}")
                for row, time, share in zip(chosen, times, shares, strict=True):
                    ef = str(row[0]).split()[1].rstrip(",")
                    axes.annotate(ef, (time, share), (4, -8), textcoords="offset points", fontsize=7)
        axes.margins(x=0.1)
        axes.set_xlabel("milliseconds at p50, the catalogue's call", fontsize=8)
        axes.set_ylabel("recall@50", fontsize=8)
        axes.grid(color=report.GRID, linewidth=0.5)


def short(points: int) -> str:
    """Return a size as figures' names have it: 1m, 100k."""
    return f"{points // 1_000_000}m" if points % 1_000_000 == 0 else f"{points // 1000}k"


def figures(sizes: list[Size]) -> dict[str, float]:
    """Return all figures by name."""
    found: dict[str, float] = {}
    for size in sizes:
        end = short(size.filling.points)
        found |= {
            f"insert_seconds_{end}": size.filling.insert_seconds,
            f"index_seconds_{end}": size.filling.index_seconds,
        }
        found |= {f"anon_mb_{end}": size.anonymous_mb, f"intrinsic_dimension_{end}": size.dimension}
        for name, timing in size.ways.items():
            start = {
                "catalogue": "",
                "catalogue, texts": "texts_",
                "exact, numpy": "exact_numpy_",
                "exact, FAISS flat": "faiss_flat_",
            }.get(name, name.lower().replace(", ", "_").replace(" ", "_").replace("-", "_") + "_")
            p50, p99 = percentiles(timing.milliseconds)
            found |= {f"{start}p50_ms_{end}": p50, f"{start}p99_ms_{end}": p99}
            found[f"{start}recall_at_{DEPTH}_{end}"] = timing.recall
            if len(timing.first):
                first = percentiles(timing.first)
                found |= {f"{start}first_p50_ms_{end}": first[0], f"{start}first_p99_ms_{end}": first[1]}
    if len(sizes) > 1:
        medians = [float(np.median(size.ways["catalogue"].milliseconds)) for size in sizes]
        found["p50_growth"] = medians[-1] / medians[0]
    return found
