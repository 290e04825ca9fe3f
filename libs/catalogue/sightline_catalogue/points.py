"""Reads and writes the points of one collection, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qdrant_client import grpc as api
from sightline_service.batches import batched

from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import NoCollection, NotFound
from sightline_catalogue.methods import COUNT, DELETE_POINTS, FACET, GET_POINTS, SCROLL, Method, Reply, Request

BATCH_POINTS = 500
"""Points of one write, and of one read by id."""
FACET_VALUES = 10_000
"""The most values of a field that are counted."""


class Points:
    """The points of one collection.

    Args:
        connection: The connection to Qdrant.
        collection: The collection's name.
    """

    def __init__(self, connection: Connection, collection: str) -> None:
        self._connection = connection
        self._collection = collection

    def call(self, method: Method[Request, Reply], request: Request) -> Reply:
        """Call a method on the collection.

        Raises:
            NoCollection: There is no such collection.
            CatalogueError: Anything else; CatalogueUnavailable among them.
        """
        try:
            return self._connection.call(method, request)
        except NotFound as error:
            raise NoCollection(f"the collection {self._collection} does not exist: {error}") from None

    def retrieve(
        self,
        ids: Sequence[str],
        *,
        with_payload: api.WithPayloadSelector,
        with_vectors: api.WithVectorsSelector | None = None,
    ) -> Iterator[api.RetrievedPoint]:
        """Yield the points of some ids, those that exist."""
        for batch in batched(ids, BATCH_POINTS):
            request = api.GetPoints(
                collection_name=self._collection,
                ids=[point_id(one) for one in batch],
                with_payload=with_payload,
                with_vectors=with_vectors,
            )
            yield from self.call(GET_POINTS, request).result

    def scroll(
        self, condition: api.Filter, fields: Sequence[str], batch: int
    ) -> Iterator[Sequence[api.RetrievedPoint]]:
        """Yield all points that match, by id, `batch` a call, with some fields of their payload."""
        request = api.ScrollPoints(
            collection_name=self._collection,
            filter=condition,
            limit=batch,
            with_payload=api.WithPayloadSelector(include=api.PayloadIncludeSelector(fields=fields)),
        )
        while True:
            response = self.call(SCROLL, request)
            yield response.result
            if not response.HasField("next_page_offset"):
                return
            request.offset.CopyFrom(response.next_page_offset)

    def count(self, condition: api.Filter) -> int:
        """Return the exact number of points that match."""
        request = api.CountPoints(collection_name=self._collection, filter=condition, exact=True)
        return self.call(COUNT, request).result.count

    def facet(self, field: str, *conditions: api.Condition, exact: bool = True) -> dict[str, int]:
        """Return the number of matching points for each value of a field, the most frequent first.

        Without `exact`, points may count twice while the database moves them from one segment to another.
        """
        request = api.FacetCounts(
            collection_name=self._collection,
            key=field,
            filter=api.Filter(must=conditions),
            limit=FACET_VALUES,
            exact=exact,
        )
        return {_text_of(hit.value): hit.count for hit in self.call(FACET, request).hits if hit.count}

    def delete(self, ids: Sequence[str]) -> None:
        """Delete points, if they exist."""
        for batch in batched(ids, BATCH_POINTS):
            selector = api.PointsSelector(points=api.PointsIdsList(ids=[point_id(one) for one in batch]))
            self.call(DELETE_POINTS, api.DeletePoints(collection_name=self._collection, wait=True, points=selector))


def point_id(image_id: str) -> api.PointId:
    """Return the id of an image's point."""
    return api.PointId(uuid=str(image_id))


def _text_of(value: api.FacetValue) -> str:
    return str(value.integer_value) if value.WhichOneof("variant") == "integer_value" else value.string_value
