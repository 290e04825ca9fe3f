"""Searches by what stands in the search box: by looks, by name, or by filters alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from sightline_catalogue import INDEXED, Filter, Nearest, NotDerived, SearchParams, TooDeep

from sightline_search_gateway.clients.circuit_breaker import CatalogueCircuitBreaker
from sightline_search_gateway.search.named import find_named
from sightline_search_gateway.search.query import SearchQuery
from sightline_search_gateway.search.query_language import ParsedQuery
from sightline_search_gateway.search.service import Order, SearchOutcome, SearchService, SearchTimings


@dataclass(frozen=True)
class TextSearch:
    """Answers what was written into the search box. Safe to use from several threads."""

    catalogue: CatalogueCircuitBreaker
    search: SearchService
    max_depth: int

    def answer(
        self, parsed: ParsedQuery, params: SearchParams, order: Order = "best", diversity: float = 0.0
    ) -> SearchOutcome:
        """Return what a text finds, with what it finds by name on the first page; without a text the newest images.

        Args:
            parsed: The text, and what it says beside.
            params: Which of the results; with the filters of `parsed` among theirs.
            order: Of what is found by looks.
            diversity: Likewise, how much the first of it differ from each other.

        Raises:
            EncoderError, ItemError, CatalogueError: As the clients do.
            ServiceError: The query cannot be answered.
        """
        if parsed.text is None:
            return replace(self._newest(params), terms=parsed.terms)
        query = SearchQuery.of_text(parsed.text, parsed.excluded_texts, diversity)
        outcome = replace(self.search.search(query, params, order), terms=parsed.terms)
        collection = self.catalogue.current_if_any()
        if params.offset or collection is None or collection.model != outcome.model:
            return outcome
        began = time.perf_counter()
        try:
            named = find_named(collection, parsed.text, parsed.excluded_texts, params.filter, distinct=params.distinct)
        except NotDerived:
            return outcome
        outcome.timings.named = time.perf_counter() - began
        return replace(outcome, named=named)

    def _newest(self, params: SearchParams) -> SearchOutcome:
        """Return a page of the images that filters alone let through, the newest first."""
        end = params.offset + params.limit
        if end > self.max_depth:
            raise TooDeep(f"A search goes {self.max_depth:,} deep (QDRANT_MAX_DEPTH); browse the collection instead.")
        collection = self.catalogue.current_if_any()
        if collection is None:
            return SearchOutcome(SearchQuery(), params)
        began = time.perf_counter()
        wanted = replace(params.filter or Filter(), states=(INDEXED,))
        page = collection.browse(wanted, end, distinct=params.distinct)
        images = page.images[params.offset :]
        copies = None if page.copies is None else page.copies[params.offset :]
        found = Nearest(images, np.full(len(images), np.nan, np.float32), copies=copies)
        timings = SearchTimings(search=time.perf_counter() - began)
        return SearchOutcome(SearchQuery(), params, collection.model, found, timings=timings)
