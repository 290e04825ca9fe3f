"""The images of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import grpc

from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import NoCollection, UnknownImage, WrongCursor
from sightline_catalogue.filters import any_of, to_filter, without
from sightline_catalogue.image import Counts, Filter, Image, Known, ModelRef, Nearest, Page, State
from sightline_catalogue.payload import (
    KNOWN_FIELDS,
    from_payload,
    newest,
    point_ids,
    printable,
    to_known,
    to_payload,
    to_text,
)

VECTOR = "image"
MAX_LABELS = 10_000

Vectors = NDArray[np.float32]

_ALL = grpc.WithPayloadSelector(enable=True)
_NO_PAYLOAD = grpc.WithPayloadSelector(enable=False)
_WITH_VECTOR = grpc.WithVectorsSelector(include=grpc.VectorsSelector(names=[VECTOR]))
_NO_VECTOR = grpc.WithVectorsSelector(enable=False)


class Collection:
    """One collection, by its own name: what the alias names may change, this does not.

    Every call raises CatalogueUnavailable where the database does not answer, and NoCollection where the collection
    is gone. Safe to use from several threads.
    """

    def __init__(self, connection: Connection, name: str, model: ModelRef) -> None:
        self._connection = connection
        self.name = name
        self.model = model
        settings = connection.settings
        self._params = grpc.SearchParams(
            hnsw_ef=settings.hnsw_ef,
            quantization=grpc.QuantizationSearchParams(rescore=True, oversampling=settings.oversampling),
        )

    def __repr__(self) -> str:
        return f"Collection({self.name!r})"

    def nearest(
        self,
        vector: Vectors,
        *,
        limit: int,
        offset: int = 0,
        filter: Filter | None = None,
        with_vectors: bool = False,
        score_threshold: float | None = None,
    ) -> Nearest:
        """Return the images nearest to a vector.

        Args:
            vector: (dimensions,) float32.
            limit: At most so many.
            offset: Leave so many of the nearest out.
            filter: Only these.
            with_vectors: Give their vectors too.
            score_threshold: Only those at least so similar (cosine).
        """
        return self.nearest_batch(
            [vector],
            limit=limit,
            offset=offset,
            filter=filter,
            with_vectors=with_vectors,
            score_threshold=score_threshold,
        )[0]

    def nearest_batch(
        self,
        vectors: Sequence[Vectors] | Vectors,
        *,
        limit: int,
        offset: int = 0,
        filter: Filter | None = None,
        with_vectors: bool = False,
        score_threshold: float | None = None,
    ) -> list[Nearest]:
        """Return the images nearest to each of several vectors, in one call; see `nearest`."""
        chosen = to_filter(filter)
        requests = [
            self._query(
                grpc.VectorInput(dense=grpc.DenseVector(data=vector)),
                chosen,
                limit,
                offset,
                with_vectors,
                score_threshold,
            )
            for vector in vectors
        ]
        if len(requests) == 1:
            answer = self._connection.points(lambda stub: stub.Query, requests[0])
            return [_nearest(answer.result, self.model.dimensions, with_vectors)]
        batch = grpc.QueryBatchPoints(collection_name=self.name, query_points=requests)
        answers = self._connection.points(lambda stub: stub.QueryBatch, batch)
        return [_nearest(one.result, self.model.dimensions, with_vectors) for one in answers.result]

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
        """Return the images nearest to one of the collection, without itself; see `nearest`.

        Raises:
            UnknownImage: There is no such image, or it has no vector (yet).
        """
        known = self.vectors([image_id])[0]
        if known is None:
            raise UnknownImage(f"no indexed picture has the id {image_id}")
        request = self._query(
            grpc.VectorInput(dense=grpc.DenseVector(data=known)),
            to_filter(filter, must_not=[without([image_id])]),
            limit,
            offset,
            with_vectors,
            score_threshold,
        )
        answer = self._connection.points(lambda stub: stub.Query, request)
        return _nearest(answer.result, self.model.dimensions, with_vectors)

    def get(self, ids: Sequence[str]) -> list[Image | None]:
        """Return images by id, in the order of the ids; None for those that are not there."""
        found = {point.id.uuid: from_payload(point.id.uuid, point.payload) for point in self._points(ids, _ALL)}
        return [found.get(one) for one in ids]

    def vectors(self, ids: Sequence[str]) -> list[Vectors | None]:
        """Return the (dimensions,) float32 vectors of images, in the order of the ids; None for those without."""
        found = {
            point.id.uuid: _vector(point.vectors)
            for point in self._points(ids, _NO_PAYLOAD, _WITH_VECTOR)
            if VECTOR in point.vectors.vectors.vectors
        }
        return [found.get(one) for one in ids]

    def _points(
        self, ids: Sequence[str], payload: grpc.WithPayloadSelector, vectors: grpc.WithVectorsSelector = _NO_VECTOR
    ) -> Sequence[Any]:
        if not ids:
            return []
        request = grpc.GetPoints(
            collection_name=self.name, ids=point_ids(ids), with_payload=payload, with_vectors=vectors
        )
        found: Sequence[Any] = self._connection.points(lambda stub: stub.Get, request).result
        return found

    def browse(self, filter: Filter | None, limit: int, cursor: str | None = None) -> Page:
        """Return a page of images, the last modified first.

        Args:
            filter: Only these.
            limit: At most so many.
            cursor: Of the page before. What is added meanwhile moves no image from one page to another.

        Raises:
            WrongCursor: It is not one of ours.
        """
        order = grpc.OrderBy(key="newest", direction=grpc.Direction.Desc)
        if cursor is not None:
            try:
                order.start_from.integer = int(cursor, 16) - 1
            except ValueError:
                raise WrongCursor("that cursor was not given by an earlier page") from None
        request = grpc.ScrollPoints(
            collection_name=self.name,
            filter=to_filter(filter),
            limit=limit + 1,
            order_by=order,
            with_payload=_ALL,
            with_vectors=_NO_VECTOR,
        )
        points = self._connection.points(lambda stub: stub.Scroll, request).result
        images = [from_payload(point.id.uuid, point.payload) for point in points]
        more = len(images) > limit
        images = images[:limit]
        return Page(images, f"{newest(images[-1]):x}" if more and images else None)

    def known(self, batch: int = 1000) -> Iterator[Known]:
        """Yield what a comparison with the bucket needs of every image.

        Args:
            batch: So many are asked for at a time.
        """
        payload = grpc.WithPayloadSelector(include=grpc.PayloadIncludeSelector(fields=KNOWN_FIELDS))
        for point in self._scroll(None, batch, payload, _NO_VECTOR):
            yield to_known(point.id.uuid, point.payload)

    def by_sha256(self, shas: Sequence[str]) -> dict[str, tuple[Image, Vectors]]:
        """Return an indexed image with the same bytes, and its (dimensions,) float32 vector, by SHA-256."""
        found: dict[str, tuple[Image, Vectors]] = {}
        if not shas:
            return found
        chosen = to_filter(Filter(states=("indexed",)), must=[any_of("sha256", shas)])
        for point in self._scroll(chosen, max(2 * len(shas), 16), _ALL, _WITH_VECTOR):
            image = from_payload(point.id.uuid, point.payload)
            if image.sha256 is not None and VECTOR in point.vectors.vectors.vectors:
                found.setdefault(image.sha256, (image, _vector(point.vectors)))
            if len(found) == len(shas):
                break
        return found

    def upsert(self, images: Sequence[Image], vectors: Vectors | None) -> None:
        """Write images, each whole: what was there of it is replaced. Returns once that is durable.

        Args:
            images: What to write.
            vectors: (n, dimensions) float32, in the same order; None for images without vectors.

        Raises:
            ValueError: Their numbers differ, or the vectors have not the collection's dimensions.
        """
        if vectors is not None and vectors.shape != (len(images), self.model.dimensions):
            raise ValueError(f"{len(images)} images of {self.model.dimensions} dimensions, vectors are {vectors.shape}")
        if not images:
            return
        points = [
            grpc.PointStruct(
                id=grpc.PointId(uuid=image.id),
                payload=to_payload(image),
                vectors=grpc.Vectors(
                    vectors=grpc.NamedVectors(
                        vectors={}
                        if vectors is None
                        else {VECTOR: grpc.Vector(dense=grpc.DenseVector(data=vectors[place]))}
                    )
                ),
            )
            for place, image in enumerate(images)
        ]
        self._connection.points(
            lambda stub: stub.Upsert, grpc.UpsertPoints(collection_name=self.name, wait=True, points=points)
        )

    def set_state(
        self, ids: Sequence[str], state: State, *, reason: str | None = None, next_try_at: datetime | None = None
    ) -> None:
        """Change the state of images and leave the rest, their vectors too. Ids that are not there are passed over."""
        if not ids:
            return
        chosen = grpc.PointsSelector(points=grpc.PointsIdsList(ids=point_ids(ids)))
        fields: dict[str, str] = {"state": state}
        if reason:
            fields["reason"] = printable(reason)
        if next_try_at is not None:
            fields["next_try_at"] = to_text(next_try_at)
        emptied = [name for name in ("reason", "next_try_at") if name not in fields]
        self._connection.points(
            lambda stub: stub.SetPayload,
            grpc.SetPayloadPoints(
                collection_name=self.name,
                wait=True,
                payload={name: grpc.Value(string_value=text) for name, text in fields.items()},
                points_selector=chosen,
            ),
        )
        if emptied:
            self._connection.points(
                lambda stub: stub.DeletePayload,
                grpc.DeletePayloadPoints(collection_name=self.name, wait=True, keys=emptied, points_selector=chosen),
            )

    def delete(self, ids: Sequence[str]) -> None:
        """Forget images. Ids that are not there are passed over."""
        if not ids:
            return
        chosen = grpc.PointsSelector(points=grpc.PointsIdsList(ids=point_ids(ids)))
        self._connection.points(
            lambda stub: stub.Delete, grpc.DeletePoints(collection_name=self.name, wait=True, points=chosen)
        )

    def counts(self) -> Counts:
        """Return how many images are in each state."""
        found = self._facet("state", None, 16)
        return Counts(**{state: found.get(state, 0) for state in ("pending", "indexed", "failed")})

    def labels(self) -> dict[str, int]:
        """Return how many indexed images each label has, the commonest first."""
        return self._facet("label", Filter(states=("indexed",)), MAX_LABELS)

    def formats(self) -> dict[str, int]:
        """Return how many indexed images each format has, the commonest first."""
        return self._facet("format", Filter(states=("indexed",)), 64)

    def _facet(self, field: str, filter: Filter | None, limit: int) -> dict[str, int]:
        request = grpc.FacetCounts(
            collection_name=self.name, key=field, filter=to_filter(filter), limit=limit, exact=True
        )
        hits = self._connection.points(lambda stub: stub.Facet, request).hits
        return {hit.value.string_value: hit.count for hit in hits}

    def _query(
        self,
        vector: grpc.VectorInput,
        chosen: grpc.Filter | None,
        limit: int,
        offset: int,
        with_vectors: bool,
        score_threshold: float | None,
    ) -> grpc.QueryPoints:
        return grpc.QueryPoints(
            collection_name=self.name,
            query=grpc.Query(nearest=vector),
            using=VECTOR,
            filter=chosen,
            params=self._params,
            limit=limit,
            offset=offset,
            score_threshold=score_threshold,
            with_payload=_ALL,
            with_vectors=_WITH_VECTOR if with_vectors else _NO_VECTOR,
        )

    def _scroll(
        self,
        chosen: grpc.Filter | None,
        batch: int,
        payload: grpc.WithPayloadSelector,
        vectors: grpc.WithVectorsSelector,
    ) -> Iterator[Any]:
        offset = None
        while True:
            request = grpc.ScrollPoints(
                collection_name=self.name,
                filter=chosen,
                limit=batch,
                offset=offset,
                with_payload=payload,
                with_vectors=vectors,
            )
            answer = self._connection.points(lambda stub: stub.Scroll, request)
            yield from answer.result
            if not answer.HasField("next_page_offset"):
                return
            offset = answer.next_page_offset

    def check_exists(self) -> None:
        """Return if the collection is there.

        Raises:
            NoCollection: It is not.
        """
        request = grpc.CollectionExistsRequest(collection_name=self.name)
        if not self._connection.collections(lambda stub: stub.CollectionExists, request).result.exists:
            raise NoCollection(f"there is no collection {self.name}")


def _vector(message: grpc.VectorsOutput) -> Vectors:
    output = message.vectors.vectors[VECTOR]
    # Servers before 1.16 fill the older field.
    return np.array(output.dense.data if output.HasField("dense") else output.data, dtype=np.float32)


def _nearest(points: Sequence[Any], dimensions: int, with_vectors: bool) -> Nearest:
    images = [from_payload(point.id.uuid, point.payload) for point in points]
    similarities = np.fromiter((point.score for point in points), dtype=np.float32, count=len(points))
    if not with_vectors:
        return Nearest(images, similarities)
    vectors = np.empty((len(points), dimensions), dtype=np.float32)
    for place, point in enumerate(points):
        vectors[place] = _vector(point.vectors)
    return Nearest(images, similarities, vectors)
