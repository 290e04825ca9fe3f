"""The likely results of a search, the newest first."""

from __future__ import annotations

from dataclasses import replace

from sightline_catalogue import Nearest, SearchParams, order_of

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.search.relevance import Relevance


def newest(
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
    by_date = sorted(likely, key=lambda place: order_of(found.images[place]), reverse=True)
    page = by_date[params.offset : params.offset + params.limit]
    chosen = Nearest(
        [found.images[place] for place in page],
        found.similarities[page],
        None if found.vectors is None else found.vectors[page],
        None if found.visual is None else found.visual[page],
        None if found.copies is None else [found.copies[place] for place in page],
    )
    threshold = round(float(chosen.similarities.min()), 4) if page else None
    return chosen, [probabilities[place] for place in page], replace(relevance, relevant=len(page), threshold=threshold)
