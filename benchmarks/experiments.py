"""What the report measures: what texts find, how well classes are found, how long searches take; see `report`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_pictures import thumbnail
from sightline_search_gateway.exports import (
    TEXT,
    Relevance,
    calibrate,
    falling,
    named,
    relevance_of,
    text_features,
)

from benchmarks.harness import pictures
from benchmarks.harness.held import Pictures, as_images, first_results, vocabulary_of
from benchmarks.harness.pictures import Collection, Vectors
from benchmarks.harness.questions import Score
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import say
from benchmarks.harness.timing import percentile, timed
from benchmarks.harness.vectors import Growth, built, exact, recall

SEED = 7
TEXTS = ("cat", "cat on car", "cat on chair")
"""The report's."""
TOP, SQUARE = 5, 384
FEW = 5
"""Classes that are drawn, and of the worst so many more."""
ENOUGH = (100, 50, 30, 20, 10, 1)
"""Pictures that a class should have to be drawn; the first of these that enough classes reach."""
NEAREST, QUERIES, WARM_UP = 50, 100, 5
GROWING, LARGEST_PART = 1.2, 0.8
"""Growing vectors takes so many times their own memory for a while; of what is free so much may be used."""


@dataclass(frozen=True)
class Subject:
    """A collection as a model sees it: n pictures that decode, the folders that they lie in, their vectors."""

    pictures: Collection
    model: models.Model
    keys: list[str]
    labels: NDArray[np.str_]
    rows: Rows


@dataclass(frozen=True)
class Answer:
    """A text and what it finds, the best first: key, similarity, thumbnail."""

    text: str
    results: list[tuple[str, float, bytes]]
    relevance: Relevance

    @property
    def verdict(self) -> str:
        """What the page would say above the results."""
        if not self.relevance.found:
            return f"{self.relevance.message} These are only the nearest that there are."
        if self.relevance.message is not None:
            return f"{self.relevance.message} These are the nearest."
        return (
            f"Found, as the gateway judges it: {self.relevance.likely} of the first {self.relevance.judged} are likely."
        )


def search_texts(subject: Subject) -> list[Answer]:
    """Search a collection for the report's texts, and assess the answers as the gateway does."""
    held = Pictures(as_images(subject.keys, subject.labels.tolist()), subject.rows)
    words = vocabulary_of(subject.model)
    scale = calibrate(held, words)  # type: ignore[arg-type]
    found = []
    for text, vector in zip(TEXTS, subject.model.encode_texts(list(TEXTS)), strict=True):
        nearest, relevance = held.found(vector, TOP), Relevance()
        if scale is not None:
            first, _ = first_results(subject.rows, vector, np.arange(len(subject.keys)), by_text=True)
            visual = first.visual[first.order]
            features = text_features(vector, first, words, scale, visual)
            probabilities = falling(TEXT.probabilities(features))
            relevance = relevance_of(
                named(text), probabilities, probabilities[: len(nearest.images)], nearest.similarities
            )
        shown = [
            (image.key, float(similarity), thumbnail(pictures.opened(subject.pictures.read(image.key), SQUARE)))
            for image, similarity in zip(nearest.images, nearest.similarities.tolist(), strict=True)
        ]
        found.append(Answer(text, shown, relevance))
    return found


def drawn_classes(sizes: Mapping[str, int], seed: int = SEED) -> tuple[list[str], int]:
    """Return up to five random classes, by name, and how many pictures each class had to have to be drawn."""
    if not sizes:
        return [], 0
    for enough in ENOUGH:
        names = sorted(name for name, size in sizes.items() if size >= enough)
        if len(names) >= FEW:
            break
    drawn = np.random.default_rng(seed).permutation(len(names))[:FEW]
    return [names[place] for place in sorted(drawn.tolist())], enough


def worst(found: Sequence[Score]) -> list[Score]:
    """Return the five classes of the lowest precision, the lowest first."""
    return sorted(found, key=lambda score: (score.precision, score.name))[:FEW]


