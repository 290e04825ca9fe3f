"""What a text finds among pictures in memory, in the order in which the gateway shows it, and by its code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_encoder.models import Model
from sightline_search_gateway.exports import rerank

from benchmarks.harness.pictures import Vectors


@dataclass(frozen=True)
class Rows:
    """The vectors of n pictures, and how their model puts them in order.

    Attributes:
        vectors: (n, dimensions), that texts are compared with.
        visual: (n, visual_dimensions), that pictures are compared by; `vectors` where the model has none of its own.
        reranking: How what a text finds is put in order; None where it stays.
    """

    vectors: Vectors
    visual: Vectors
    reranking: Reranking | None = None

    @classmethod
    def of(cls, model: Model, both: Vectors) -> Rows:
        """Return what a model made of pictures: (n, dimensions + visual_dimensions)."""
        visual = both[:, -(model.visual_dimensions or model.dimensions) :]
        return cls(both[:, : model.dimensions], visual, model.reranking)

    def nearest(self, vector: Vectors) -> NDArray[np.intp]:
        """Return the places of all pictures, (n,), the nearest to a vector first."""
        return np.argsort(-(self.vectors @ vector), kind="stable")

    def found(self, vector: Vectors) -> NDArray[np.intp]:
        """Return the places of all pictures, (n,), as a text of this vector finds them."""
        order, how = self.nearest(vector), self.reranking
        if how is None:
            return order
        head = order[: how.depth]
        return np.concatenate([head[rerank(self.vectors[head] @ vector, self.visual[head], how)], order[how.depth :]])
