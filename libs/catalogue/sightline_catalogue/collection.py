"""One collection: the images of one model."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qdrant_client import grpc as api

from sightline_catalogue.connection import Connection
from sightline_catalogue.cursor import read_cursor, write_cursor
from sightline_catalogue.errors import NoCollection, NotFound, NotIndexed, UnknownImage
from sightline_catalogue.filters import Filter, conditions, has_id, is_after, is_one_of
from sightline_catalogue.image import Counts, Image, Nearest, Page, ScanState
from sightline_catalogue.payload import (
    ORDER,
    SCAN_FIELDS,
    read_image,
    read_scan_state,
    write_image,
    write_state,
)
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.search import WHOLE_PAYLOAD, WITH_VECTOR, Search, Searches, check_limit
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import VECTOR, checked, dense, stored

POINTS_A_CALL = 500
"""Of writes and of reads by id."""
MIXED_SECONDS = 60.0
"""So long, after the nearest were not all searchable, searches ask for these alone at once."""
FACET_VALUES = 10_000
"""So many labels or formats are counted."""


class Collection:
    """The images of one model. Made by Catalogue.

    A write returns when it will survive a crash of the server and is seen by every later read. Any call raises
    NoCollection if the collection is gone, CatalogueUnavailable if Qdrant does not answer, and ValueError for an
    argument that makes no sense.

    Attributes:
        name: As Qdrant knows it.
        model: The model whose vectors it holds.
    """

    def __init__(
        self, connection: Connection, name: str, model: ModelRef, bucket_id: str, settings: CatalogueSettings
    ) -> None:
        self.name = name
        self.model = model
        self._connection = connection
        self._bucket_id = bucket_id
        self._searches = Searches(name, model, bucket_id, settings)
        self._own = is_one_of("bucket", [bucket_id])
        self._mixed_until = 0.0

    def nearest(
        self,
        vector: ArrayLike,
        *,
        limit: int,
        offset: int = 0,
        filter: Filter | None = None,
        with_vectors: bool = False,
        score_threshold: float | None = None,
    ) -> Nearest:
        """Return the indexed images nearest to a vector, the nearest first.

        Args:
            vector: (dimensions,); its length does not matter.
            limit: At most so many, at least 1.
            offset: So many of the nearest are passed over.
            filter: Only these.
            with_vectors: Return their vectors too.
            score_threshold: Only those whose cosine is at least this.
        """
        search = Search(limit, offset, filter, with_vectors, score_threshold)
        origin = self._origin(vector)
        plain = search.is_plain and time.monotonic() > self._mixed_until
        request = self._searches.request(origin, search, narrowed=not plain)
        found = [] if search.is_vain else self._points("Query", request).result
        if plain and not self._searches.only_searchable(found):
            self._mixed_until = time.monotonic() + MIXED_SECONDS
            found = self._points("Query", self._searches.request(origin, search)).result
        return self._searches.answer(found, search)

    def nearest_batch(
        self,
        vectors: Sequence[ArrayLike] | NDArray[np.float32],
        *,
        limit: int,
        filter: Filter | None = None,
        with_vectors: bool = False,
        score_threshold: float | None = None,
    ) -> list[Nearest]:
        """Return what `nearest` would for each of some vectors, in one call."""
        search = Search(limit, 0, filter, with_vectors, score_threshold)
        queries = [self._searches.request(self._origin(vector), search) for vector in vectors]
        if not queries or search.is_vain:
            return [self._searches.answer([], search) for _ in queries]
        request = api.QueryBatchPoints(collection_name=self.name, query_points=queries)
        results = self._points("QueryBatch", request).result
        return [self._searches.answer(one.result, search) for one in results]

    def similar(
        self,
        image_id: str,
        *,
        limit: int,
        offset: int = 0,
        filter: Filter | None = None,
        with_vectors: bool = False,
        score_threshold: float | None = None,
    ) -> Nearest:
        """Return the indexed images nearest to one of the collection, itself left out.

        Raises:
            UnknownImage: There is no such image.
            NotIndexed: There is, but it has no vector.
        """
        search = Search(limit, offset, filter, with_vectors, score_threshold)
        request = self._searches.request(api.VectorInput(id=_point_id(image_id)), search)
        request.filter.must_not.append(has_id([image_id]))
        if search.is_vain:
            return self._searches.answer([], search)
        try:
            response = self._connection.points("Query", request)
        except NotFound as error:
            [image] = self.get([image_id])
            if image is None:
                raise UnknownImage(f"there is no image {image_id}") from None
            raise NotIndexed(f"{image.key} is {image.state} and has no vector to compare with: {error}") from None
        return self._searches.answer(response.result, search)

    def get(self, ids: Sequence[str]) -> list[Image | None]:
        """Return images by id, in the order of the ids; None for one that is not there."""
        found = {
            point.id.uuid: read_image(point.id.uuid, point.payload)
            for point in self._retrieve(ids, WHOLE_PAYLOAD, None)
        }
        return [found.get(str(one)) for one in ids]

    def vectors(self, ids: Sequence[str]) -> list[NDArray[np.float32] | None]:
        """Return vectors by id, (dimensions,) float32 of length one, in the order of the ids; None without one."""
        nothing = api.WithPayloadSelector(enable=False)
        found = {point.id.uuid: stored(point) for point in self._retrieve(ids, nothing, WITH_VECTOR)}
        return [found.get(str(one)) for one in ids]

    def browse(self, filter: Filter | None, limit: int, cursor: str | None = None) -> Page:
        """Return a page of images of any state, the newest first: by `taken_at`, else `modified_at`.

        Going on by the cursor shows each image once, whatever is added or deleted meanwhile.

        Args:
            filter: Only these; the same for every page.
            limit: At most so many, at least 1.
            cursor: Of the page before.

        Raises:
            WrongCursor: No page gave it.
        """
        check_limit(limit)
        order_by = api.OrderBy(key=ORDER, direction=api.Direction.Desc)
        seen_order: int | None = None
        seen: list[str] = []
        wanted = api.Filter(must=[self._own, *conditions(filter)])
        if cursor is not None:
            seen_order, seen = read_cursor(cursor)
            order_by.start_from.integer = seen_order
            wanted.must_not.append(has_id(seen))
        request = api.ScrollPoints(
            collection_name=self.name, filter=wanted, limit=limit + 1, with_payload=WHOLE_PAYLOAD, order_by=order_by
        )
        points = list(self._points("Scroll", request).result)
        images = [read_image(point.id.uuid, point.payload) for point in points[:limit]]
        if len(points) <= limit:
            return Page(images)
        last = points[limit - 1].payload[ORDER].integer_value
        ties = [point.id.uuid for point in points[:limit] if point.payload[ORDER].integer_value == last]
        return Page(images, write_cursor(last, [*seen, *ties] if last == seen_order else ties))

    def scan_states(self, batch: int = 1000) -> Iterator[ScanState]:
        """Yield what is known of every image of the bucket, in no order, `batch` a call."""
        check_limit(batch)
        request = api.ScrollPoints(
            collection_name=self.name,
            filter=api.Filter(must=[self._own]),
            limit=batch,
            with_payload=api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=SCAN_FIELDS)),
        )
        while True:
            response = self._points("Scroll", request)
            for point in response.result:
                yield read_scan_state(point.id.uuid, point.payload)
            if not response.HasField("next_page_offset"):
                return
            request.offset.CopyFrom(response.next_page_offset)

    def count(self, filter: Filter | None = None, *, indexed_after: datetime | None = None) -> int:
        """Return how many indexed images fit.

        Args:
            filter: Only these.
            indexed_after: Only those that were indexed, or indexed again, after this moment.
        """
        request = api.CountPoints(collection_name=self.name, filter=self._indexed(filter), exact=True)
        if indexed_after is not None:
            request.filter.must.append(is_after("indexed_at", indexed_after))
        return int(self._points("Count", request).result.count)

    def scan_labels(self, filter: Filter | None = None, batch: int = 1000) -> Iterator[list[tuple[str, str | None]]]:
        """Yield id and label of every indexed image that fits, `batch` a call, in the order of their ids.

        Ids are hashes: the first n are a sample, the same every time, that new images change little.
        """
        check_limit(batch)
        request = api.ScrollPoints(
            collection_name=self.name,
            filter=self._indexed(filter),
            limit=batch,
            with_payload=api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=["label"])),
        )
        while True:
            response = self._points("Scroll", request)
            images = (read_image(point.id.uuid, point.payload) for point in response.result)
            yield [(image.id, image.label) for image in images]
            if not response.HasField("next_page_offset"):
                return
            request.offset.CopyFrom(response.next_page_offset)

    def by_sha256(self, shas: Iterable[str]) -> dict[str, tuple[Image, NDArray[np.float32]]]:
        """Return for each of some SHA-256, where there is one, an indexed image of the same bytes and its vector.

        Equal bytes have equal vectors, so images of other buckets count too.
        """
        found: dict[str, tuple[Image, NDArray[np.float32]]] = {}
        missing = sorted(set(shas))
        while missing:
            request = api.ScrollPoints(
                collection_name=self.name,
                filter=api.Filter(must=[is_one_of("sha256", missing), is_one_of("state", ["indexed"])]),
                limit=2 * len(missing),
                with_payload=WHOLE_PAYLOAD,
                with_vectors=WITH_VECTOR,
            )
            points = self._points("Scroll", request).result
            before = len(found)
            for point in points:
                image, vector = read_image(point.id.uuid, point.payload), stored(point)
                if vector is not None and image.sha256 is not None:
                    found.setdefault(image.sha256, (image, vector))
            missing = [sha for sha in missing if sha not in found]
            # A page that is not full was the last one; one that is full may be many copies of few pictures.
            if len(points) < request.limit or len(found) == before:
                return found
        return found

    def upsert(self, images: Sequence[Image], vectors: Sequence[ArrayLike] | NDArray[np.float32] | None) -> None:
        """Store images, replacing those of the same ids as a whole.

        Args:
            images: All indexed, or none.
            vectors: (n, dimensions), one for each image; their lengths do not matter. None for images that are
                pending or failed, which have no vector.

        Raises:
            ValueError: An indexed image has no vector, another one has, or a vector does not fit.
        """
        if vectors is not None and len(vectors) != len(images):
            raise ValueError(f"{len(images)} images cannot have {len(vectors)} vectors")
        for image in images:
            if (image.state == "indexed") != (vectors is not None):
                raise ValueError(f"{image.key} is {image.state}: an image has a vector if it is indexed, and only then")
        for start in range(0, len(images), POINTS_A_CALL):
            request = api.UpsertPoints(collection_name=self.name, wait=True)
            for place in range(start, min(start + POINTS_A_CALL, len(images))):
                point = request.points.add()
                point.id.uuid = _point_id(images[place].id).uuid
                write_image(point.payload, images[place])
                if vectors is not None:
                    message = dense(checked(vectors[place], self.model.dimensions))
                    point.vectors.vectors.vectors[VECTOR].dense.CopyFrom(message)
                else:
                    # Of a point without vectors, Qdrant wants to be told so.
                    point.vectors.vectors.SetInParent()
            self._points("Upsert", request)

    def set_state(
        self, ids: Sequence[str], state: str, *, reason: str | None = None, next_try_at: datetime | None = None
    ) -> None:
        """Set state, reason and time of the next try of images; what else they are, and their vectors, stays.

        Those that are not there, and for `indexed` those without a vector, are left out.
        """
        for part in _parts(ids):
            wanted = api.Filter(must=[has_id(part)])
            if state == "indexed":
                wanted.must.append(api.Condition(has_vector=api.HasVectorCondition(has_vector=VECTOR)))
            request = api.SetPayloadPoints(
                collection_name=self.name, wait=True, points_selector=api.PointsSelector(filter=wanted)
            )
            write_state(request.payload, self._bucket_id, state, reason, next_try_at)
            self._points("SetPayload", request)

    def delete(self, ids: Sequence[str]) -> None:
        """Delete images; those that are not there are left out."""
        for part in _parts(ids):
            selector = api.PointsSelector(points=api.PointsIdsList(ids=[_point_id(one) for one in part]))
            self._points("Delete", api.DeletePoints(collection_name=self.name, wait=True, points=selector))

    def counts(self) -> Counts:
        """Return how many images of the bucket are in each state."""
        found = self._facet("state", self._own)
        return Counts(found.get("pending", 0), found.get("indexed", 0), found.get("failed", 0))

    def labels(self, filter: Filter | None = None) -> dict[str, int]:
        """Return how many indexed images, of those that fit, each label has, the most frequent first."""
        return self._facet("label", self._searches.searchable, *conditions(filter))

    def formats(self) -> dict[str, int]:
        """Return how many indexed images are of each format, the most frequent first."""
        return self._facet("format", self._searches.searchable)

    def folders(self) -> dict[str, int]:
        """Return how many indexed images are anywhere below each folder, the fullest first."""
        return self._facet("folders", self._searches.searchable)

    def _origin(self, vector: ArrayLike) -> Any:
        return api.VectorInput(dense=dense(checked(vector, self.model.dimensions)))

    def _retrieve(self, ids: Sequence[str], with_payload: Any, with_vectors: Any) -> Iterator[Any]:
        for part in _parts(ids):
            request = api.GetPoints(
                collection_name=self.name,
                ids=[_point_id(one) for one in part],
                with_payload=with_payload,
                with_vectors=with_vectors,
            )
            yield from self._points("Get", request).result

    def _indexed(self, filter: Filter | None) -> Any:
        return api.Filter(must=[self._searches.searchable, *conditions(filter)])

    def _facet(self, field: str, *wanted: Any) -> dict[str, int]:
        request = api.FacetCounts(
            collection_name=self.name, key=field, filter=api.Filter(must=wanted), limit=FACET_VALUES, exact=True
        )
        return {hit.value.string_value: hit.count for hit in self._points("Facet", request).hits if hit.count}

    def _points(self, method: str, request: Any) -> Any:
        try:
            return self._connection.points(method, request)
        except NotFound as error:
            raise NoCollection(f"the collection {self.name} is not there: {error}") from None


def _point_id(image_id: str) -> Any:
    return api.PointId(uuid=str(image_id))


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), POINTS_A_CALL):
        yield ids[start : start + POINTS_A_CALL]
