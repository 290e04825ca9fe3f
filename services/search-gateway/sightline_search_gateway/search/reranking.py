"""Puts the nearest pictures of a text in order by what the best of them look like.

Pseudo relevance feedback: the best results are taken for right, and what is near their mean moves up (Rocchio,
"Relevance Feedback in Information Retrieval", 1971). A text's similarity tells what is in a picture, and errs in single
ones; pictures that look like most of the best are rarely wrong. Where the best have little in common, as those of
"vehicle" or of a word that nothing fits, the text alone decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking

Vectors = NDArray[np.float32]
FEWEST, LEAST_TIMES = 3, 5
"""The best are at least so many, and the best of so many times as many: of a dozen, ten are nearly all."""
NO_DEVIATION = 1e-6
"""Of scores that deviate less, all are equal."""


def rerank(similarities: Vectors, visual: Vectors, how: Reranking) -> NDArray[np.intp]:
    """Return the places of pictures in a better order: (n,) of 0 to n - 1.

    Args:
        similarities: (n,) to the text, the best first.
        visual: (n, visual_dimensions) unit vectors.
        how: As the model's description has it. Of few pictures fewer count as the best; of very few the order stays.
    """
    order = np.arange(len(similarities))
    count = min(how.best, len(order) // LEAST_TIMES)
    if count < min(how.best, FEWEST) or count < 2:
        return order
    best = visual[:count]
    total = best.sum(axis=0)
    # All pairs, less each one's with itself.
    alike = (float(total @ total) - count) / (count * (count - 1))
    weight = float(np.clip((alike - how.alike_from) / max(how.alike_to - how.alike_from, NO_DEVIATION), 0, 1))
    if not weight:
        return order
    to_mean = visual @ (total / np.linalg.norm(total))
    return np.argsort(-(standard(similarities) + weight * standard(to_mean)), kind="stable")


def standard(scores: Vectors) -> Vectors:
    """Return scores less their mean, in standard deviations: (n,)."""
    deviation = float(scores.std())
    standard: Vectors = (scores - scores.mean()) / max(deviation, NO_DEVIATION)
    return standard
