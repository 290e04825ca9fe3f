"""Builds the queries of one collection, and reads the images of their answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qdrant_client import grpc as api

from sightline_catalogue.filters import Filter, conditions, has_hnsw_links, has_id, is_one_of
from sightline_catalogue.identity import storable
from sightline_catalogue.image import INDEXED, Nearest
from sightline_catalogue.payload import FOUND_FIELDS, SEARCHABLE, read_found
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import VECTOR, read_vector

WHOLE_PAYLOAD = api.WithPayloadSelector(enable=True)
NO_PAYLOAD = api.WithPayloadSelector(enable=False)
FOUND_PAYLOAD = api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=FOUND_FIELDS))
WITH_VECTOR = api.WithVectorsSelector(include=api.VectorsSelector(names=[VECTOR]))


def check_limit(limit: int) -> None:
    """Check a limit.

    Raises:
        ValueError: It is less than 1.
    """
    if limit < 1:
        raise ValueError(f"a limit of {limit} makes no sense; the least is 1")


@dataclass(frozen=True)
class SearchParams:
    """The parameters of a search for the nearest images.

    Attributes:
        limit: At most so many, at least 1.
        offset: The number of nearest images to skip.
        filter: Only images that match.
        exclude: Ids of images to exclude.
        with_vectors: Return their vectors too.

    Raises:
        ValueError: Limit or offset make no sense.
    """

    limit: int
    offset: int = 0
    filter: Filter | None = None
    exclude: tuple[str, ...] = ()
    with_vectors: bool = False

    def __post_init__(self) -> None:
        check_limit(self.limit)
        if self.offset < 0:
            raise ValueError(f"an offset of {self.offset} makes no sense; the least is 0")

    @property
    def is_unfiltered(self) -> bool:
        """Whether it takes the nearest of all indexed images."""
        return self.offset == 0 and not self.exclude and (self.filter is None or self.filter == Filter())

    @property
    def matches_nothing(self) -> bool:
        """Whether its filter leaves no indexed image, so that the database need not be asked."""
        return self.filter is not None and bool(self.filter.states) and INDEXED not in self.filter.states


class QueryBuilder:
    """Builds the queries of one collection and reads their answers; calls nothing itself."""

    def __init__(self, collection: str, model: ModelRef, bucket_id: str, settings: CatalogueSettings) -> None:
        self.searchable = is_one_of(SEARCHABLE, [bucket_id])
        self._bucket = storable(bucket_id)
        self._collection = collection
        self._dimensions = model.dimensions
        self._params = api.SearchParams(
            hnsw_ef=settings.hnsw_ef,
            quantization=api.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
        )
        # Where the graph has no links between the images of a filter, looking at the neighbours of neighbours finds
        # them (ACORN, arXiv:2403.04871): with a filter that keeps a tenth of a million images, recall is .999 instead
        # of .80, in some tens of milliseconds. The database does without where a filter keeps more than four tenths.
        self._acorn_params = api.SearchParams()
        self._acorn_params.CopyFrom(self._params)
        self._acorn_params.acorn.enable = True

    def build(self, origin: api.VectorInput, params: SearchParams, *, narrowed: bool = True) -> api.QueryPoints:
        """Return the query for the nearest images.

        Args:
            origin: The vector, or the id of the point, that they are near to.
            params: How many, and which.
            narrowed: Whether to ask for indexed images of this bucket only; see `only_searchable`.

        Raises:
            ValueError: A datetime of the filter is naive.
        """
        query = api.QueryPoints(
            collection_name=self._collection,
            query=api.Query(nearest=origin),
            using=VECTOR,
            filter=api.Filter(must=[self.searchable, *conditions(params.filter)]) if narrowed else None,
            params=self._params if has_hnsw_links(params.filter) or not narrowed else self._acorn_params,
            limit=params.limit,
            offset=params.offset,
            with_payload=FOUND_PAYLOAD,
            with_vectors=WITH_VECTOR if params.with_vectors else None,
        )
        if params.exclude:
            query.filter.must_not.append(has_id(params.exclude))
        return query

    def only_searchable(self, points: Sequence[api.ScoredPoint]) -> bool:
        """Return whether all points are indexed images of this bucket.

        If the nearest of everything are, they are also the nearest of these: the condition may be left out, which
        saves the database a check of every point on its way.
        """
        return all(point.payload[SEARCHABLE].string_value == self._bucket for point in points)

    def read(self, points: Sequence[api.ScoredPoint], params: SearchParams) -> Nearest:
        """Return the images of the points that were found."""
        images = [read_found(point.id.uuid, point.payload) for point in points]
        similarities = np.array([point.score for point in points], dtype=np.float32)
        if not params.with_vectors:
            return Nearest(images, similarities)
        vectors = np.empty((len(points), self._dimensions), dtype=np.float32)
        for place, point in enumerate(points):
            vectors[place] = read_vector(point.vectors)
        return Nearest(images, similarities, vectors)
