"""The encoder, measured part by part: `make bench-encoder PARTS=loops,bulk,load,batching,latency,decoding`.

`loops` compares the encoder's runtime with bare loops of others in one process; `bulk` pictures over gRPC with such a
loop; `load` shows what 1 to 128 clients get; `batching` compares texts a second with batches of one and with another
server; `latency` a text at an idle encoder with one while pictures saturate it; `decoding` ways to decode photographs.
Each part says what is compared with what. A run of some parts keeps the figures of the others, each part with when and
where it was measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.encoder import batching, decoding, loops, serving
from benchmarks.encoder.subjects import settings
from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection
from benchmarks.harness.processes import NotServing

TARGET = "bench-encoder"
PARTS: dict[str, Callable[[Collection], dict[str, float]]] = {
    "loops": loops.run,
    "bulk": serving.bulk,
    "load": serving.load,
    "batching": batching.run,
    "latency": serving.latency,
    "decoding": decoding.run,
}
BARS = {
    "embedded_speedup": "embedded: pictures, OpenVINO over torch float32",
    "vit_b_32_speedup": "ViT-B-32: pictures, OpenVINO over torch float32",
    "vit_b_32_f32_speedup": "ViT-B-32: the same, OpenVINO held to float32",
    "grpc_bulk_ratio": "embedded: pictures in bulk, gRPC over a loop",
    "grpc_bulk_ratio_vit_b_32": "ViT-B-32: pictures in bulk, gRPC over a loop",
    "texts_ratio_32_unbatched": "texts, 32 clients: over batching off",
    "texts_ratio_32_infinity": "texts, 32 clients: over infinity_emb",
}
"""Figures that are so many times as fast as what they are compared with."""


def chosen(names: str) -> list[str]:
    """Return the parts that were asked for, in the order of the table."""
    asked = [name.strip() for name in names.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in asked]


def known_parts(path: Path) -> dict[str, Any]:
    """Return the parts of a file of results; none where it is not there or is something else."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return parts if isinstance(parts, dict) else {}


def figures_of(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the figures of all parts in one flat object."""
    return {name: value for part in parts.values() for name, value in part["figures"].items()}


def main() -> None:
    """Measure, print, draw and write."""
    parser = results.command_line(TARGET, __doc__)
    parser.add_argument("--parts", type=chosen, default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    options = parser.parse_args()
    results.warn_if_busy()
    found = pictures.find(options.images)
    parts = known_parts(results.RESULTS / f"{TARGET}.json")
    for name in options.parts:
        try:
            figures = {key: round(float(value), 6) for key, value in PARTS[name](found).items()}
        except NotServing as error:
            sys.exit(str(error))
        when = datetime.now(UTC).isoformat(timespec="seconds")
        parts[name] = {"when": when, "machine": results.machine(), "figures": figures}
        ordered = {part: parts[part] for part in PARTS if part in parts}
        described = {
            "images": str(found.folder),
            "threads": settings().forward_threads,
            "parts": {part: entry["when"] for part, entry in ordered.items()},
        }
        # After each part: what was measured is kept if a later one fails.
        quiet = name != options.parts[-1]
        results.write(TARGET, settings=described, figures=figures_of(ordered), quiet=quiet, parts=ordered)
    bars = {label: value for name, label in BARS.items() if (value := figures_of(parts).get(name))}
    if bars:
        results.draw_bars(TARGET, "The encoder, times what it is compared with", {"times as many a second": bars})


if __name__ == "__main__":
    main()
