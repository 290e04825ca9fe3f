"""Charts for a page: each drawn four times, for light and for dark, for a desktop and for a phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Look:
    """Colours of a chart; `ground` is the page's own behind it."""

    name: str
    ground: str
    ink: str
    grid: str
    colors: tuple[str, ...]


LIGHT = Look("", "#ffffff", "#15201b", "#d8ded9", ("#0b6e4f", "#d97706", "#2563eb", "#9ca3af", "#db2777"))
DARK = Look("-dark", "#161c19", "#e9efeb", "#2b3430", ("#62d6a8", "#f2bd62", "#7cb0ff", "#7d8a83", "#f58ab8"))
WIDTHS = {"": 8.0, "-narrow": 4.2}
"""Inches; what is written in them has one size on the screen."""
DPI = 170


@dataclass(frozen=True)
class Chart:
    """The files of one chart."""

    light: Path
    dark: Path
    narrow_light: Path
    narrow_dark: Path


def draw(folder: Path, name: str, paint: Callable[[Axes, Look], None], *, height: float, narrow_height: float) -> Chart:
    """Write NAME.png into a folder, and NAME-dark.png, NAME-narrow.png, NAME-narrow-dark.png.

    Args:
        folder: Where to; it is there.
        name: Of the chart.
        paint: Draws into the axes; what it labels makes the legend.
        height: In inches, of the wide ones.
        narrow_height: Of the narrow ones.
    """
    written = []
    for suffix, inches in (("", height), ("-narrow", narrow_height)):
        for look in (LIGHT, DARK):
            path = folder / f"{name}{suffix}{look.name}.png"
            _draw(path, paint, look, (WIDTHS[suffix], inches))
            written.append(path)
    return Chart(*written)


def _draw(path: Path, paint: Callable[[Axes, Look], None], look: Look, size: tuple[float, float]) -> None:
    figure = Figure(figsize=size, layout="constrained", facecolor=look.ground)
    axes = figure.add_subplot(facecolor=look.ground)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(look.grid)
    axes.tick_params(colors=look.ink, labelsize=9)
    axes.set_axisbelow(True)
    paint(axes, look)
    axes.xaxis.label.set_color(look.ink)
    axes.yaxis.label.set_color(look.ink)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(
            loc="outside lower left",
            ncols=3 if size[0] > WIDTHS["-narrow"] else 1,
            fontsize=9,
            frameon=False,
            labelcolor=look.ink,
        )
    figure.savefig(path, dpi=DPI)
