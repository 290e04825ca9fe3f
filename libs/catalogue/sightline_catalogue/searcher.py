"""Searches one collection for the nearest images."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from qdrant_client import grpc as api

from sightline_catalogue.copies import count_copies, first_of_each
from sightline_catalogue.image import Nearest
from sightline_catalogue.methods import QUERY, QUERY_BATCH
from sightline_catalogue.payload import read_copy_group
from sightline_catalogue.points import Points
from sightline_catalogue.query_builder import FOUND_PAYLOAD, BothVectors, QueryBuilder, SearchParams
from sightline_catalogue.ranking import FIRST_BLOCK, Rank, block_ends, first_of, joined, ranks_of

MOST_ROUNDS = 8
"""How often a list of different pictures is filled up, where copies take its places."""
CUT_TRIES = 3
"""How often a page is cut of the list at most; in the end, images that are gone are left out."""
NARROWED_SECONDS = 60.0
"""How long every search filters for searchable images, after an unfiltered one has found others."""


Point = api.ScoredPoint | api.RetrievedPoint


class _List(NamedTuple):
    """The list of a search's results, of which pages are cuts.

    Attributes:
        ranks: In order.
        are_single: Whether the search is distinct, and no result has a copy.
        known: By id, the points of which all is known that a page shows: those that were reordered.
        vectors: Theirs, by id.
    """

    ranks: list[Rank]
    are_single: bool
    known: dict[str, Point]
    vectors: dict[str, BothVectors]


class Searcher:
    """Searches one collection.

    A first page, of up to 50 results, is one query that returns all of their images. Anything else asks for ids and
    scores alone, block by block (`ranking`), cuts the page, and reads its images by id; but for a search whose first
    results are looked at and put in order (`Reordering`): its first block comes with images and vectors.

    Args:
        points: The collection's points.
        queries: Builds its queries.
        depth: How many of the nearest can be paged through.
    """

    def __init__(self, points: Points, queries: QueryBuilder, depth: int) -> None:
        self._points = points
        self._queries = queries
        self._ends = block_ends(depth)
        self._narrowed_until = 0.0

    def nearest(self, origin: api.VectorInput, params: SearchParams) -> Nearest:
        """Return the nearest images of a vector, or of a point by its id."""
        self._queries.check_depth(params)
        if params.matches_nothing:
            return self._queries.read([], [], params)
        if params.reordering is not None:
            depth = min(params.reordering.depth, self._ends[-1])
            params = replace(params, reordering=replace(params.reordering, depth=depth))
        if _is_one_query(params):
            narrowed = self._is_narrowed(params)
            found = self._points.call(QUERY, self._queries.page(origin, params, narrowed=narrowed)).result
            if not narrowed and not self._only_searchable(found):
                return self.nearest(origin, params)
            page = self._first_page(found, params)
            if page is not None:
                return page
        return self._cut(origin, params)

    def nearest_batch(self, origins: Sequence[api.VectorInput], params: SearchParams) -> list[Nearest]:
        """Return the nearest images of several vectors, as `nearest` does: in one call, if one query each will do."""
        self._queries.check_depth(params)
        if params.matches_nothing or not origins or not _is_one_query(params):
            return [self.nearest(origin, params) for origin in origins]
        queries = [self._queries.page(origin, params) for origin in origins]
        pages = [self._first_page(answer, params) for answer in self._call_batch(queries)]
        return [
            self._cut(origin, params) if page is None else page for origin, page in zip(origins, pages, strict=True)
        ]

    def _first_page(self, found: Sequence[api.ScoredPoint], params: SearchParams) -> Nearest | None:
        """Return the page of a query for a first page; None where it has to be cut of the list."""
        page = first_of(found, params.limit)
        if page is None or (params.distinct and len(first_of_each(page, _copy_group_of)) < len(page)):
            return None
        nearest = self._queries.read(page, [point.score for point in page], params)
        return replace(nearest, copies=[0] * len(page)) if params.distinct else nearest

    def _cut(self, origin: api.VectorInput, params: SearchParams, tries: int = CUT_TRIES) -> Nearest:
        """Return a page that is cut of the list; of a list made anew where images of it left the search meanwhile.

        Where files are moved, the list has left out as a copy what is there in place of such an image.
        """
        listed = self._list(origin, params, params.offset + params.limit)
        ranks, found = listed.ranks[params.offset :][: params.limit], listed.known
        if missing := [one for _, one in ranks if one not in found]:
            points = self._points.retrieve(
                missing,
                with_payload=FOUND_PAYLOAD,
                with_vectors=self._queries.with_vectors if params.with_vectors else None,
            )
            found |= {point.id.uuid: point for point in points if self._queries.is_searchable(point)}
        if tries > 1 and any(one not in found for _, one in ranks):
            return self._cut(origin, params, tries - 1)
        kept = [(-score, found[one]) for score, one in ranks if one in found]
        scores = [score for score, _ in kept]
        nearest = self._queries.read([point for _, point in kept], scores, params, listed.vectors)
        if not params.distinct:
            return nearest
        if listed.are_single:
            return replace(nearest, copies=[0] * len(kept))
        return replace(nearest, copies=count_copies(self._points, nearest.images, self._queries.which(params.filter)))

    def _list(self, origin: api.VectorInput, params: SearchParams, end: int) -> _List:
        """Return the list, at least down to its place `end`, if there is as much."""
        ranks, answers = self._ranks_in_blocks(origin, params, end)
        first, vectors = self._reordered(ranks, answers[0], params)
        known: dict[str, Point] = {}
        if params.reordering is not None:
            known = {point.id.uuid: point for point in answers[0] if self._queries.is_searchable(point)}
        # At the very depth of the list, copies may lie below.
        is_whole = len(answers[-1]) <= self._ends[-1]
        are_single = params.distinct and is_whole and all(map(_are_single, answers))
        for _ in range(MOST_ROUNDS):
            deepest = answers[-1]
            if not params.distinct or len(ranks) >= end or len(deepest) <= self._ends[-1]:
                break
            # Copies take the places down to the list's depth: what lies below them comes without them.
            copied = tuple(one for one, count in Counter(map(_copy_group_of, deepest)).items() if one and count > 1)
            params = replace(params, exclude_copies=(*params.exclude_copies, *copied))
            more, answers = self._ranks_in_blocks(origin, params, end)
            ranks = sorted({*ranks, *more})
        moved = set(first)
        return _List(first + [one for one in ranks if one not in moved], are_single, known, vectors)

    def _reordered(
        self, ranks: Sequence[Rank], answer: Sequence[api.ScoredPoint], params: SearchParams
    ) -> tuple[list[Rank], dict[str, BothVectors]]:
        """Return the ranks that are to be reordered, the first block's, in their new order, and their vectors by id."""
        if params.reordering is None:
            return [], {}
        end = params.reordering.depth
        is_deepest = end == self._ends[-1]
        # Where all have one score, those that came stand for the others.
        first = set(ranks_of(answer, end, deepest=is_deepest) or ranks_of(answer, end, deepest=True))
        read = {point.id.uuid: self._queries.read_vectors(point) for point in answer}
        found = {one: both for one, both in read.items() if both is not None}
        moved = [one for one in ranks if one in first and one[1] in found]
        if not moved:
            return [], {}
        similarities = np.array([-score for score, _ in moved], dtype=np.float32)
        vectors, visual = (np.stack(each) for each in zip(*(found[one] for _, one in moved), strict=True))
        places = params.reordering.order(similarities, vectors, visual)
        return [moved[place] for place in places.tolist()], found

    def _ends_of(self, params: SearchParams) -> list[int]:
        """Return where the blocks of a search's list end; what is reordered is the first of them."""
        if params.reordering is None:
            return self._ends
        return [params.reordering.depth, *(end for end in self._ends if end > params.reordering.depth)]

    def _ranks_in_blocks(
        self, origin: api.VectorInput, params: SearchParams, end: int
    ) -> tuple[list[Rank], list[Sequence[api.ScoredPoint]]]:
        """Return the ranks of the list, down to its place `end` or to its depth, and the answer for each block."""
        ends = self._ends_of(params)
        count = next(place for place, one in enumerate(ends, start=1) if one >= end)
        answers = self._answers(origin, params, ends[:count])
        while True:
            blocks = zip(answers, ends, strict=False)
            ranks = joined(ranks_of(answer, one, deepest=one == ends[-1]) for answer, one in blocks)
            if params.distinct:
                ranks = _distinct(ranks, answers)
            # Results that share the last score are not among the ranks yet.
            is_whole = len(answers) == len(ends) or len(answers[-1]) <= ends[len(answers) - 1]
            if len(ranks) >= end or is_whole:
                return ranks, answers
            answers += self._answers(origin, params, [ends[len(answers)]])

    def _answers(
        self, origin: api.VectorInput, params: SearchParams, ends: Sequence[int]
    ) -> list[Sequence[api.ScoredPoint]]:
        """Return the answers for some blocks, each with one result more than it has."""
        # The first block is asked for as a first page is, so that the two are of the same results.
        narrowed = self._is_narrowed(params) or ends[0] != self._ends_of(params)[0]
        queries = [
            self._queries.block(origin, params, end, narrowed=narrowed or place > 0) for place, end in enumerate(ends)
        ]
        answers = self._call_batch(queries)
        if not narrowed and not self._only_searchable(answers[0]):
            return self._answers(origin, params, ends)
        return answers

    def _call_batch(self, queries: Sequence[api.QueryPoints]) -> list[Sequence[api.ScoredPoint]]:
        request = api.QueryBatchPoints(collection_name=queries[0].collection_name, query_points=queries)
        return [one.result for one in self._points.call(QUERY_BATCH, request).result]

    def _is_narrowed(self, params: SearchParams) -> bool:
        return not params.is_unfiltered or time.monotonic() <= self._narrowed_until

    def _only_searchable(self, points: Sequence[api.ScoredPoint]) -> bool:
        """Return whether all points are indexed images of this bucket; if not, the next searches ask for these alone.

        If the nearest of everything are, they are also the nearest of these: the condition may be left out, which
        saves the database a check of every point on its way.
        """
        if all(map(self._queries.is_searchable, points)):
            return True
        self._narrowed_until = time.monotonic() + NARROWED_SECONDS
        return False


def _copy_group_of(point: api.ScoredPoint) -> str:
    return read_copy_group(point.payload)


def _are_single(points: Sequence[api.ScoredPoint]) -> bool:
    return len({_copy_group_of(point) for point in points}) == len(points)


def _distinct(ranks: Sequence[Rank], answers: Sequence[Sequence[api.ScoredPoint]]) -> list[Rank]:
    """Return the ranks of images of which none before them is a copy."""
    groups = {point.id.uuid: _copy_group_of(point) for answer in answers for point in answer}
    return first_of_each(ranks, lambda rank: groups[rank[1]])


def _is_one_query(params: SearchParams) -> bool:
    return params.offset == 0 and params.limit <= FIRST_BLOCK and params.reordering is None
