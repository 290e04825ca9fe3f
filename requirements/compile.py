"""Writes requirements/*.txt from requirements/*.in: every package pinned, for every platform, the same everywhere.

Run it by `make requirements`. What PyTorch itself pins exactly (its CUDA libraries) is left to PyTorch, so that an
installation with a CPU build of PyTorch does not get gigabytes of them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PINNED_BY_TORCH = re.compile(r"^(nvidia-|cuda-|triton==)")


def compile_one(name: str, *constraints: str) -> None:
    """Write NAME.txt from NAME.in."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")),
            *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
            *("--no-header", "--no-annotate", "--no-emit-index-url"),
            *constraints,
            str(FOLDER / f"{name}.in"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if not PINNED_BY_TORCH.match(line)]
    header = f"# Written by `make requirements` from {name}.in\n"
    (FOLDER / f"{name}.txt").write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}.txt: {len(lines)} packages")


def main() -> None:
    """Resolve development.in, and hold the others to its versions."""
    compile_one("development")
    services = ("encoder", "encoder-embedded", "search-gateway", "ingest-worker", "qdrant-edge")
    for name in ("local", *services, "benchmarks"):
        compile_one(name, "--constraint", str(FOLDER / "development.txt"))
    # Lives in an environment of its own, whose versions need not agree with ours.
    compile_one("infinity")


if __name__ == "__main__":
    main()
