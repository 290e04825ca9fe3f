"""A collection in memory, as the gateway's relevance reads one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Image, Nearest, SearchParams
from sightline_encoder import models
from sightline_search_gateway.search import MAX_CLUSTERED, VocabularyEmbeddings, read_vocabulary

from benchmarks.harness.pictures import Vectors, encode_texts


@dataclass
class Pictures:
    """Pictures that can be searched.

    Attributes:
        images: n pictures.
        vectors: (n, dimensions) float32, of length one.
    """

    images: list[Image]
    vectors: Vectors
    name: str = "pictures"

    def nearest(self, vector: Vectors, limit: int = MAX_CLUSTERED) -> Nearest:
        """Return the nearest pictures, with vectors."""
        order = self.ranked(vector)[:limit]
        return Nearest([self.images[place] for place in order], (self.vectors @ vector)[order], self.vectors[order])

    def nearest_batch(self, vectors: Iterable[Vectors], params: SearchParams) -> list[Nearest]:
        """Return the nearest pictures of each vector."""
        return [self.nearest(vector, params.limit) for vector in vectors]

    def ranked(self, vector: Vectors) -> NDArray[np.intp]:
        """Return the places of all pictures, the nearest first."""
        return np.argsort(-(self.vectors @ vector), kind="stable")


def as_images(keys: Sequence[str], labels: Sequence[str | None]) -> list[Image]:
    """Return pictures as the catalogue would have them."""
    return [
        Image(id=key, bucket="main", key=key, state="indexed", label=label)
        for key, label in zip(keys, labels, strict=True)
    ]


def vocabulary_of(model: models.Model) -> VocabularyEmbeddings:
    """Return the gateway's vocabulary under a model."""
    texts = read_vocabulary().texts
    return VocabularyEmbeddings(texts, encode_texts(model, texts))
