"""Figure 5: how long search and ranking take, from a text's vector to its fifty nearest pictures in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sightline_encoder.runtimes import nvidia_present

from benchmarks import bench_search
from benchmarks.experiments.chart import Look
from benchmarks.experiments.index import Index
from benchmarks.experiments.subject import Subject, Vectors

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
INDEXED_TO = 100_000
NEAREST = 50
QUERIES = 100
WARM_UP = 5
REPORTED_MS = 4.0
"""What the report says that a million pictures take at most on its GPU."""
GROWING = 1.2
"""Growing vectors takes so many times their own memory for a while."""
LARGEST_PART = 0.8
"""Of the memory that is free."""
CGROUP = Path("/sys/fs/cgroup")
SAME = 1e-5
EXACT, INDEX, GPU = "exact_cpu", "hnsw", "exact_gpu"
SHOWN = {EXACT: "exact, CPU", INDEX: "HNSW, CPU", GPU: "exact, GPU"}
Ranking = NDArray[np.intp]


@dataclass(frozen=True)
class Timing:
    """Searches among a number of vectors by one method.

    Attributes:
        milliseconds: (searches,).
        recall: Of what an exact search finds, the share that is found; 1 for an exact one.
        lost: By how much what is found is less similar than that, on average.
        build_seconds: Of the index.
    """

    method: str
    size: int
    milliseconds: NDArray[np.float64]
    recall: float = 1.0
    lost: float = 0.0
    build_seconds: float = 0.0

    def percentile(self, percent: float) -> float:
        """Return a percentile, in milliseconds."""
        return float(np.percentile(self.milliseconds, percent))


def questions(subject: Subject) -> Vectors:
    """Return (100, dimensions) vectors of distinct texts."""
    texts = bench_search.queries("a photo of a {}", QUERIES)
    return np.concatenate([subject.model.encode_texts(texts[start : start + 20]) for start in range(0, QUERIES, 20)])


def sizes_that_fit(sizes: Sequence[int], dimensions: int, free_bytes: int) -> tuple[list[int], list[int]]:
    """Return the sizes whose vectors can be grown in the memory that is free, and those left out."""
    most = LARGEST_PART * free_bytes / (GROWING * dimensions * np.dtype(np.float32).itemsize)
    return [size for size in sizes if size <= most], [size for size in sizes if size > most]


def free_memory() -> int:
    """Return the bytes that can still be had: of the machine, or of the container's limit where that is less."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = int((CGROUP / "memory.max").read_text())
        used = int((CGROUP / "memory.current").read_text())
    except (OSError, ValueError):
        return free
    return max(0, min(free, limit - used))


def exact(vectors: Vectors, question: Vectors, count: int) -> Ranking:
    """Return the places of the nearest of (n, d) vectors, the nearest first: one product, then a partial sort."""
    similarities = vectors @ question
    count = min(count, len(vectors))
    places = np.argpartition(similarities, -count)[-count:]
    return places[np.argsort(-similarities[places], kind="stable")]


def recall(vectors: Vectors, question: Vectors, found: Ranking, wanted: Ranking) -> float:
    """Return the share of an answer that is as near as an exact one's last: of equal vectors any will do."""
    least = float(vectors[wanted[-1]] @ question) - SAME
    return float((vectors[found] @ question >= least).sum() / len(wanted))


def timed(search: Callable[[Vectors], Ranking], asked: Vectors) -> tuple[list[Ranking], NDArray[np.float64]]:
    """Return the answers to (q, d) questions, and the milliseconds that each took."""
    for question in asked[:WARM_UP]:
        search(question)
    answers, milliseconds = [], []
    for question in asked:
        began = time.perf_counter()
        answers.append(search(question))
        milliseconds.append(1000 * (time.perf_counter() - began))
    return answers, np.array(milliseconds)


def loss(vectors: Vectors, question: Vectors, found: Ranking, wanted: Ranking) -> float:
    """Return by how much the mean similarity of an answer is less than that of an exact one."""
    return float((vectors[wanted] @ question).mean() - (vectors[found] @ question).mean())


