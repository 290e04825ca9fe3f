"""Qdrant's service `Points`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import qdrant_edge as engine
from qdrant_client import grpc as api

from sightline_qdrant_edge import queries
from sightline_qdrant_edge.collection import EdgeCollection
from sightline_qdrant_edge.errors import NotFound, WrongInput, engine_errors
from sightline_qdrant_edge.reserve import Reserve
from sightline_qdrant_edge.store import Store
from sightline_qdrant_edge.updates import Write
from sightline_qdrant_edge.values import PointId, named_vectors, point_ids, write_id

Request = TypeVar("Request")
Answer = TypeVar("Answer")


def _engine(call: Callable[[Request], Answer], request: Request) -> Answer:
    with engine_errors():
        return call(request)


class PointsService:
    """The calls on points that are served; a method that is not here answers UNIMPLEMENTED."""

    def __init__(self, store: Store, reserve: Reserve) -> None:
        """Serve the collections of `store`; writes that would take of `reserve` are refused."""
        self._store = store
        self._reserve = reserve

    def Get(self, request: api.GetPoints) -> api.GetResponse:
        """Return points by id, in the order of the ids; missing ones are left out."""
        shard = self._store.get(request.collection_name).shard
        ids = point_ids(request.ids)
        with_payload, with_vectors = queries.with_payload(request), queries.with_vectors(request)
        with engine_errors():
            found = {record.id: record for record in shard.retrieve(ids, with_payload, with_vectors)}
        response = api.GetResponse()
        queries.write_records(response.result, [found[key] for key in ids if key in found])
        return response

    def Query(self, request: api.QueryPoints) -> api.QueryResponse:
        """Return the points nearest to a vector or to a point."""
        collection = self._store.get(request.collection_name)
        serving = collection.serving
        found = _engine(serving.shard.query, self._query(collection, request))
        response = api.QueryResponse()
        queries.write_found(response.result, found, serving, request)
        return response

    def QueryBatch(self, request: api.QueryBatchPoints) -> api.QueryBatchResponse:
        """Answer several queries on one collection in one pass."""
        collection = self._store.get(request.collection_name)
        batch = engine.QueryBatchRequest([self._query(collection, query) for query in request.query_points])
        serving = collection.serving
        response = api.QueryBatchResponse()
        for query, found in zip(request.query_points, _engine(serving.shard.query_batch, batch), strict=True):
            queries.write_found(response.result.add().result, found, serving, query)
        return response

    def Scroll(self, request: api.ScrollPoints) -> api.ScrollResponse:
        """Return a page of points, by id or by a field."""
        shard = self._store.get(request.collection_name).shard
        records, following = _engine(shard.scroll, queries.scroll_request(request))
        response = api.ScrollResponse()
        queries.write_records(response.result, records)
        if following is not None:
            write_id(response.next_page_offset, following)
        return response

    def Count(self, request: api.CountPoints) -> api.CountResponse:
        """Return how many points pass a filter."""
        shard = self._store.get(request.collection_name).shard
        return api.CountResponse(result=api.CountResult(count=_engine(shard.count, queries.count_request(request))))

    def Facet(self, request: api.FacetCounts) -> api.FacetResponse:
        """Return the values of an indexed field and how many points have each."""
        shard = self._store.get(request.collection_name).shard
        response = api.FacetResponse()
        queries.write_facet(response.hits, _engine(shard.facet, queries.facet_request(request)).hits)
        return response

    def Upsert(self, request: api.UpsertPoints) -> api.PointsOperationResponse:
        """Insert or replace points; a point may have no vector."""
        return self._write(request)

    def Delete(self, request: api.DeletePoints) -> api.PointsOperationResponse:
        """Delete points by id or filter."""
        return self._write(request)

    def SetPayload(self, request: api.SetPayloadPoints) -> api.PointsOperationResponse:
        """Set some fields of points, leaving the others."""
        return self._write(request)

    def CreateFieldIndex(self, request: api.CreateFieldIndexCollection) -> api.PointsOperationResponse:
        """Index a payload field."""
        return self._write(request)

    def DeleteFieldIndex(self, request: api.DeleteFieldIndexCollection) -> api.PointsOperationResponse:
        """Drop the index of a payload field."""
        return self._write(request)

    def _write(self, request: Write) -> api.PointsOperationResponse:
        collection = self._store.get(request.collection_name)
        self._reserve.check(request.ByteSize(), deletes=isinstance(request, api.DeletePoints))
        number = collection.write(request)
        # Without `wait` too the write is done by now; the status is what the client expects.
        status = api.UpdateStatus.Completed if request.wait else api.UpdateStatus.Acknowledged
        return api.PointsOperationResponse(result=api.UpdateResult(operation_id=number, status=status))

    def _query(self, collection: EdgeCollection, request: api.QueryPoints) -> engine.QueryRequest:
        by_id = queries.query_point_id(request)
        origin = None if by_id is None else (by_id, _vector_of(collection, by_id, request.using))
        return queries.query_request(request, origin)


def _vector_of(collection: EdgeCollection, point: PointId, using: str) -> list[float]:
    if using not in collection.dimensions:
        raise WrongInput(f"Wrong input: Not existing vector name error: {using}")
    with engine_errors():
        records = collection.shard.retrieve([point], False, True)
    if not records:
        raise NotFound(f"Not found: No point with id {point} found")
    vector = named_vectors(records[0].vector or {}).get(using)
    if vector is None:
        raise NotFound(f"Not found: Point {point} has no vector `{using}`")
    return vector
