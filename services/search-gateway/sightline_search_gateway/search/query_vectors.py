"""What a query says as vectors: where the nearest are looked for, what is not wanted, what is right or wrong."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Collection, Image, SearchParams

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.images.service import ImageService
from sightline_search_gateway.search.calibration import USUAL
from sightline_search_gateway.search.query import Part, SearchQuery
from sightline_search_gateway.search.query_encoder import QueryEncoder, combine
from sightline_search_gateway.search.relevance import Calibration, FirstResults
from sightline_search_gateway.search.unwanted import FOUND, Unwanted, unwanted_by_text
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from sightline_search_gateway.search.wishes import Wishes

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class QueryVectors:
    """A query as vectors.

    Attributes:
        origin: The vector that the nearest are looked for of: (visual_dimensions,) where pictures alone count, else
            (dimensions,).
        wishes: None where nothing is said beside what is looked for.
        unshown: The pictures of the collection that are looked for, or are not wanted.
        encode_seconds: How long the encoder took.
    """

    origin: Vector
    wishes: Wishes | None
    unshown: list[Image]
    encode_seconds: float


@dataclass(frozen=True)
class QueryVectorReader:
    """Makes vectors of queries, by the encoder and by what the collection has. Safe to use from several threads."""

    query_encoder: QueryEncoder
    images: ImageService

    def read(
        self,
        query: SearchQuery,
        collection: Collection,
        words: VocabularyEmbeddings | None,
        calibration: Calibration | None,
    ) -> QueryVectors:
        """Return a query as vectors; words and calibration may not be known yet.

        Raises:
            BucketError, EncoderError, ItemError, CatalogueError: As the clients do.
            ServiceError: A picture is not there or cannot be searched by, or the parts cancel each other out.
        """
        # A text without weight beside pictures is not encoded.
        parts = [part for part in query.origins if part.text is None or not query.is_visual]
        excluded_texts = [part for part in query.excluded if part.text is not None]
        excluded_pictures = [part for part in query.excluded if part.text is None]
        unshown = images_of(collection, query.unshown_ids)
        seconds = 0.0

        def vectors(parts: Sequence[Part], *, visual: bool) -> list[Vector]:
            nonlocal seconds
            began = time.perf_counter()
            encoded = {part: self._encode(part, collection, unshown, visual=visual) for part in parts if _is_sent(part)}
            seconds += time.perf_counter() - began
            kept = [part.image_id for part in parts if part.image_id is not None and part not in encoded]
            stored = dict(zip(kept, vectors_of(collection, kept, visual=visual), strict=True))
            return [encoded[part] if part in encoded else stored[str(part.image_id)] for part in parts]

        origin = combine(
            [(part.weight, vector) for part, vector in zip(parts, vectors(parts, visual=query.is_visual), strict=True)]
        )
        wishes = None
        if query.is_refined:
            texts = vectors(excluded_texts, visual=False)
            wanted = None if query.is_visual else origin
            unwanted = _unwanted_by_texts(collection, texts, wanted, words, calibration)
            unwanted += [Unwanted(vector) for vector in vectors(excluded_pictures, visual=True)]
            liked, disliked = (vectors_of(collection, ids, visual=True) for ids in (query.liked, query.disliked))
            wishes = Wishes(unwanted, _rows(liked), _rows(disliked), (calibration or USUAL).chance, words)
        return QueryVectors(origin, wishes, list(unshown.values()), seconds)

    def _encode(self, part: Part, collection: Collection, known: dict[str, Image], *, visual: bool) -> Vector:
        """Return the vector of what has to be encoded."""
        if part.text is not None:
            return self.query_encoder.encode(part.text, collection.model)
        data = part.file
        if part.crop is not None:
            image = known[part.image_id] if part.image_id is not None else None
            data = self.images.crop(part.crop, image=image, file=part.file or b"")
        return self.query_encoder.encode(data or b"", collection.model, visual=visual)


def images_of(collection: Collection, ids: Sequence[str]) -> dict[str, Image]:
    """Return images of the collection by their ids.

    Raises:
        ServiceError: One is not there.
    """
    images: dict[str, Image] = {}
    for image_id, image in zip(ids, collection.get(ids) if ids else (), strict=True):
        if image is None:
            raise ServiceError("image-not-found", f"There is no picture {image_id}; it may have been removed.")
        images[image_id] = image
    return images


def vectors_of(collection: Collection, ids: Sequence[str], *, visual: bool) -> list[Vector]:
    """Return the vectors of images of the collection; with `visual` the visual ones, where the model has such.

    Raises:
        ServiceError: One is not there, or has no vector.
    """
    if not ids:
        return []
    vectors: list[Vector] = []
    for image_id, vector in zip(ids, collection.vectors(ids, visual=visual), strict=True):
        if vector is None:
            image = images_of(collection, [image_id])[image_id]
            why = f": {image.reason}" if image.reason else ""
            raise ServiceError(
                "no-vector", f"This picture is {image.state}{why}; only indexed ones can be searched by."
            )
        vectors.append(vector)
    return vectors


def _is_sent(part: Part) -> bool:
    """Return whether a part goes to the encoder: the collection has the vector of a whole picture."""
    return part.image_id is None or part.crop is not None


def _unwanted_by_texts(
    collection: Collection,
    texts: Sequence[Vector],
    wanted: Vector | None,
    words: VocabularyEmbeddings | None,
    calibration: Calibration | None,
) -> list[Unwanted]:
    """Return what texts that are not wanted mean; of one that finds nothing, nothing."""
    params = SearchParams(limit=FOUND, distinct=True, with_vectors=True, by_text=True)
    unwanted: list[Unwanted] = []
    for text, found in zip(texts, collection.nearest_batch(texts, params) if texts else (), strict=True):
        if found.images and found.vectors is not None and found.visual is not None:
            order = np.arange(len(found.images))
            first = FirstResults(found.similarities, found.vectors, found.visual, order)
            unwanted.append(unwanted_by_text(text, first, words, calibration, wanted))
    return unwanted


def _rows(vectors: Sequence[Vector]) -> Vector:
    return np.stack(vectors) if vectors else np.empty((0, 0), np.float32)
