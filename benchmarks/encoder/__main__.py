"""The encoder, measured part by part: `make bench-encoder PARTS=loops,bulk,load,batching,latency,decoding`.

`loops` compares the encoder's runtime with bare loops of others in one process; `bulk` pictures over gRPC with such a
loop; `load` shows what 1 to 128 clients get; `batching` compares texts a second with batches of one and with another
server; `latency` a text at an idle encoder with one while pictures saturate it; `decoding` ways to decode photographs.
Each part's module says what is compared with what. A run of some parts keeps the figures of the others, each part with
when and where it was measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks import collection, report
from benchmarks.collection import Collection
from benchmarks.encoder import batching, bulk, decoding, figure, latency, load, loops, outcome, subjects
from benchmarks.encoder.outcome import Outcome
from benchmarks.encoder.server import NotServing

TARGET = "bench-encoder"
PARTS: dict[str, Callable[[Collection], Outcome]] = {
    "loops": loops.run,
    "bulk": bulk.run,
    "load": load.run,
    "batching": batching.run,
    "latency": latency.run,
    "decoding": decoding.run,
}


def chosen(names: str | None) -> list[str]:
    """Return the parts that were asked for, in the order of the table.

    Raises:
        argparse.ArgumentTypeError: There is no such part.
    """
    asked = [name.strip() for name in (names or ",".join(PARTS)).split(",") if name.strip()]
    if unknown := [name for name in asked if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in asked]


def main() -> None:
    """Measure, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-encoder", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    parser.add_argument("--parts", type=chosen, default=chosen(None), help=f"some of {','.join(PARTS)}")
    options = parser.parse_args()
    report.warn_if_busy()
    pictures = collection.find(options.images)
    parts = outcome.read(report.RESULTS / f"{TARGET}.json")
    for name in options.parts:
        began = time.perf_counter()
        try:
            found = PARTS[name](pictures)
        except NotServing as error:
            sys.exit(str(error))
        parts[name] = outcome.entry(found, report.machine())
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        _write(parts, pictures, show=name == options.parts[-1])
    figure.draw(TARGET, outcome.figures(parts))


def _write(parts: dict[str, dict[str, object]], pictures: Collection, *, show: bool) -> None:
    """Write after each part: what was measured is kept if a later one fails."""
    settings = {
        "images": str(pictures.folder),
        "threads": subjects.settings().forward_threads,
        "parts": {name: part["when"] for name, part in parts.items()},
    }
    ordered = {name: parts[name] for name in PARTS if name in parts}
    report.write(TARGET, settings=settings, figures=outcome.figures(ordered), show=show, parts=ordered)


if __name__ == "__main__":
    main()
