"""What a benchmark leaves behind: a table, a JSON file of figures, a picture."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
from matplotlib.axes import Axes
from matplotlib.figure import Figure

RESULTS = Path(__file__).resolve().parent / "results"
INK, GRID = "#1f2937", "#d1d5db"
COLORS = ("#2563eb", "#f59e0b", "#10b981", "#9ca3af")
_BUSY_PERCENT = 15.0
_LIBRARIES = ("torch", "openvino", "pillow", "qdrant-edge-py", "grpcio")


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a plain table: the first column to the left, the others to the right."""
    cells = [[_shown(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in [list(headers), *cells]) for column in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        rest = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        return "  ".join([row[0].ljust(widths[0]), *rest]).rstrip()

    return "\n".join([line(headers), line(["-" * width for width in widths]), *map(line, cells)])


def write(
    target: str, *, settings: Mapping[str, Any], figures: Mapping[str, float], show: bool = True, **more: Any
) -> Path:
    """Write `results/TARGET.json`, print its figures, and return its path.

    Args:
        target: The name of the make target, or what the design says for it.
        settings: What was measured, and how.
        figures: Names to numbers; others rely on the names.
        show: Whether to print the figures; not before a benchmark's last part.
        more: Anything else worth keeping, such as every repeat.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{target}.json"
    content = {
        "machine": machine(),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "settings": dict(settings),
        "figures": {name: round(float(value), 6) for name, value in figures.items()},
        **more,
    }
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    draft.replace(path)
    if show:
        print(table(["figure", "value"], list(content["figures"].items())))
        print(f"\nwritten: {path}")
    return path


@contextmanager
def picture(target: str, title: str, *, width: float = 8.0, height: float = 4.5) -> Iterator[Axes]:
    """Draw `results/TARGET.png`: gives the axes; adds a legend of what was labelled, and writes the file at the end."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=11, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK, labelsize=8)
    axes.set_axisbelow(True)
    yield axes
    if axes.get_legend_handles_labels()[0]:
        figure.legend(loc="outside lower left", ncols=3, fontsize=8, frameon=False)
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{target}.png"
    figure.savefig(path, dpi=150)
    print(f"drawn: {path}")


def warn_if_busy() -> None:
    """Say on stderr that others use this machine: figures of time are then not worth much. Call it at the start."""
    percent = psutil.cpu_percent(interval=1.0)
    if percent > _BUSY_PERCENT:
        print(f"other programs use {percent:.0f} % of this machine: its figures of time will mislead", file=sys.stderr)


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, memory, GPU, versions."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": _gpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in _LIBRARIES},
    }


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _gpu() -> str | None:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    answer = subprocess.run(
        [tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip().replace("\n", ", ") or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
