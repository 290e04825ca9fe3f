"""Selects the images of a map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import INDEXED, Collection, Labelled

from sightline_search_gateway.maps.request import MapRequest


@dataclass(frozen=True)
class Selection:
    """Images with their vectors.

    Attributes:
        ids: n, in the order of ids.
        label: (n,) int32, index into labels; -1 for none.
        labels: By number.
        vectors: (n, d) float32, of length one, that are laid out: the visual ones, where the model has such.
        named_by: (n, dimensions) float32, of length one, that words are compared with; may be `vectors`.
        total: How many matched before the sample was taken.
    """

    ids: list[str]
    label: NDArray[np.int32]
    labels: list[str]
    vectors: NDArray[np.float32]
    named_by: NDArray[np.float32]
    total: int


def split_rows(rows: NDArray[np.float32], dimensions: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return what is laid out and what words are compared with, of rows that hold the visual vector behind the other.

    Args:
        rows: (n, dimensions + visual_dimensions); the same serves for both where there is no visual one.
        dimensions: Of the vectors that words are compared with.
    """
    return rows[:, dimensions:] if rows.shape[1] > dimensions else rows, rows[:, :dimensions]


def select(collection: Collection, request: MapRequest) -> Selection:
    """Return the images that a request selects, of copies one.

    More than the sample: the first by id. Ids are hashes, so that these are a fair sample, the same every time, which a
    new picture changes by one at most.
    """
    if request.ids:
        found = [image for image in collection.get(request.ids) if image is not None and image.state == INDEXED]
        # Chosen one by one, copies among them.
        matching: Iterable[Labelled] = [Labelled(image.id, image.label, None) for image in found]
        total = len(found)
    else:
        matching = (one for batch in collection.scan_labels(request.filter) for one in batch)
        total = collection.count(request.filter)
    chosen = _choose(matching, request, _labels_to_fill(collection, request))
    rows = collection.rows([one for one, _ in chosen])
    kept = [(one, label, row) for (one, label), row in zip(chosen, rows, strict=True) if row is not None]
    dimensions = collection.model.dimensions
    together = np.stack([row for _, _, row in kept]) if kept else np.empty((0, dimensions), np.float32)
    vectors, named_by = split_rows(together, dimensions)
    label, labels = number_labels([label for _, label, _ in kept])
    return Selection(
        ids=[one for one, _, _ in kept],
        label=label,
        labels=labels,
        vectors=vectors,
        named_by=named_by,
        total=total,
    )


def expected_count(collection: Collection, request: MapRequest) -> tuple[int, int]:
    """Return how many points a request's map will have, and how many pictures match, by counting alone."""
    if request.ids:
        found = [image for image in collection.get(request.ids) if image is not None and image.state == INDEXED]
        labels = Counter(image.label for image in found if image.label)
        total = len(found)
    else:
        total = collection.count(request.filter)
        labels = Counter(collection.labels(request.filter)) if request.per_label else Counter()
    count = total
    if request.per_label:
        unlabelled = total - sum(labels.values())
        count = min(unlabelled, request.per_label) + sum(min(one, request.per_label) for one in labels.values())
    return min(count, request.sample), total


def number_labels(labels: list[str | None]) -> tuple[NDArray[np.int32], list[str]]:
    """Return each label's number, (n,) int32, -1 for none, and the labels by number, in their own order."""
    names = sorted({label for label in labels if label})
    number = {name: place for place, name in enumerate(names)}
    return np.array([number.get(label or "", -1) for label in labels], np.int32), names


def _choose(matching: Iterable[Labelled], request: MapRequest, to_fill: int | None) -> list[tuple[str, str | None]]:
    chosen: list[tuple[str, str | None]] = []
    taken: Counter[str | None] = Counter()
    seen: set[str] = set()
    for one, label, group in matching:
        if group in seen:
            continue
        if request.per_label:
            if taken[label] >= request.per_label:
                continue
            taken[label] += 1
        chosen.append((one, label))
        if group:
            seen.add(group)
        if len(chosen) >= request.sample or (to_fill is not None and len(chosen) >= to_fill):
            break
    return chosen


def _labels_to_fill(collection: Collection, request: MapRequest) -> int | None:
    """Return how many images will be chosen, so that the scan can stop there; None where only the sample limits it."""
    return expected_count(collection, request)[0] if request.per_label and not request.ids else None
