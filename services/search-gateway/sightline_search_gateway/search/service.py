"""Searches, without HTTP: a query to images, clusters, a graph, and whether it was found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from sightline_catalogue import Collection, ModelRef, Nearest, SearchParams, UnknownImage

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.search.calibration import Calibrator
from sightline_search_gateway.search.judging import FirstLook
from sightline_search_gateway.search.named import Named
from sightline_search_gateway.search.newest import newest
from sightline_search_gateway.search.query import Part, SearchQuery
from sightline_search_gateway.search.query_encoder import QueryEncoder
from sightline_search_gateway.search.query_language import Term
from sightline_search_gateway.search.query_vectors import QueryVectorReader, QueryVectors, vectors_of
from sightline_search_gateway.search.relevance import Relevance, named, relevance_of
from sightline_search_gateway.search.result_graph import ResultGraph, build_result_graph
from sightline_search_gateway.search.vocabulary import VocabularyEmbedder

Order = Literal["best", "date"]
Search = Callable[[SearchParams], Nearest]
NOTHING = Nearest([], np.empty(0, np.float32))
SORTED_DEPTH = 500
"""How many of the first results are looked at for likely ones, where these are sorted by date."""


@dataclass
class SearchTimings:
    """Seconds of a search's steps."""

    encode: float = 0.0
    search: float = 0.0
    named: float = 0.0
    cluster: float = 0.0


@dataclass(frozen=True)
class SearchOutcome:
    """What was found.

    Attributes:
        query: What was looked for.
        params: Which of the results, and of what.
        model: Whose vectors were searched; None while nothing has been indexed.
        found: Images with similarities, the best first; that need not be the most similar one. Where filters alone
            were given, the newest first, and their similarities NaN.
        graph: Their clusters and edges.
        relevance: None where it cannot be told.
        probabilities: Of each of the first so many images, how likely it is what was asked for.
        terms: The filters that the text had in it, which the parameters have too.
        named: What the text finds by name; None where that was not looked for.
        timings: How long each step took.
    """

    query: SearchQuery
    params: SearchParams
    model: ModelRef | None = None
    found: Nearest = NOTHING
    graph: ResultGraph = field(default_factory=ResultGraph)
    relevance: Relevance | None = None
    probabilities: list[float] = field(default_factory=list)
    terms: tuple[Term, ...] = ()
    named: Named | None = None
    timings: SearchTimings = field(default_factory=SearchTimings)


class _Judged(NamedTuple):
    """Results, of each of the first so many how likely it is what was asked for, and whether that was found."""

    found: Nearest
    probabilities: list[float]
    relevance: Relevance | None


