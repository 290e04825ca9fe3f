"""Searches, without HTTP: a query to images, clusters, a graph, and whether it was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Collection, Image, ModelRef, Nearest, SearchParams, UnknownImage, order_of

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.search.calibration import Calibrator
from sightline_search_gateway.search.judging import FirstLook
from sightline_search_gateway.search.query_encoder import QueryEncoder, combine
from sightline_search_gateway.search.relevance import Relevance, named, relevance_of
from sightline_search_gateway.search.result_graph import ResultGraph, build_result_graph
from sightline_search_gateway.search.vocabulary import VocabularyEmbedder, VocabularyEmbeddings

Vector = NDArray[np.float32]
Order = Literal["best", "date"]
NOTHING = Nearest([], np.empty(0, np.float32))
SORTED_DEPTH = 500
"""How many of the first results are looked at for likely ones, where these are sorted by date."""


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
        relevance: None where it cannot be told.
        probabilities: Of each of the first so many images, how likely it is what was asked for.
        timings: How long each step took.
    """

    query: SearchQuery
    params: SearchParams
    model: ModelRef | None = None
    found: Nearest = NOTHING
    graph: ResultGraph = field(default_factory=ResultGraph)
    relevance: Relevance | None = None
    probabilities: list[float] = field(default_factory=list)
    timings: SearchTimings = field(default_factory=SearchTimings)


@dataclass(frozen=True)
class SearchService:
    """Answers searches. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    query_encoder: QueryEncoder
    vocabulary: VocabularyEmbedder
    calibrator: Calibrator
    max_depth: int

    def search(self, query: SearchQuery, params: SearchParams, order: Order = "best") -> SearchOutcome:
        """Return the images that are nearest to a query; for a text alone in the order that its model is best with.

        The query's vector is the normalised sum of its parts' vectors, each times its weight. Where no text
        counts, they are visual vectors. By `date`, the likely ones alone are returned, the newest first.

        Raises:
            EncoderError, ItemError, CatalogueError: As the clients do.
            ServiceError: The query cannot be answered.
        """
        collection = self.catalogue.current_if_any()
        timings = SearchTimings()
        if collection is None:
            return self._outcome(query, params, None, NOTHING, timings, None)
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
        copies = tuple(image.copy_group for image in images if image.copy_group and params.distinct)
        origin = combine(weighted)
        look = self._look(query, collection, origin)
        found = self._nearest(
            look,
            replace(params, by_text=not visual, visual=visual, exclude_copies=copies),
            partial(collection.nearest, origin),
            order,
        )
        timings.search = time.perf_counter() - began
        return self._outcome(query, params, collection, found, timings, look, order)

    def similar(self, image_id: str, params: SearchParams, order: Order = "best") -> SearchOutcome:
        """Return the images that are nearest to one of the collection, without itself and its copies.

        Raises:
            CatalogueError: As the client does.
            ServiceError: There is no such image, or it has not been indexed.
        """
        collection = self.catalogue.current()
        query = SearchQuery(image_ids=(image_id,))
        look = self._look(query, collection, None)
        began = time.perf_counter()
        try:
            found = self._nearest(look, params, partial(collection.similar, image_id), order)
        except UnknownImage:
            # One without a vector is as unknown to the database as one that is not there.
            images_of(collection, (image_id,))
            raise
        timings = SearchTimings(search=time.perf_counter() - began)
        return self._outcome(query, params, collection, found, timings, look, order)

    def _look(self, query: SearchQuery, collection: Collection, origin: Vector | None) -> FirstLook | None:
        """Return what looks at a query's first results; None where it is of several kinds, or points away."""
        if query.is_text_alone:
            how = self.query_encoder.reranking(collection.model)
            return FirstLook(how, origin) if query.text_weight > 0 else None
        weights = [query.picture_weight] * (query.picture is not None) + [query.image_weight] * bool(query.image_ids)
        return FirstLook() if query.is_visual and min(weights) >= 0 else None

    def _nearest(
        self, look: FirstLook | None, params: SearchParams, search: Callable[[SearchParams], Nearest], order: Order
    ) -> Nearest:
        if look is None:
            if order == "date":
                raise ServiceError("invalid-request", "Only what a text or a picture finds can be sorted by date.")
            return search(params)
        if order == "date":
            depth = min(SORTED_DEPTH, self.max_depth)
            params = replace(params, offset=0, limit=depth)
            return search(replace(params, reordering=look.reordering(depth), with_vectors=True))
        # Results after the first are judged by their vectors; those of the first are there anyway.
        return search(replace(params, reordering=look.reordering(), with_vectors=True))

    def _outcome(
        self,
        query: SearchQuery,
        params: SearchParams,
        collection: Collection | None,
        found: Nearest,
        timings: SearchTimings,
        look: FirstLook | None,
        order: Order = "best",
    ) -> SearchOutcome:
        words = self.vocabulary.get(collection.model) if collection is not None else None
        probabilities, relevance = self._relevance(query, params, collection, found, words, look, order)
        if order == "date" and found.images:
            found, probabilities, relevance = _newest(found, probabilities, relevance, params)
        graph = ResultGraph()
        if params.with_vectors and found.vectors is not None and found.visual is not None:
            began = time.perf_counter()
            graph = build_result_graph(found.images, found.similarities, found.vectors, found.visual, words, query.text)
            timings.cluster = time.perf_counter() - began
        model = collection.model if collection is not None else None
        return SearchOutcome(query, params, model, found, graph, relevance, probabilities, timings)

    def _relevance(
        self,
        query: SearchQuery,
        params: SearchParams,
        collection: Collection | None,
        found: Nearest,
        words: VocabularyEmbeddings | None,
        look: FirstLook | None,
        order: Order,
    ) -> tuple[list[float], Relevance | None]:
        """Return how likely results are what was asked for, and whether it was found; as far as that can be told."""
        if look is not None and collection is not None and words is not None:
            calibration = self.calibrator.calibration(collection, words)
            if calibration is not None and (look.first is not None or not found.images):
                offset = params.offset if order == "best" else 0
                first, shown = look.probabilities(words, calibration, found, offset)
                similarities = found.similarities[: len(shown)]
                return shown.tolist(), relevance_of(_named(query), first, shown, similarities)
        return [], Relevance(relevant=len(found.images)) if query.text is not None else None


def _newest(
    found: Nearest, probabilities: list[float], relevance: Relevance | None, params: SearchParams
) -> tuple[Nearest, list[float], Relevance]:
    """Return a page of the likely results, the newest first, and what is told of it.

    Raises:
        ServiceError: It is not known which are likely.
    """
    if relevance is None or relevance.likely is None:
        raise ServiceError(
            "not-ready", "It is being learnt which results are likely; try again soon.", retry_after_seconds=2
        )
    likely = range(min(relevance.likely, len(found.images)))
    newest = sorted(likely, key=lambda place: order_of(found.images[place]), reverse=True)
    page = newest[params.offset : params.offset + params.limit]
    chosen = Nearest(
        [found.images[place] for place in page],
        found.similarities[page],
        None if found.vectors is None else found.vectors[page],
        None if found.visual is None else found.visual[page],
        None if found.copies is None else [found.copies[place] for place in page],
    )
    threshold = round(float(chosen.similarities.min()), 4) if page else None
    return chosen, [probabilities[place] for place in page], replace(relevance, relevant=len(page), threshold=threshold)


def _named(query: SearchQuery) -> str:
    """Return what was asked for as a message names it."""
    if query.text is not None and not query.is_visual:
        return named(query.text)
    return "this picture" if len(query.image_ids) + (query.picture is not None) == 1 else "these pictures"


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
