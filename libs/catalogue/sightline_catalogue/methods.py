"""The methods of Qdrant that the catalogue calls, with the types that Qdrant's stubs leave out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from google.protobuf.message import Message
from qdrant_client import grpc as api

Request = TypeVar("Request", bound=Message)
Reply = TypeVar("Reply", bound=Message)


@dataclass(frozen=True)
class Stubs:
    """Qdrant's stubs over one channel."""

    points: api.PointsStub
    collections: api.CollectionsStub
    server: api.QdrantStub

    @classmethod
    def over(cls, channel: grpc.Channel) -> Stubs:
        """Return the stubs over a channel."""
        return cls(api.PointsStub(channel), api.CollectionsStub(channel), api.QdrantStub(channel))  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Method(Generic[Request, Reply]):
    """A method: its stub, the types of its request and response, and whether it changes anything."""

    of: Callable[[Stubs], grpc.UnaryUnaryMultiCallable[Request, Reply]]
    writes: bool = False


QUERY: Method[api.QueryPoints, api.QueryResponse] = Method(lambda stubs: stubs.points.Query)
QUERY_BATCH: Method[api.QueryBatchPoints, api.QueryBatchResponse] = Method(lambda stubs: stubs.points.QueryBatch)
GET_POINTS: Method[api.GetPoints, api.GetResponse] = Method(lambda stubs: stubs.points.Get)
SCROLL: Method[api.ScrollPoints, api.ScrollResponse] = Method(lambda stubs: stubs.points.Scroll)
COUNT: Method[api.CountPoints, api.CountResponse] = Method(lambda stubs: stubs.points.Count)
FACET: Method[api.FacetCounts, api.FacetResponse] = Method(lambda stubs: stubs.points.Facet)
UPSERT: Method[api.UpsertPoints, api.PointsOperationResponse] = Method(lambda stubs: stubs.points.Upsert, writes=True)
SET_PAYLOAD: Method[api.SetPayloadPoints, api.PointsOperationResponse] = Method(
    lambda stubs: stubs.points.SetPayload, writes=True
)
DELETE_POINTS: Method[api.DeletePoints, api.PointsOperationResponse] = Method(
    lambda stubs: stubs.points.Delete, writes=True
)
CREATE_INDEX: Method[api.CreateFieldIndexCollection, api.PointsOperationResponse] = Method(
    lambda stubs: stubs.points.CreateFieldIndex, writes=True
)
GET_COLLECTION: Method[api.GetCollectionInfoRequest, api.GetCollectionInfoResponse] = Method(
    lambda stubs: stubs.collections.Get
)
COLLECTION_CLUSTER_INFO: Method[api.CollectionClusterInfoRequest, api.CollectionClusterInfoResponse] = Method(
    lambda stubs: stubs.collections.CollectionClusterInfo
)
LIST_COLLECTIONS: Method[api.ListCollectionsRequest, api.ListCollectionsResponse] = Method(
    lambda stubs: stubs.collections.List
)
CREATE_COLLECTION: Method[api.CreateCollection, api.CollectionOperationResponse] = Method(
    lambda stubs: stubs.collections.Create, writes=True
)
DELETE_COLLECTION: Method[api.DeleteCollection, api.CollectionOperationResponse] = Method(
    lambda stubs: stubs.collections.Delete, writes=True
)
LIST_ALIASES: Method[api.ListAliasesRequest, api.ListAliasesResponse] = Method(
    lambda stubs: stubs.collections.ListAliases
)
UPDATE_ALIASES: Method[api.ChangeAliases, api.CollectionOperationResponse] = Method(
    lambda stubs: stubs.collections.UpdateAliases, writes=True
)
HEALTH_CHECK: Method[api.HealthCheckRequest, api.HealthCheckReply] = Method(lambda stubs: stubs.server.HealthCheck)
