"""Pictures' vectors, kept on disk: a folder is embedded once for each model, then only what is new or changed."""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sightline_encoder.models import Model

from benchmarks.harness import pictures
from benchmarks.harness.pictures import Collection, Vectors
from benchmarks.harness.results import say

KEPT = pictures.DATA / "benchmarks" / "embeddings"
PART = 500
"""Pictures that are embedded before progress is told and what there is so far is kept."""


def embedded(model: Model, found: Collection, choice: str | None) -> tuple[list[str], Vectors]:
    """Return the keys that can be read, sorted, and their (n, d) unit vectors, the visual ones beside.

    Args:
        model: The encoder's.
        found: The pictures; of one that has the size and time that it had, the kept vector is taken.
        choice: What the model was loaded by.
    """
    path = KEPT / f"{_name(model, found, choice)}.npz"
    known = _read(path)
    states = {key: state for key in found.keys if (state := _state(found.folder / key))}
    rows = {key: row for key, (state, row) in known.items() if states.get(key) == state}
    wanted = [key for key in found.keys if key not in rows]
    done = 0
    for part in pictures.chunks(wanted, PART):
        keys, vectors = pictures.embed_with(model, replace(found, keys=part), visual=True)
        rows |= zip(keys, vectors, strict=True)
        done += len(part)
        say(f"{model.id}: embedded {done:,} of {len(wanted):,} pictures")
        _write(path, {key: (states[key], row) for key, row in rows.items() if key in states})
    keys = sorted(rows)
    return keys, np.stack([rows[key] for key in keys]) if keys else np.empty((0, 0), np.float32)


def _name(model: Model, found: Collection, choice: str | None) -> str:
    settings = pictures.encoder_settings(choice)
    # Not how results are put in order: that is no matter of the vectors.
    parts = (found.folder, model.fingerprint, model.runtime, model.device, settings.precision, settings.compile)
    return f"{hashlib.sha256('|'.join(map(str, parts)).encode()).hexdigest()[:16]}"


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _read(path: Path) -> dict[str, tuple[tuple[int, int], NDArray[np.float32]]]:
    try:
        with np.load(path) as kept:
            keys, states, rows = kept["keys"].tolist(), kept["states"].tolist(), kept["rows"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    return {key: ((size, time), row) for key, (size, time), row in zip(keys, states, rows, strict=True)}


def _write(path: Path, rows: dict[str, tuple[tuple[int, int], NDArray[np.float32]]]) -> None:
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.npz")
    states, vectors = zip(*rows.values(), strict=True)
    np.savez(partial, keys=np.array(list(rows)), states=np.array(states, np.int64), rows=np.stack(vectors))
    partial.replace(path)
