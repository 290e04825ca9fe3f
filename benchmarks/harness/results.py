"""What a benchmark leaves behind: tables, a JSON file of figures, a picture."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parents[1] / "results"
INK, GRID = "#1f2937", "#d1d5db"
COLORS = ("#2563eb", "#f59e0b", "#10b981", "#9ca3af", "#dc2626", "#7c3aed", "#0891b2", "#db2777", "#65a30d", "#92400e")
BUSY_PERCENT = 15.0
LIBRARIES = ("torch", "openvino", "pillow", "qdrant-edge-py", "grpcio")


def command_line(target: str, description: str | None, images: str = "a folder of pictures") -> argparse.ArgumentParser:
    """Return the parser of a target's command line, with `--images`."""
    parser = argparse.ArgumentParser(prog=f"make {target}", description=description)
    parser.add_argument("--images", help=f"{images} (default: the sample pictures)")
    return parser


def sizes(text: str) -> list[int]:
    """Return the sizes in `1000,10_000`, ascending."""
    found = sorted({int(part) for part in text.split(",")})
    if found[0] < 1:
        raise ValueError(text)
    return found


def say(line: str) -> None:
    """Tell on stderr what comes next."""
    print(line, file=sys.stderr, flush=True)


def show(headers: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Print a table in Markdown: the first column to the left, the others to the right."""
    table = Table(box=box.MARKDOWN, show_edge=True)
    for place, header in enumerate(headers):
        table.add_column(header, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(_shown, row))
    if title:
        print(title)
    Console(width=1000, markup=False, highlight=False, emoji=False).print(table)
    print()


def write(
    target: str, *, settings: Mapping[str, Any], figures: Mapping[str, float], quiet: bool = False, **more: Any
) -> None:
    """Write `results/TARGET.json` and print its figures.

    Args:
        target: The name of the make target; where it measures a collection, with the collection's name.
        settings: What was measured, and how.
        figures: Names to numbers; others rely on the names.
        quiet: Print nothing: more parts follow.
        more: Anything else worth keeping.
    """
    content = {
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "figures": {name: round(float(value), 6) for name, value in figures.items()},
        **more,
    }
    path = _path(target, "json")
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
    if not quiet:
        show(["figure", "value"], list(content["figures"].items()))
        print(f"written: {path}")


@contextmanager
def picture(
    target: str,
    title: str = "",
    *,
    width: float = 7.0,
    height: float = 4.0,
    x: str = "",
    y: str = "",
    grid: str | None = "both",
) -> Iterator[Axes]:
    """Draw `results/TARGET.png`: gives the axes, adds a legend of what was labelled, and writes the file at the end.

    Args:
        target: The file's name without its ending.
        title: Above the axes.
        width: In inches, as is the height.
        height: Of the whole picture.
        x: What the horizontal axis shows.
        y: What the vertical one does.
        grid: Lines behind what is drawn: `both`, `x`, `y`; None for no axes at all.
    """
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot(xlabel=x, ylabel=y)
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold", parse_math=False)
    axes.spines[["top", "right"] if grid else slice(None)].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.5)  # type: ignore[arg-type]
    else:
        axes.set(xticks=[], yticks=[])
    yield axes
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower left", ncols=3, fontsize=8, frameon=False)
    path = _path(target, "png")
    figure.savefig(path, dpi=150)
    print(f"drawn: {path}")


def draw_bars(
    target: str, title: str, series: Mapping[str, Mapping[str, float]], *, x: str = "", stacked: bool = False
) -> None:
    """Draw `results/TARGET.png`: by label a horizontal bar of each series, below or, stacked, behind one another."""
    labels = list(next(iter(series.values())))
    thickness = 0.6 if stacked else 0.8 / len(series)
    height = 1.2 + 0.3 * len(labels) * (1 if stacked else len(series))
    with picture(target, title, height=max(2.5, height), x=x, grid="x") as axes:
        left = [0.0] * len(labels)
        for number, (name, values) in enumerate(series.items()):
            places = [place + (0 if stacked else number * thickness) for place in range(len(labels))]
            widths = [values.get(label, 0.0) for label in labels]
            axes.barh(places, widths, 0.95 * thickness, left=left if stacked else 0, color=COLORS[number], label=name)
            left = [before + width for before, width in zip(left, widths, strict=True)]
        middle = 0 if stacked else 0.4 - thickness / 2
        axes.set_yticks([place + middle for place in range(len(labels))], labels, parse_math=False)
        axes.invert_yaxis()


def warn_if_busy() -> None:
    """Say on stderr that others use this machine: figures of time are then not worth much. Call it at the start."""
    percent = psutil.cpu_percent(interval=1.0)
    if percent > BUSY_PERCENT:
        say(f"other programs use {percent:.0f} % of this machine: its figures of time will mislead")


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, memory, GPU, versions."""
    versions = {found.name.lower(): found.version for found in distributions()}
    return {
        "processor": _first(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": _gpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: versions.get(name) for name in LIBRARIES},
    }


def _path(target: str, kind: str) -> Path:
    path = RESULTS / f"{target}.{kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _first(pattern: str, path: Path) -> str | None:
    found = re.search(pattern, path.read_text("utf-8")) if path.is_file() else None
    return found.group(1).strip() if found else None


def _gpu() -> str | None:
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True).stdout.strip().replace("\n", ", ") or None
    except FileNotFoundError:
        return None
