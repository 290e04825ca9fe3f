"""What a benchmark is asked for and leaves behind: options, tables, a JSON file of figures, a picture."""

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
from importlib.metadata import version
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


class Failed(SystemExit):
    """Ends a benchmark with one line on stderr."""


def options(target: str, description: str | None, images: str = "a folder of pictures", **more: Any) -> Any:
    """Return a target's options by name, after a warning where others use the machine.

    `more` are further ones: False for a switch, otherwise what reads it and its default.
    """
    parser = argparse.ArgumentParser(prog=f"make {target}", description=description)
    parser.add_argument("--images", help=f"{images} (default: the sample pictures)")
    for name, given in more.items():
        kind = {"type": given[0], "default": given[1]} if given else {"action": "store_true"}
        parser.add_argument(f"--{name.replace('_', '-')}", **kind)
    found = parser.parse_args()
    warn_if_busy()
    return found


def sizes(text: str) -> list[int]:
    """Return the sizes in `1000,10_000`, ascending."""
    found = sorted({int(part) for part in text.split(",")})
    if found[0] < 1:
        raise ValueError(text)
    return found


def say(line: str) -> None:
    """Print on stderr what comes next."""
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
    """Write `results/TARGET.json` and, unless `quiet`, print its figures; others rely on their names."""
    content = {
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "figures": {name: round(float(value), 6) for name, value in figures.items()},
        **more,
    }
    path = _path(target, "json")
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    if not quiet:
        show(["figure", "value"], list(content["figures"].items()))
        print(f"written: {path}")


@contextmanager
def picture(
    target: str, title: str = "", *, height: float = 4.0, x: str = "", y: str = "", grid: str | None = "both"
) -> Iterator[Axes]:
    """Draw `results/TARGET.png`: gives the axes, adds a legend of what was labelled, and writes the file at the end.

    `grid` is `both`, `x` or `y`, or None for no axes at all.
    """
    figure = Figure(figsize=(7.0, height), layout="constrained", facecolor="white")
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
    """Print on stderr that others use this machine: figures of time are then not worth much."""
    percent = psutil.cpu_percent(interval=1.0)
    if percent > BUSY_PERCENT:
        say(f"other programs use {percent:.0f} % of this machine: its figures of time will mislead")


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, memory, GPU, versions."""
    processor = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    return {
        "processor": processor.group(1).strip() if processor else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": _gpu(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _path(target: str, kind: str) -> Path:
    path = RESULTS / f"{target}.{kind}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _gpu() -> str | None:
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True).stdout.strip().replace("\n", ", ") or None
    except FileNotFoundError:
        return None
