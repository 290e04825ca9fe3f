"""A search of one collection: its request, and the images of its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import grpc as api

from sightline_catalogue.filters import Filter, conditions, is_linked, is_one_of
from sightline_catalogue.identity import storable
from sightline_catalogue.image import Nearest
from sightline_catalogue.payload import FOUND_FIELDS, SEARCHABLE, read_found
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import VECTOR, stored

WHOLE_PAYLOAD = api.WithPayloadSelector(enable=True)
FOUND_PAYLOAD = api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=FOUND_FIELDS))
WITH_VECTOR = api.WithVectorsSelector(include=api.VectorsSelector(names=[VECTOR]))


def check_limit(limit: int) -> None:
    """Raise ValueError for a limit that makes no sense."""
    if limit < 1:
        raise ValueError(f"a limit of {limit} makes no sense; the least is 1")


@dataclass(frozen=True)
class Search:
    """How many of the nearest, which, and what of them; as `Collection.nearest` takes it."""

    limit: int
    offset: int = 0
    filter: Filter | None = None
    with_vectors: bool = False
    score_threshold: float | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it takes the nearest of all indexed images."""
        return self.offset == 0 and (self.filter is None or self.filter == Filter())

    @property
    def is_vain(self) -> bool:
        """Whether its filter leaves no indexed image, so that nobody need be asked."""
        return self.filter is not None and bool(self.filter.states) and "indexed" not in self.filter.states


class Searches:
    """Makes the requests of one collection's searches and reads their answers; asks nobody itself."""

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
        # them (ACORN, arXiv:2403.04871): of a tenth of a million images .999 of the nearest and not .80, in some tens
        # of milliseconds. The database leaves it where a filter keeps more than four tenths.
        self._unlinked = api.SearchParams()
        self._unlinked.CopyFrom(self._params)
        self._unlinked.acorn.enable = True

    def request(self, origin: Any, search: Search, *, narrowed: bool = True) -> Any:
        """Return the message that asks for the nearest of a `VectorInput`.

        Args:
            origin: What they are to be near to.
            search: How many, and which.
            narrowed: Whether to ask for indexed images of this bucket only; see `only_searchable`.

        Raises:
            ValueError: Limit, offset or filter make no sense.
        """
        check_limit(search.limit)
        if search.offset < 0:
            raise ValueError(f"an offset of {search.offset} makes no sense; the least is 0")
        return api.QueryPoints(
            collection_name=self._collection,
            query=api.Query(nearest=origin),
            using=VECTOR,
            filter=api.Filter(must=[self.searchable, *conditions(search.filter)]) if narrowed else None,
            params=self._params if is_linked(search.filter) or not narrowed else self._unlinked,
            limit=search.limit,
            offset=search.offset,
            score_threshold=search.score_threshold,
            with_payload=FOUND_PAYLOAD,
            with_vectors=WITH_VECTOR if search.with_vectors else None,
        )

    def only_searchable(self, points: Sequence[Any]) -> bool:
        """Say whether all points are indexed images of this bucket.

        If the nearest of everything are, they are also the nearest of these: the condition may be left out, which
        spares the database to check it of every point on its way.
        """
        return all(point.payload[SEARCHABLE].string_value == self._bucket for point in points)

    def answer(self, points: Sequence[Any], search: Search) -> Nearest:
        """Return the images of the points that were found."""
        images = [read_found(point.id.uuid, point.payload) for point in points]
        similarities = np.array([point.score for point in points], dtype=np.float32)
        if not search.with_vectors:
            return Nearest(images, similarities)
        vectors = np.empty((len(points), self._dimensions), dtype=np.float32)
        for place, point in enumerate(points):
            vectors[place] = stored(point)
        return Nearest(images, similarities, vectors)
