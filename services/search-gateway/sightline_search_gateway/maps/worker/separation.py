"""How well labels separate in the vectors' own space, which no map distorts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import silhouette_score

from sightline_search_gateway.maps.results import Confusion, LabelSeparation, Separation

NEIGHBOURS = 10
SILHOUETTE_POINTS = 2000
FEWEST_OF_A_LABEL = 2
FEWEST_SAMPLED = 10
MOST_CONFUSED = 20
SEED = 20
DECIMALS = 4


def label_separation(
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    nearest: NDArray[np.int64],
    label: NDArray[np.int32],
    labels: Sequence[str],
) -> Separation | None:
    """Return how well labels separate; None with fewer than 2 labels of 2 pictures.

    Pictures without a label, and those alone of theirs, are left out; they count as neighbours, though.

    Args:
        vectors: (n, d) unit vectors.
        rows: (m,) indices of those whose neighbours are known: all, or a sample as `sampled` gives.
        nearest: (m, k) indices of the nearest of those, the nearest first.
        label: (n,), index into labels; -1 for none.
        labels: Their names.
    """
    counts = np.bincount(label[label >= 0], minlength=len(labels))
    counted = np.flatnonzero(counts >= FEWEST_OF_A_LABEL)
    if len(counted) < 2:
        return None
    kept = np.isin(label[rows], counted)
    neighbours = label[nearest[kept, :NEIGHBOURS]]
    own = label[rows[kept]]
    agreement = (neighbours == own[:, None]).mean(axis=1)
    per_label = [
        LabelSeparation(
            label=labels[one],
            count=int(counts[one]),
            knn_agreement=round(float(agreement[own == one].mean()), DECIMALS),
        )
        for one in counted.tolist()
    ]
    labelled = np.isin(label, counted)
    return Separation(
        knn_agreement=round(float(agreement.mean()), DECIMALS),
        silhouette=round(silhouette(vectors[labelled], label[labelled]), DECIMALS),
        per_label=per_label,
        confused=_confused(own, neighbours, labels),
    )


def sampled(label: NDArray[np.int32], most: int) -> NDArray[np.intp]:
    """Return the indices of about `most` of (n,) labels, or of all: of each label its share, and at least some."""
    if len(label) <= most:
        return np.arange(len(label))
    order = np.random.default_rng(SEED).permutation(len(label))
    # Each one's place among those of its label, in that order.
    by_label = order[np.argsort(label[order], kind="stable")]
    _, first, size = np.unique(label[by_label], return_index=True, return_counts=True)
    place = np.arange(len(label)) - np.repeat(first, size)
    quota = np.maximum(np.ceil(size * most / len(label)), np.minimum(size, FEWEST_SAMPLED))
    return np.sort(by_label[place < np.repeat(quota, size)])


def silhouette(vectors: NDArray[np.float32], own: NDArray[np.int32]) -> float:
    """Return the mean silhouette of (n, d) unit vectors in groups, or of 2,000 of them; 0 where there is none."""
    if len(own) > SILHOUETTE_POINTS:
        rows = np.random.default_rng(SEED).choice(len(own), SILHOUETTE_POINTS, replace=False)
        vectors, own = vectors[rows], own[rows]
    kinds = len(np.unique(own))
    if not 2 <= kinds < len(own):
        return 0.0
    return float(silhouette_score(vectors, own, metric="cosine"))


def _confused(own: NDArray[np.int32], neighbours: NDArray[np.int32], labels: Sequence[str]) -> list[Confusion]:
    """Return the ordered pairs whose first has most neighbours of the second's."""
    pairs = np.stack([np.repeat(own, neighbours.shape[1]), neighbours.ravel()], axis=1)
    pairs = pairs[(pairs[:, 1] >= 0) & (pairs[:, 0] != pairs[:, 1])]
    if not len(pairs):
        return []
    found, times = np.unique(pairs, axis=0, return_counts=True)
    size = np.bincount(own, minlength=len(labels)) * neighbours.shape[1]
    shares = times / size[found[:, 0]]
    best = np.argsort(-shares, kind="stable")[:MOST_CONFUSED]
    return [
        Confusion(a=labels[found[one, 0]], b=labels[found[one, 1]], share=round(float(shares[one]), DECIMALS))
        for one in best
    ]
