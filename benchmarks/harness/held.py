"""Pictures in memory, read as the gateway reads a collection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import INDEXED, Image, Nearest, SearchParams
from sightline_encoder import models
from sightline_search_gateway.exports import (
    MAX_CLUSTERED,
    FirstLook,
    FirstResults,
    VocabularyEmbeddings,
    read_vocabulary,
)

from benchmarks.harness import pictures
from benchmarks.harness.pictures import Vectors
from benchmarks.harness.ranking import Rows


@dataclass
class Pictures:
    """n pictures and their vectors."""

    images: list[Image]
    rows: Rows
    name: str = "pictures"

    def found(self, vector: Vectors, limit: int = MAX_CLUSTERED) -> Nearest:
        """Return what a text of this vector finds, with vectors."""
        return self._at(self.rows.found(vector)[:limit], vector)

    def nearest_batch(self, vectors: Iterable[Vectors], params: SearchParams) -> list[Nearest]:
        """Return the nearest pictures of each vector."""
        return [self._at(self.rows.nearest(vector)[: params.limit], vector) for vector in vectors]

    def _at(self, order: NDArray[np.intp], vector: Vectors) -> Nearest:
        vectors = self.rows.vectors[order]
        return Nearest([self.images[place] for place in order], vectors @ vector, vectors, self.rows.visual[order])


def first_results(
    rows: Rows, vector: Vectors, among: NDArray[np.intp], *, by_text: bool
) -> tuple[FirstResults, NDArray[np.intp]]:
    """Return what the gateway sees of a search's first results, and their places among all pictures, as it shows them.

    Args:
        rows: The vectors of all pictures.
        vector: That of a text, or the visual one of a picture.
        among: The places of the pictures that there are.
        by_text: Whether it is that of a text.
    """
    look = FirstLook(rows.reranking if by_text else None)
    reordering = look.reordering()
    similarities = (rows.vectors if by_text else rows.visual)[among] @ vector
    nearest = np.argsort(-similarities, kind="stable")[: reordering.depth]
    places = among[nearest]
    order = reordering.order(similarities[nearest], rows.vectors[places], rows.visual[places])
    assert look.first is not None
    return look.first, places[order]


def as_images(keys: Sequence[str], labels: Sequence[str | None]) -> list[Image]:
    """Return pictures as the catalogue would have them."""
    return [
        Image(id=key, bucket="main", key=key, state=INDEXED, label=label)
        for key, label in zip(keys, labels, strict=True)
    ]


def vocabulary_of(model: models.Model) -> VocabularyEmbeddings:
    """Return the gateway's vocabulary under a model."""
    texts = read_vocabulary().texts
    return VocabularyEmbeddings(texts, pictures.encode_texts(model, texts))
