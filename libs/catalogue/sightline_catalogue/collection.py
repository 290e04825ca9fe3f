"""One collection: the images of one model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray
from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_catalogue.connection import Connection
from sightline_catalogue.copies import count_copies
from sightline_catalogue.copy_groups import CopyGroups
from sightline_catalogue.derivation import Derivation
from sightline_catalogue.errors import NoCollection, NotIndexed, UnknownImage
from sightline_catalogue.facets import DERIVED_FACETS, MOST_VALUES, Facet, count_facets, merged
from sightline_catalogue.filters import Filter, has_id, has_vector, is_after, is_one_of
from sightline_catalogue.identity import canonical, canonical_folder
from sightline_catalogue.image import (
    INDEXED,
    REMOVED,
    STATES,
    Counts,
    Image,
    Labelled,
    Nearest,
    Page,
    ScanState,
    State,
)
from sightline_catalogue.methods import SCROLL, SET_PAYLOAD, UPSERT
from sightline_catalogue.missing import MissingImages
from sightline_catalogue.pages import read_distinct_page, read_page
from sightline_catalogue.payload import (
    COPY_FIELDS,
    LABELLED_FIELDS,
    SCAN_FIELDS,
    read_copy_group,
    read_image,
    read_labelled,
    read_scan_state,
    time_text,
    write_image,
    write_state,
)
from sightline_catalogue.points import BATCH_POINTS, Points, point_id
from sightline_catalogue.query_builder import (
    NO_PAYLOAD,
    WHOLE_PAYLOAD,
    QueryBuilder,
    SearchParams,
    check_limit,
    payload_of,
    vectors_of,
)
from sightline_catalogue.schema import ModelRef
from sightline_catalogue.searcher import Searcher
from sightline_catalogue.segment_count import SegmentCount
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import as_vector, parts_of, read_row, vector_message


class Collection:
    """The images of one model. Made by Catalogue.

    A write returns once it would survive a crash of the server, and every later read sees it. Any call raises
    NoCollection if the collection was deleted, CatalogueUnavailable if Qdrant does not answer, and ValueError for an
    invalid argument.

    Attributes:
        name: As Qdrant knows it.
        model: The model whose vectors it holds.
        missing: The images whose objects are missing. One that is removed is found by `get` and `scan_states` where
            they are told so, and by `by_sha256`, and by nothing else.
        derivation: Derives fields for filters of images that an older version indexed. Until it is done, calls with
            such a filter raise NotDerived.
        copy_groups: The groups of copies and the bursts that they are in.
    """

    def __init__(
        self, connection: Connection, name: str, model: ModelRef, bucket_id: str, settings: CatalogueSettings
    ) -> None:
        self.name = name
        self.model = model
        self._points = Points(connection, name)
        self._bucket_id = bucket_id
        self._of_bucket = is_one_of("bucket", [bucket_id])
        self.derivation = Derivation(self._points, name, self._of_bucket)
        segments = SegmentCount(connection, name)
        self._queries = QueryBuilder(name, model, bucket_id, settings, segments.get, self.derivation.check)
        self._searcher = Searcher(self._points, self._queries, settings.max_depth)
        self.missing = MissingImages(self._points, name, bucket_id)
        self.copy_groups = CopyGroups(self._points, name, bucket_id)

    def nearest(self, vector: ArrayLike, params: SearchParams) -> Nearest:
        """Return the indexed images nearest to a vector, (dimensions,) of any length, the nearest first.

        With `params.visual` it is a visual vector, (visual_dimensions,), where the model has one.

        Equally near ones come by their ids. Pages are cuts of one list, so that no image is on two of them, and none
        between them, while nothing is added or deleted; at the very depth of the list, equally near ones may vary.

        Raises:
            TooDeep: The page ends below the list's depth.
        """
        return self._searcher.nearest(self._origin(vector, params), params)

    def nearest_batch(self, vectors: Sequence[ArrayLike] | NDArray[np.float32], params: SearchParams) -> list[Nearest]:
        """Return the nearest images of several vectors, in one call where each has a first page of up to 50."""
        return self._searcher.nearest_batch([self._origin(vector, params) for vector in vectors], params)

    def similar(self, image_id: str, params: SearchParams) -> Nearest:
        """Return the indexed images that look most like an image of the collection, as `nearest` does, without itself.

        A distinct search leaves out its copies, too.

        Raises:
            UnknownImage: There is no such image.
            NotIndexed: There is, but it has no vector.
        """
        self._queries.check_depth(params)
        copies: tuple[str, ...] = ()
        for point in self._points.retrieve([image_id], with_payload=payload_of(["state", *COPY_FIELDS])):
            if _is_removed(point):
                raise UnknownImage(f"there is no image {image_id}")
            if params.distinct and (group := read_copy_group(point.payload)):
                copies = (group,)
        exclude, exclude_copies = (*params.exclude, image_id), (*params.exclude_copies, *copies)
        others = replace(params, exclude=exclude, exclude_copies=exclude_copies, visual=True)
        try:
            return self._searcher.nearest(api.VectorInput(id=point_id(image_id)), others)
        except NoCollection:
            # Qdrant's NOT_FOUND may mean the point.
            [image] = self.get([image_id])
            if image is None:
                raise UnknownImage(f"there is no image {image_id}") from None
            raise NotIndexed(f"{image.key} is {image.state} and has no vector to compare with") from None

    def get(self, ids: Sequence[str], *, removed: bool = False) -> list[Image | None]:
        """Return images by id, in the order of the ids; None for one that does not exist, or that is removed.

        Args:
            ids: Of the images.
            removed: Return those that are removed, too.
        """
        points = self._points.retrieve(ids, with_payload=WHOLE_PAYLOAD)
        found = {
            point.id.uuid: read_image(point.id.uuid, point.payload)
            for point in points
            if removed or not _is_removed(point)
        }
        return [found.get(str(one)) for one in ids]

    def vectors(self, ids: Sequence[str], *, visual: bool = False) -> list[NDArray[np.float32] | None]:
        """Return vectors by id, (dimensions,) float32 of length one, in the order of the ids; None without one.

        With `visual` the visual ones, (visual_dimensions,), where the model has such.
        """
        return self._read_rows(ids, [self.model.vector_name(visual=visual)])

    def rows(self, ids: Sequence[str]) -> list[NDArray[np.float32] | None]:
        """Return all vectors of images, side by side as `upsert` takes them, in the order of the ids."""
        return self._read_rows(ids, list(self.model.vectors))

    def browse(self, filter: Filter | None, limit: int, cursor: str | None = None, *, distinct: bool = False) -> Page:
        """Return a page of images of any state, the newest first: by `taken_at`, else `modified_at`, if it has passed.

        Following the cursor shows each image once, whatever is added or deleted meanwhile.

        Args:
            filter: Only these; the same for every page.
            limit: At most so many, at least 1.
            cursor: Of the page before.
            distinct: Of each group of copies only the newest, with the number of the others.

        Raises:
            WrongCursor: It is not from an earlier page.
        """
        check_limit(limit)
        read = read_distinct_page if distinct else read_page
        must = [self._of_bucket, *self._queries.conditions(filter)]
        if filter is None or not filter.states:
            must.append(api.Condition(filter=api.Filter(must_not=[is_one_of("state", [REMOVED])])))
        return read(self._points, self.name, must, limit, cursor)

    def count_copies(self, images: Sequence[Image]) -> list[int]:
        """Return of each image how many other indexed images are in its group of copies."""
        return count_copies(self._points, images, self._queries.which(None))

    def scan_states(self, batch: int = 1000) -> Iterator[ScanState]:
        """Yield the scan state of every image of the bucket, removed ones too, in no order, `batch` a call."""
        check_limit(batch)
        for points in self._points.scroll(api.Filter(must=[self._of_bucket]), SCAN_FIELDS, batch):
            for point in points:
                yield read_scan_state(point.id.uuid, point.payload)

    def scan_labels(self, filter: Filter | None = None, batch: int = 1000) -> Iterator[list[Labelled]]:
        """Yield id, label and group of copies of every indexed image that fits, `batch` a call, by their ids.

        Ids are hashes: the first n are a sample, the same every time, that new images change little.
        """
        check_limit(batch)
        for points in self._points.scroll(self._indexed(filter), LABELLED_FIELDS, batch):
            yield [read_labelled(point.id.uuid, point.payload) for point in points]

    def count(self, filter: Filter | None = None, *, indexed_after: datetime | None = None) -> int:
        """Return how many indexed images fit.

        Args:
            filter: Only these.
            indexed_after: Only those that were indexed, or indexed again, after this moment.
        """
        condition = self._indexed(filter)
        if indexed_after is not None:
            condition.must.append(is_after("indexed_at", indexed_after))
        return self._points.count(condition)

    def by_sha256(self, shas: Iterable[str]) -> dict[str, tuple[Image, NDArray[np.float32]]]:
        """Return an image of these bytes that has a vector, and its vectors' row, for each SHA-256 that has one.

        Equal bytes have equal vectors, so images of other buckets count too, those that wait to be read again, and
        those that are removed.
        """
        found: dict[str, tuple[Image, NDArray[np.float32]]] = {}
        missing = sorted(set(shas))
        while missing:
            request = api.ScrollPoints(
                collection_name=self.name,
                filter=api.Filter(must=[is_one_of("sha256", missing), has_vector()]),
                limit=2 * len(missing),
                with_payload=WHOLE_PAYLOAD,
                with_vectors=self._queries.with_vectors,
            )
            points = self._points.call(SCROLL, request).result
            before = len(found)
            for point in points:
                image, row = read_image(point.id.uuid, point.payload), read_row(point.vectors, self.model.vectors)
                if row is not None and image.sha256 is not None:
                    found.setdefault(image.sha256, (image, row))
            missing = [sha for sha in missing if sha not in found]
            # A page that is not full was the last; a full one may hold many copies of few contents.
            if len(points) < request.limit or len(found) == before:
                return found
        return found

    def upsert(self, images: Sequence[Image], vectors: Sequence[ArrayLike] | NDArray[np.float32] | None) -> None:
        """Store images, replacing those of the same ids as a whole.

        Args:
            images: All indexed, or none.
            vectors: (n, dimensions + visual_dimensions), a row for each image with its vector and, where the model has
                them, its visual one beside; their lengths do not matter. None for images that are pending or failed,
                which have no vector.

        Raises:
            ValueError: An indexed image has no vector, another one has, or a vector does not fit.
        """
        if vectors is not None and len(vectors) != len(images):
            raise ValueError(f"{len(images)} images cannot have {len(vectors)} vectors")
        for image in images:
            if (image.state == INDEXED) != (vectors is not None):
                raise ValueError(f"{image.key} is {image.state}: an image has a vector if it is indexed, and only then")
        for start in range(0, len(images), BATCH_POINTS):
            request = api.UpsertPoints(collection_name=self.name, wait=True)
            for place in range(start, min(start + BATCH_POINTS, len(images))):
                point = request.points.add()
                point.id.uuid = str(images[place].id)
                write_image(point.payload, images[place])
                if vectors is not None:
                    row = as_vector(vectors[place], sum(self.model.vectors.values()))
                    for name, vector in parts_of(row, self.model.vectors).items():
                        point.vectors.vectors.vectors[name].dense.CopyFrom(vector_message(vector))
                else:
                    # Qdrant rejects a point without this field, even if it has no vectors.
                    point.vectors.vectors.SetInParent()
            self._points.call(UPSERT, request)

    def set_state(
        self, ids: Sequence[str], state: State, *, reason: str | None = None, next_try_at: datetime | None = None
    ) -> None:
        """Set state, reason and time of the next try of images whose objects are there.

        Other fields, and vectors, stay. Those that do not exist, and for `indexed` those without a vector, are skipped.
        """
        for batch in batched(ids, BATCH_POINTS):
            condition = api.Filter(must=[has_id(batch)])
            if state == INDEXED:
                condition.must.append(has_vector())
            request = api.SetPayloadPoints(
                collection_name=self.name, wait=True, points_selector=api.PointsSelector(filter=condition)
            )
            write_state(request.payload, self._bucket_id, state, reason, next_try_at)
            self._points.call(SET_PAYLOAD, request)

    def set_stamp(self, ids: Sequence[str], stamp: str | None) -> None:
        """Set the stamp of images; other fields, and vectors, stay. Those that do not exist are skipped."""
        value = api.Value(string_value=stamp) if stamp else api.Value(null_value=api.NULL_VALUE)
        self._set(ids, {"stamp": value})

    def set_added(self, moments: Mapping[str, datetime]) -> None:
        """Set when images first came, by id; those that do not exist are skipped."""
        ids_at: dict[datetime, list[str]] = defaultdict(list)
        for one, moment in moments.items():
            ids_at[moment].append(one)
        for moment, ids in ids_at.items():
            self._set(ids, {"added_at": api.Value(string_value=time_text(moment))})

    def delete(self, ids: Sequence[str]) -> None:
        """Delete images, if they exist."""
        self._points.delete(ids)

    def counts(self) -> Counts:
        """Return how many images of the bucket are in each state."""
        found = self._points.facet("state", self._of_bucket)
        return Counts(**{state: found.get(state, 0) for state in STATES})

    def labels(self, filter: Filter | None = None) -> dict[str, int]:
        """Return how many indexed images, of those that fit, each label has, the most frequent first."""
        return merged(self._points.facet("label", *self._queries.which(filter)), canonical)

    def formats(self) -> dict[str, int]:
        """Return how many indexed images are of each format, the most frequent first."""
        return self._points.facet("format", self._queries.searchable)

    def folders(self) -> dict[str, int]:
        """Return how many indexed images are anywhere below each folder, the fullest first."""
        return merged(self._points.facet("folders", self._queries.searchable), canonical_folder)

    def facets(
        self, names: Sequence[Facet], filter: Filter | None = None, *, limit: int = MOST_VALUES
    ) -> dict[str, dict[str, int]]:
        """Return of each facet how many indexed images, of those that fit, have each value.

        Args:
            names: Of the facets. A year is that of `taken_at`, or of `modified_at` of an image without it.
            filter: Only these.
            limit: So many values of each at most, the most frequent.

        Returns:
            Numbers by value by facet: the most frequent first, ratings and years from the highest on.

        Raises:
            ValueError: It is no facet.
            NotDerived: Some images still lack a facet's field.
        """
        if not DERIVED_FACETS.isdisjoint(names):
            self.derivation.check_derived()
        return count_facets(self._points, names, self._queries.which(filter), limit)

    def _set(self, ids: Sequence[str], fields: Mapping[str, api.Value]) -> None:
        """Set fields of points; those that do not exist are skipped."""
        for batch in batched(ids, BATCH_POINTS):
            selector = api.PointsSelector(filter=api.Filter(must=[has_id(batch)]))
            request = api.SetPayloadPoints(
                collection_name=self.name, wait=True, points_selector=selector, payload=fields
            )
            self._points.call(SET_PAYLOAD, request)

    def _origin(self, vector: ArrayLike, params: SearchParams) -> api.VectorInput:
        dimensions = self.model.vectors[self.model.vector_name(visual=params.visual)]
        return api.VectorInput(dense=vector_message(as_vector(vector, dimensions)))

    def _read_rows(self, ids: Sequence[str], names: Sequence[str]) -> list[NDArray[np.float32] | None]:
        points = self._points.retrieve(ids, with_payload=NO_PAYLOAD, with_vectors=vectors_of(names))
        found = {point.id.uuid: read_row(point.vectors, names) for point in points}
        return [found.get(str(one)) for one in ids]

    def _indexed(self, filter: Filter | None) -> api.Filter:
        return api.Filter(must=self._queries.which(filter))


def _is_removed(point: api.RetrievedPoint) -> bool:
    state: str = point.payload["state"].string_value
    return state == REMOVED
