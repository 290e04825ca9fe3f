"""The picture of it all: each target's ratio, beside what it is measured against."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks import report

BARS = (
    ("embedded_speedup", "embedded: pictures, OpenVINO over torch float32"),
    ("vit_b_32_speedup", "ViT-B-32: pictures, OpenVINO over torch float32"),
    ("vit_b_32_f32_speedup", "ViT-B-32: the same, OpenVINO held to float32"),
    ("grpc_bulk_ratio", "embedded: pictures in bulk, gRPC over a loop"),
    ("grpc_bulk_ratio_vit_b_32", "ViT-B-32: pictures in bulk, gRPC over a loop"),
    ("texts_ratio_32_unbatched", "texts, 32 clients: over batching off"),
    ("texts_ratio_32_infinity", "texts, 32 clients: over infinity_emb"),
)
"""Figures that are so many times as fast as what they are compared with."""


def draw(target: str, figures: Mapping[str, float]) -> None:
    """Draw those of the figures that have been measured; nothing where none has."""
    bars = [(label, figures[name]) for name, label in BARS if name in figures]
    if not bars:
        return
    with report.picture(target, "The encoder, times what it is compared with", width=8, height=3.6) as axes:
        # Twice as fast and half as fast are equally far from equal.
        axes.set_xscale("log", base=2)
        axes.barh(range(len(bars)), [value - 1 for _, value in bars], 0.6, left=1, color=report.COLORS[0])
        axes.axvline(1, color=report.INK, linewidth=1)
        for place, (_, value) in enumerate(bars):
            axes.annotate(
                f"{value:.2f}", (max(value, 1), place), (4, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontsize=8)
        axes.invert_yaxis()
        smallest, largest = min(value for _, value in bars), max(value for _, value in bars)
        axes.set_xlim(min(0.45, 0.9 * smallest), max(2.2, 1.4 * largest))
        ticks = [2.0**power for power in range(-4, 10) if axes.get_xlim()[0] <= 2.0**power <= axes.get_xlim()[1]]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xlabel("times as many a second", fontsize=8)
        axes.grid(axis="x", color=report.GRID, linewidth=0.5)
