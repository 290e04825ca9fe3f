"""Searches, without HTTP: a query to images, clusters, a graph, and whether it was found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Collection, Image, ModelRef, Nearest, Reordering, SearchParams, UnknownImage

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.search.query_encoder import QueryEncoder, combine
from sightline_search_gateway.search.relevance import BEST, Calibrator, Relevance, assess
from sightline_search_gateway.search.reranking import rerank
from sightline_search_gateway.search.result_graph import ResultGraph, build_result_graph
from sightline_search_gateway.search.vocabulary import VocabularyEmbedder, VocabularyEmbeddings

NOTHING = Nearest([], np.empty(0, np.float32))


@dataclass(frozen=True)
class SearchQuery:
    """A text, a picture file, images of the collection, or several of them; each counts as much as its weight says."""

    text: str | None = None
    picture: bytes | None = None
    image_ids: tuple[str, ...] = ()
    text_weight: float = 1.0
    picture_weight: float = 1.0
    image_weight: float = 1.0

    @property
    def is_visual(self) -> bool:
        """Whether pictures alone count."""
        return self.text is None or (not self.text_weight and not self.is_text_alone)

    @property
    def is_text_alone(self) -> bool:
        """Whether the query is a text and nothing else."""
        return self.text is not None and self.picture is None and not self.image_ids


@dataclass
class SearchTimings:
    """Seconds of a search's steps."""

    encode: float = 0.0
    search: float = 0.0
    cluster: float = 0.0


@dataclass(frozen=True)
class SearchOutcome:
    """What was found.

    Attributes:
        query: What was looked for.
        params: Which of the results, and of what.
        model: Whose vectors were searched; None while nothing has been indexed.
        found: Images with similarities, the best first; that need not be the most similar one.
        graph: Their clusters and edges.
        relevance: None where the query has no text.
        timings: How long each step took.
    """

    query: SearchQuery
    params: SearchParams
    model: ModelRef | None = None
    found: Nearest = NOTHING
    graph: ResultGraph = field(default_factory=ResultGraph)
    relevance: Relevance | None = None
    timings: SearchTimings = field(default_factory=SearchTimings)


@dataclass(frozen=True)
class SearchService:
    """Answers searches. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    query_encoder: QueryEncoder
    vocabulary: VocabularyEmbedder
    calibrator: Calibrator

    def search(self, query: SearchQuery, params: SearchParams) -> SearchOutcome:
        """Return the images that are nearest to a query; for a text alone in the order that its model is best with.

        The query's vector is the normalised sum of its parts' vectors, each times its weight. Where no text
        counts, they are visual vectors.

        Raises:
            EncoderError, ItemError, CatalogueError: As the clients do.
            ServiceError: The query cannot be answered.
        """
        collection = self.catalogue.current_if_any()
        timings = SearchTimings()
        if collection is None:
            return self._outcome(query, params, None, NOTHING, timings)
        began = time.perf_counter()
        weighted = []
        visual = query.is_visual
        if query.picture is not None:
            vector = self.query_encoder.encode(query.picture, collection.model, visual=visual)
            weighted.append((query.picture_weight, vector))
        if query.text is not None and not visual:
            weighted.append((query.text_weight, self.query_encoder.encode(query.text, collection.model)))
        timings.encode = time.perf_counter() - began
        began = time.perf_counter()
        images, vectors = images_of(collection, query.image_ids, visual=visual)
        weighted += [(query.image_weight, vector) for vector in vectors]
        nearest: list[float] = []
        reordering = (
            self._reordering(collection.model, nearest) if query.is_text_alone and query.text_weight > 0 else None
        )
        copies = tuple(image.sha256 for image in images if image.sha256 and params.distinct)
        found = collection.nearest(
            combine(weighted),
            replace(params, by_text=not visual, visual=visual, exclude_sha256=copies, reordering=reordering),
        )
        timings.search = time.perf_counter() - began
        return self._outcome(query, params, collection, found, timings, nearest)

    def _reordering(self, model: ModelRef, nearest: list[float]) -> Reordering | None:
        """Return how a model's results are put in order; the similarities of the most similar go to `nearest`."""
        how = self.query_encoder.reranking(model)
        if how is None:
            return None

        def order(similarities: NDArray[np.float32], visual: NDArray[np.float32]) -> NDArray[np.intp]:
            nearest[:] = similarities[:BEST].tolist()
            return rerank(similarities, visual, how)

        return Reordering(how.depth, order)

    def similar(self, image_id: str, params: SearchParams) -> SearchOutcome:
        """Return the images that are nearest to one of the collection, without itself and its copies.

        Raises:
            CatalogueError: As the client does.
            ServiceError: There is no such image, or it has not been indexed.
        """
        collection = self.catalogue.current()
        began = time.perf_counter()
        try:
            found = collection.similar(image_id, params)
        except UnknownImage:
            # One without a vector is as unknown to the database as one that is not there.
            images_of(collection, (image_id,))
            raise
        timings = SearchTimings(search=time.perf_counter() - began)
        return self._outcome(SearchQuery(image_ids=(image_id,)), params, collection, found, timings)

    def _outcome(
        self,
        query: SearchQuery,
        params: SearchParams,
        collection: Collection | None,
        found: Nearest,
        timings: SearchTimings,
        nearest: Sequence[float] = (),
    ) -> SearchOutcome:
        embeddings = self.vocabulary.get(collection.model) if collection is not None else None
        graph = ResultGraph()
        if found.vectors is not None and found.visual is not None:
            began = time.perf_counter()
            graph = build_result_graph(
                found.images, found.similarities, found.vectors, found.visual, embeddings, query.text
            )
            timings.cluster = time.perf_counter() - began
        model = collection.model if collection is not None else None
        relevance = self._relevance(query, params, collection, found, embeddings, nearest)
        return SearchOutcome(query, params, model, found, graph, relevance, timings)

    def _relevance(
        self,
        query: SearchQuery,
        params: SearchParams,
        collection: Collection | None,
        found: Nearest,
        embeddings: VocabularyEmbeddings | None,
        nearest: Sequence[float],
    ) -> Relevance | None:
        """Return whether a text was found; not assessed if it is not alone or the best results are left out."""
        if query.text is None:
            return None
        if query.is_text_alone and params.offset == 0 and collection is not None and embeddings is not None:
            calibration = self.calibrator.calibration(collection, embeddings)
            if calibration is not None:
                return assess(query.text, found.similarities, found.vectors, embeddings, calibration, nearest)
        return Relevance(relevant=len(found.images))


def images_of(
    collection: Collection, ids: tuple[str, ...], *, visual: bool = False
) -> tuple[list[Image], list[NDArray[np.float32]]]:
    """Return images of the collection, and their vectors; with `visual` the visual ones, where the model has such.

    Raises:
        ServiceError: One is not there, or has no vector.
    """
    images: list[Image] = []
    vectors: list[NDArray[np.float32]] = []
    if not ids:
        return images, vectors
    for image_id, image, vector in zip(ids, collection.get(ids), collection.vectors(ids, visual=visual), strict=True):
        if image is None:
            raise ServiceError("image-not-found", f"There is no picture {image_id}; it may have been removed.")
        if vector is None:
            why = f": {image.reason}" if image.reason else ""
            raise ServiceError(
                "no-vector", f"This picture is {image.state}{why}; only indexed ones can be searched by."
            )
        images.append(image)
        vectors.append(vector)
    return images, vectors