def measure(
    vectors: Vectors,
    asked: Vectors,
    sizes: Iterable[int],
    *,
    indexed_to: int,
    scratch: Path,
    say: Callable[[str], None],
) -> list[Timing]:
    """Search by each method among the first so many vectors, for each size.

    Args:
        vectors: (n, d), as many as the largest size; any first part of them is spread as all of them are.
        asked: (q, d).
        sizes: None larger than n.
        indexed_to: Above this no index is built.
        scratch: A folder for indexes; what is put into it is removed again.
        say: Told what comes next.
    """
    device = Device() if nvidia_present() and Device.works() else None
    found = []
    for size in sizes:
        part = vectors[:size]
        say(f"searching {size:,} vectors")
        answers, milliseconds = timed(partial(exact, part, count=NEAREST), asked)
        found.append(Timing(EXACT, size, milliseconds))
        if device is not None:
            found.append(_on_device(device, part, asked))
        if size <= indexed_to:
            say(f"building an index of {size:,} vectors")
            found.append(_indexed(part, asked, answers, scratch / str(size)))
    return found


def by_size(found: Iterable[Timing]) -> dict[int, dict[str, Timing]]:
    """Return the timings by size, then by method."""
    table: dict[int, dict[str, Timing]] = {}
    for timing in found:
        table.setdefault(timing.size, {})[timing.method] = timing
    return table


def _indexed(vectors: Vectors, asked: Vectors, wanted: list[Ranking], folder: Path) -> Timing:
    with Index.build(vectors, folder) as index:
        answers, milliseconds = timed(partial(index.search, count=NEAREST), asked)
        judged = list(zip(asked, answers, wanted, strict=True))
        return Timing(
            INDEX,
            len(vectors),
            milliseconds,
            recall=float(np.mean([recall(vectors, *one) for one in judged])),
            lost=float(np.mean([loss(vectors, *one) for one in judged])),
            build_seconds=index.build_seconds,
        )


def _on_device(device: Device, vectors: Vectors, asked: Vectors) -> Timing:
    _, milliseconds = timed(partial(device.search, device.put(vectors), count=NEAREST), asked)
    return Timing(GPU, len(vectors), milliseconds)


class Device:
    """An exact search by torch: one product, and the largest of it. As the report did it, on a GPU."""

    def __init__(self, name: str = "cuda") -> None:
        import torch

        self._torch: Any = torch
        self._name = name

    @staticmethod
    def works() -> bool:
        """Say whether torch finds CUDA."""
        import torch

        return bool(torch.cuda.is_available())

    def put(self, vectors: Vectors) -> Any:
        """Bring (n, d) vectors to the device."""
        return self._torch.from_numpy(vectors).to(self._name)

    def search(self, held: Any, question: Vectors, count: int) -> Ranking:
        """Return the places of the nearest, the nearest first; the way there and back is part of it."""
        similarities = held @ self._torch.from_numpy(question).to(self._name)
        places = self._torch.topk(similarities, min(count, len(held))).indices
        return np.asarray(places.cpu().numpy(), dtype=np.intp)


def draw(axes: Axes, look: Look, found: Sequence[Timing]) -> None:
    """Draw a line for each method, and how far the slowest twentieth of its searches is above it."""
    for number, method in enumerate(SHOWN):
        mine = [timing for timing in found if timing.method == method]
        if not mine:
            continue
        sizes = [timing.size for timing in mine]
        color = look.colors[number]
        medians = [timing.percentile(50) for timing in mine]
        axes.plot(sizes, medians, color=color, linewidth=2, marker="o", markersize=5, label=SHOWN[method])
        axes.fill_between(
            sizes, medians, [timing.percentile(95) for timing in mine], color=color, alpha=0.18, linewidth=0
        )
    axes.axhline(
        REPORTED_MS, color=look.ink, linewidth=1, linestyle=":", label=f"{REPORTED_MS:.0f} ms: the report's, on a GPU"
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel("vectors", fontsize=9)
    axes.set_ylabel("milliseconds a search", fontsize=9)
    axes.grid(color=look.grid, linewidth=0.5)


def figures(found: Iterable[Timing]) -> dict[str, float]:
    """Return the figures by name: `METHOD_p50_ms_SIZE`, and of an index how well and how fast it was built."""
    result: dict[str, float] = {}
    for timing in found:
        result[f"{timing.method}_p50_ms_{timing.size}"] = timing.percentile(50)
        result[f"{timing.method}_p95_ms_{timing.size}"] = timing.percentile(95)
        if timing.method == INDEX:
            result[f"{INDEX}_recall_at_{NEAREST}_{timing.size}"] = timing.recall
            result[f"{INDEX}_similarity_lost_{timing.size}"] = timing.lost
            result[f"{INDEX}_build_seconds_{timing.size}"] = timing.build_seconds
    return result