@dataclass(frozen=True)
class SearchTimes:
    """Searches among a number of vectors by one method."""

    method: str
    size: int
    milliseconds: NDArray[np.float64]
    recall: float = 1.0
    build_seconds: float = 0.0

    def percentile(self, percent: float) -> float:
        """Return a percentile, in milliseconds."""
        return percentile(self.milliseconds, percent)

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        found = {f"{self.method}_p{percent}_ms_{self.size}": self.percentile(percent) for percent in (50, 95)}
        if self.method == "hnsw":
            found[f"hnsw_recall_at_{NEAREST}_{self.size}"] = self.recall
            found[f"hnsw_build_seconds_{self.size}"] = self.build_seconds
        return found


def sizes_that_fit(sizes: Sequence[int], dimensions: int, free_bytes: int) -> list[int]:
    """Return the sizes whose vectors can be grown in the memory that is free."""
    most = LARGEST_PART * free_bytes / (GROWING * dimensions * np.dtype(np.float32).itemsize)
    return [size for size in sizes if size <= most]


def on_device(vectors: Vectors, device: str) -> Callable[[Vectors], NDArray[np.intp]]:
    """Return an exact search by torch, as the report did it: one product, and the largest of it, there and back."""
    import torch

    matrix = torch.from_numpy(vectors).to(device)

    def search(question: Vectors) -> NDArray[np.intp]:
        similarities = matrix @ torch.from_numpy(question).to(device)
        return np.asarray(torch.topk(similarities, min(NEAREST, len(matrix))).indices.cpu().numpy(), dtype=np.intp)

    return search


def warmed(search: Callable[[Vectors], Any], asked: Vectors) -> tuple[NDArray[np.float64], list[Any]]:
    """Return the milliseconds of searches, and their answers."""
    timed(search, asked[:WARM_UP])
    return timed(search, asked)


def measure(vectors: Vectors, asked: Vectors, sizes: Iterable[int], indexed_to: int, gpu: bool) -> list[SearchTimes]:
    """Search by each method among the first so many of (n, d) vectors, for each size; no larger index is built."""
    found = []
    for size in sizes:
        part = vectors[:size]
        say(f"Figure 5: searching {size:,} vectors")
        milliseconds, expected = warmed(partial(exact, part, count=NEAREST), asked)
        found.append(SearchTimes("exact_cpu", size, milliseconds))
        if gpu:
            found.append(SearchTimes("exact_gpu", size, warmed(on_device(part, "cuda"), asked)[0]))
        if size > indexed_to:
            continue
        with built(part) as shard:
            milliseconds, got = warmed(partial(shard.search, count=NEAREST), asked)
        recalls = [recall(part, *one) for one in zip(asked, got, expected, strict=True)]
        found.append(SearchTimes("hnsw", size, milliseconds, float(np.mean(recalls)), shard.build_seconds))
    return found


def search_times(subject: Subject, sizes: Sequence[int], indexed_to: int) -> tuple[list[SearchTimes], list[str]]:
    """Measure Figure 5 at the sizes that fit into memory; return with it what has to be said of it."""
    vectors_of_pictures = subject.rows.vectors
    dimensions = vectors_of_pictures.shape[1]
    kept = sizes_that_fit(sizes, dimensions, psutil.virtual_memory().available)
    notes = []
    if left_out := ", ".join(f"{size:,}" for size in sizes if size not in kept):
        notes.append(f"Left out for want of memory: {left_out} vectors.")
    import torch

    gpu, found = torch.cuda.is_available(), []
    if kept:
        vectors = Growth(vectors_of_pictures).all(max(kept))
        vectors[: len(vectors_of_pictures)] = vectors_of_pictures[: len(vectors)]
        asked = pictures.encode_texts(subject.model, pictures.texts("a photo of a {}", count=QUERIES))
        found = measure(vectors, asked, kept, indexed_to, gpu)
    if any(size > indexed_to for size in kept):
        notes.append(f"Above {indexed_to:,} vectors no index was built (HNSW=NUMBER builds larger ones).")
    if not gpu:
        notes.append("Nothing was measured on a GPU: PyTorch finds no CUDA device on this machine.")
    return found, notes
