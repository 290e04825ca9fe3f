"""Builds the queries of one collection, and reads the images of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from qdrant_client import grpc as api

from sightline_catalogue.errors import TooDeep
from sightline_catalogue.filters import Filter, conditions, has_hnsw_links, has_id, is_in_copy_group, is_one_of
from sightline_catalogue.identity import storable
from sightline_catalogue.image import INDEXED, Nearest
from sightline_catalogue.payload import COPY_FIELDS, FOUND_FIELDS, SEARCHABLE, read_found
from sightline_catalogue.ranking import FIRST_BLOCK
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import VECTOR, VISUAL, read_vector

BothVectors = tuple[NDArray[np.float32], NDArray[np.float32]]
WHOLE_PAYLOAD = api.WithPayloadSelector(enable=True)
NO_PAYLOAD = api.WithPayloadSelector(enable=False)
FOUND_PAYLOAD = api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=FOUND_FIELDS))
IMAGE_EF, TEXT_EF = 256, 768
"""Candidates that a search holds in each segment, for a query of images alone and for one with a text."""
WIDE_IMAGE_EF, WIDE_TEXT_EF = 128, 512
"""Likewise where a filter has it look at neighbours of neighbours: each candidate brings more."""
SEVERAL_SEGMENTS = 4
"""From so many segments on, half as many candidates in each find as much, since each brings its own. Never fewer:
the number does not say whether the segments are of one size."""


def payload_of(fields: Sequence[str]) -> api.WithPayloadSelector:
    """Return the request for some fields of the payload."""
    return api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=fields)) if fields else NO_PAYLOAD


def vectors_of(names: Iterable[str]) -> api.WithVectorsSelector:
    """Return the request for some vectors, by their names."""
    return api.WithVectorsSelector(include=api.VectorsSelector(names=list(names)))


def check_limit(limit: int) -> None:
    """Check a limit.

    Raises:
        ValueError: It is less than 1.
    """
    if limit < 1:
        raise ValueError(f"a limit of {limit} makes no sense; the least is 1")


@dataclass(frozen=True)
class Reordering:
    """Looks at the first results of a search, and puts them in another order.

    Attributes:
        depth: So many of the nearest images, copies among them, are put in order; those after them stay.
        order: Takes their similarities, (n,), the nearest first, their vectors, (n, dimensions), and their visual ones,
            (n, visual_dimensions), which are the same where the model has none of its own; returns their places, (n,),
            in the new order.
    """

    depth: int
    order: Callable[[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], NDArray[np.intp]]


@dataclass(frozen=True)
class SearchParams:
    """The parameters of a search for the nearest images.

    Attributes:
        limit: At most so many, at least 1.
        offset: The number of nearest images to skip. With `limit`, within the depth of the settings.
        filter: Only images that match.
        exclude: Ids of images to exclude.
        exclude_copies: Groups of copies to exclude, as `Image.copy_group` gives them.
        distinct: Return of each group of copies the first alone, and count the others.
        with_vectors: Return their vectors too.
        by_text: Whether the query has a text in it. Images lie farther from texts than from images, so that the search
            holds more candidates.
        visual: Whether the query is a visual vector, or an image whose visual vector counts; of no effect where the
            model has none.
        reordering: What puts the first results in another order; None where the nearest come first. Copies have no
            part in it where the search is `distinct`.

    Raises:
        ValueError: Limit or offset make no sense.
    """

    limit: int
    offset: int = 0
    filter: Filter | None = None
    exclude: tuple[str, ...] = ()
    exclude_copies: tuple[str, ...] = ()
    distinct: bool = False
    with_vectors: bool = False
    by_text: bool = False
    visual: bool = False
    reordering: Reordering | None = None

    def __post_init__(self) -> None:
        check_limit(self.limit)
        if self.offset < 0:
            raise ValueError(f"an offset of {self.offset} makes no sense; the least is 0")

    @property
    def is_unfiltered(self) -> bool:
        """Whether it takes the nearest of all indexed images."""
        return not (self.exclude or self.exclude_copies) and (self.filter is None or self.filter == Filter())

    @property
    def matches_nothing(self) -> bool:
        """Whether its filter leaves no indexed image, so that the database need not be asked."""
        return self.filter is not None and bool(self.filter.states) and INDEXED not in self.filter.states


class QueryBuilder:
    """Builds the queries of one collection and reads their answers; calls nothing itself.

    Args:
        collection: The collection's name.
        model: Whose vectors it holds.
        bucket_id: Whose images are searched.
        settings: How the database is searched.
        count_segments: Returns in how many segments the collection is.
        check_filter: Raises NotDerived for a filter that cannot be answered yet.
    """

    def __init__(
        self,
        collection: str,
        model: ModelRef,
        bucket_id: str,
        settings: CatalogueSettings,
        count_segments: Callable[[], int] = lambda: 1,
        check_filter: Callable[[Filter | None], None] = lambda filter: None,
    ) -> None:
        self._count_segments = count_segments
        self._check_filter = check_filter
        self.searchable = is_one_of(SEARCHABLE, [bucket_id])
        self._bucket = storable(bucket_id)
        self._collection = collection
        self._model = model
        self.with_vectors = vectors_of(model.vectors)
        self._settings = settings

    def which(self, filter: Filter | None) -> list[api.Condition]:
        """Return the conditions of the indexed images of this bucket that a filter lets through.

        Raises:
            NotDerived: The filter cannot be answered yet.
        """
        return [self.searchable, *self.conditions(filter)]

    def conditions(self, filter: Filter | None) -> list[api.Condition]:
        """Return the conditions that a filter becomes.

        Raises:
            NotDerived: The filter cannot be answered yet.
        """
        self._check_filter(filter)
        return conditions(filter)

    def check_depth(self, params: SearchParams) -> None:
        """Check that a page is within the depth of the list.

        Raises:
            TooDeep: It is not.
        """
        depth, end = self._settings.max_depth, params.offset + params.limit
        if end > depth:
            raise TooDeep(
                f"Results {params.offset + 1:,} to {end:,} were asked for; a search goes {depth:,} deep "
                "(QDRANT_MAX_DEPTH). Ask for fewer, or narrow the search."
            )

    def page(self, origin: api.VectorInput, params: SearchParams, *, narrowed: bool = True) -> api.QueryPoints:
        """Return the query for a first page, with the images, and one more of them than the page has.

        Args:
            origin: The vector, or the id of the point, that they are near to.
            params: How many, and which.
            narrowed: Whether to ask for indexed images of this bucket only.

        Raises:
            ValueError: A datetime of the filter is naive.
        """
        query = self._query(origin, params, params.limit, FIRST_BLOCK, narrowed=narrowed)
        query.with_payload.CopyFrom(FOUND_PAYLOAD)
        if params.with_vectors:
            query.with_vectors.CopyFrom(self.with_vectors)
        return query

    def block(self, origin: api.VectorInput, params: SearchParams, end: int, *, narrowed: bool) -> api.QueryPoints:
        """Return the query for the block that ends at place `end`, and one more than the block has.

        It asks for ids and scores, with what tells copies apart if the search is distinct; for what is reordered also
        for images and vectors: to ask for those of a page by their ids would take longer.
        """
        query = self._query(origin, params, end, end, narrowed=narrowed)
        if params.reordering is not None and params.reordering.depth == end:
            query.with_payload.CopyFrom(FOUND_PAYLOAD)
            query.with_vectors.CopyFrom(self.with_vectors)
            return query
        fields = [] if narrowed else [SEARCHABLE]
        query.with_payload.CopyFrom(payload_of([*fields, *COPY_FIELDS] if params.distinct else fields))
        return query

    def read_vectors(self, point: api.ScoredPoint | api.RetrievedPoint) -> BothVectors | None:
        """Return the vectors of a point: the model's own, and the visual one; None where it lacks one."""
        own = read_vector(point.vectors, VECTOR)
        if not self._model.visual_dimensions or own is None:
            return None if own is None else (own, own)
        seen = read_vector(point.vectors, VISUAL)
        return None if seen is None else (own, seen)

    def _query(
        self, origin: api.VectorInput, params: SearchParams, limit: int, end: int, *, narrowed: bool
    ) -> api.QueryPoints:
        # Any limit within a block has as many candidates scored again: a shorter answer is the beginning of a longer
        # one. The half keeps a quotient that is not exact from being rounded down.
        oversampling = (int(self._settings.oversampling * (end + 1)) + 0.5) / (limit + 1)
        # Where the graph has no links between the images of a filter, looking at the neighbours of neighbours finds
        # them (ACORN, arXiv:2403.04871): with a filter that keeps a tenth of a million images, recall is .999 instead
        # of .80. The database does without where a filter keeps more than four tenths.
        is_wide = narrowed and not has_hnsw_links(params.filter)
        query = api.QueryPoints(
            collection_name=self._collection,
            query=api.Query(nearest=origin),
            using=self._model.vector_name(visual=params.visual),
            filter=api.Filter(must=self.which(params.filter)) if narrowed else None,
            params=api.SearchParams(
                hnsw_ef=self._hnsw_ef(params, is_wide=is_wide),
                quantization=api.QuantizationSearchParams(rescore=True, oversampling=oversampling),
            ),
            limit=limit + 1,
        )
        if is_wide:
            query.params.acorn.enable = True
        if params.exclude:
            query.filter.must_not.append(has_id(params.exclude))
        if params.exclude_copies:
            query.filter.must_not.append(is_in_copy_group(params.exclude_copies))
        return query

    def _hnsw_ef(self, params: SearchParams, *, is_wide: bool) -> int:
        if self._settings.hnsw_ef is not None:
            return self._settings.hnsw_ef
        is_filtered = params.filter is not None
        for_text, for_image = (WIDE_TEXT_EF, WIDE_IMAGE_EF) if is_wide and is_filtered else (TEXT_EF, IMAGE_EF)
        ef = for_text if params.by_text else for_image
        return ef // 2 if self._count_segments() >= SEVERAL_SEGMENTS else ef

    def is_searchable(self, point: api.ScoredPoint | api.RetrievedPoint) -> bool:
        """Return whether a point is an indexed image of this bucket."""
        bucket: str = point.payload[SEARCHABLE].string_value
        return bucket == self._bucket

    def read(
        self,
        points: Sequence[api.ScoredPoint | api.RetrievedPoint],
        scores: Sequence[float],
        params: SearchParams,
        vectors: Mapping[str, BothVectors] = MappingProxyType({}),
    ) -> Nearest:
        """Return the images of the points that were found, each with its score; `vectors` are read already, by id."""
        images = [read_found(point.id.uuid, point.payload) for point in points]
        similarities = np.array(scores, dtype=np.float32)
        if not params.with_vectors:
            return Nearest(images, similarities)
        own = np.empty((len(points), self._model.dimensions), dtype=np.float32)
        seen = np.empty((len(points), self._model.visual_dimensions or self._model.dimensions), dtype=np.float32)
        for place, point in enumerate(points):
            own[place], seen[place] = vectors.get(point.id.uuid) or self.read_vectors(point) or (np.nan, np.nan)
        return Nearest(images, similarities, own, seen)