@dataclass(frozen=True)
class SearchService:
    """Answers searches. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    query_encoder: QueryEncoder
    query_vectors: QueryVectorReader
    vocabulary: VocabularyEmbedder
    calibrator: Calibrator
    max_depth: int

    def search(self, query: SearchQuery, params: SearchParams, order: Order = "best") -> SearchOutcome:
        """Return the images that are nearest to a query; for a text alone in the order that its model is best with.

        The query's vector is the normalised sum of its parts' vectors, each times its weight. Where no text
        counts, they are visual vectors. What looks like what is not wanted goes down, and what looks like the results
        that were marked up or down (`Wishes`). By `date`, the likely ones alone are returned, the newest first.

        Raises:
            BucketError, EncoderError, ItemError, CatalogueError: As the clients do.
            ServiceError: The query cannot be answered.
        """
        collection = self.catalogue.current_if_any()
        if collection is None:
            nothing = _Judged(NOTHING, [], Relevance() if query.text is not None else None)
            return self._outcome(query, params, None, nothing, SearchTimings())
        began = time.perf_counter()
        words = self.vocabulary.get(collection.model)
        calibration = self.calibrator.calibration(collection, words) if words is not None else None
        vectors = self.query_vectors.read(query, collection, words, calibration)
        timings = SearchTimings(encode=vectors.encode_seconds)
        timings.search = time.perf_counter() - began - timings.encode
        copies = tuple(image.copy_group for image in vectors.unshown if image.copy_group and params.distinct)
        params = replace(params, exclude=(*params.exclude, *query.unshown_ids), exclude_copies=copies)
        params = replace(params, by_text=not query.is_visual, visual=query.is_visual)
        look = self._look(query, collection, vectors)
        search = _timed(partial(collection.nearest, vectors.origin), timings)
        judged = self._found(query, collection, look, params, search, order)
        return self._outcome(query, params, collection, judged, timings)

    def similar(
        self, image_id: str, params: SearchParams, order: Order = "best", diversity: float = 0.0
    ) -> SearchOutcome:
        """Return the images that are nearest to one of the collection, without itself and its copies.

        Raises:
            CatalogueError: As the client does.
            ServiceError: There is no such image, or it has not been indexed.
        """
        collection = self.catalogue.current()
        query = SearchQuery((Part(image_id=image_id),), diversity=diversity)
        look = FirstLook(diversity=diversity)
        timings = SearchTimings()
        search = _timed(partial(collection.similar, image_id), timings)
        try:
            judged = self._found(query, collection, look, params, search, order)
        except UnknownImage:
            # One without a vector is as unknown to the database as one that is not there.
            vectors_of(collection, [image_id], visual=True)
            raise
        return self._outcome(query, params, collection, judged, timings)

    def _look(self, query: SearchQuery, collection: Collection, vectors: QueryVectors) -> FirstLook | None:
        """Return what looks at a query's first results; None where they are neither judged nor put in order."""
        if not (query.is_judged or query.is_refined or query.diversity):
            return None
        is_text = query.is_one_text and query.is_judged
        how = self.query_encoder.reranking(collection.model) if is_text else None
        return FirstLook(how, vectors.origin if is_text else None, vectors.wishes, query.diversity)

    def _found(
        self,
        query: SearchQuery,
        collection: Collection,
        look: FirstLook | None,
        params: SearchParams,
        search: Search,
        order: Order,
    ) -> _Judged:
        """Return a page of what a search finds, judged as far as that can be."""
        if order == "best":
            return self._best(query, collection, look, params, search)
        if not query.is_judged:
            raise ServiceError("invalid-request", "Only what a text or a picture finds can be sorted by date.")
        depth = min(SORTED_DEPTH, self.max_depth)
        judged = self._best(query, collection, look, replace(params, offset=0, limit=depth), search, depth)
        return _Judged(*newest(*judged, params)) if judged.found.images else judged

    def _best(
        self,
        query: SearchQuery,
        collection: Collection,
        look: FirstLook | None,
        params: SearchParams,
        search: Search,
        depth: int = 0,
    ) -> _Judged:
        """Return the best results, of which at least `depth` are looked at."""
        if look is None:
            return self._judged(query, collection, look, params, search(params))
        # Results after the first are judged by their vectors; those of the first are there anyway.
        found = search(replace(params, reordering=look.reordering(depth), with_vectors=True))
        return self._judged(query, collection, look, params, found)

    def _judged(
        self,
        query: SearchQuery,
        collection: Collection,
        look: FirstLook | None,
        params: SearchParams,
        found: Nearest,
    ) -> _Judged:
        """Return how likely results are what was asked for, and whether it was found; as far as that can be told."""
        words = self.vocabulary.get(collection.model)
        if look is not None and query.is_judged and words is not None:
            calibration = self.calibrator.calibration(collection, words)
            if calibration is not None and (look.first is not None or not found.images):
                first, shown = look.probabilities(words, calibration, found, params.offset)
                similarities = found.similarities[: len(shown)]
                return _Judged(found, shown.tolist(), relevance_of(_named(query), first, shown, similarities))
        return _Judged(found, [], Relevance(relevant=len(found.images)) if query.text is not None else None)

    def _outcome(
        self,
        query: SearchQuery,
        params: SearchParams,
        collection: Collection | None,
        judged: _Judged,
        timings: SearchTimings,
    ) -> SearchOutcome:
        found, probabilities, relevance = judged
        graph = ResultGraph()
        if collection is not None and params.with_vectors and found.vectors is not None and found.visual is not None:
            began = time.perf_counter()
            graph = build_result_graph(
                found.images,
                found.similarities,
                found.vectors,
                found.visual,
                likely=relevance.relevant if probabilities and relevance is not None else None,
                words=self.vocabulary.get(collection.model),
                query=query.text,
                common=self.calibrator.common_labels(collection),
            )
            timings.cluster = time.perf_counter() - began
        model = collection.model if collection is not None else None
        return SearchOutcome(query, params, model, found, graph, relevance, probabilities, timings=timings)


def _timed(search: Search, timings: SearchTimings) -> Search:
    """Return a search whose time is added to the others'."""

    def timed(params: SearchParams) -> Nearest:
        began = time.perf_counter()
        found = search(params)
        timings.search += time.perf_counter() - began
        return found

    return timed


def _named(query: SearchQuery) -> str:
    """Return what was asked for as a message names it."""
    if query.text is not None and not query.is_visual:
        return named(query.text)
    return "this picture" if sum(part.text is None for part in query.origins) == 1 else "these pictures"
