"""Qdrant's service `Collections`."""

from __future__ import annotations

from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import engine_errors
from sightline_qdrant_edge.reserve import Reserve
from sightline_qdrant_edge.schema import collection_config, write_payload_schema
from sightline_qdrant_edge.store import Store

_COLLECTION_BYTES = 2 * 2**20
"""More than a third of what the engine takes for an empty collection with its indexes."""


class CollectionsService:
    """The calls on collections that are served; a method that is not here answers UNIMPLEMENTED."""

    def __init__(self, store: Store, index_threshold: int, reserve: Reserve) -> None:
        """Serve the collections of `store`; a collection is yellow above `index_threshold` unindexed points."""
        self._store = store
        self._index_threshold = index_threshold
        self._reserve = reserve

    def Get(self, request: api.GetCollectionInfoRequest) -> api.GetCollectionInfoResponse:
        """Describe a collection."""
        collection = self._store.get(request.collection_name)
        with engine_errors():
            info = collection.shard.info()
        response = api.GetCollectionInfoResponse()
        result = response.result
        waiting = collection.building or collection.unindexed > self._index_threshold
        result.status = api.CollectionStatus.Yellow if waiting else api.CollectionStatus.Green
        problem = self._reserve.problem or collection.build_error
        result.optimizer_status.ok = not problem
        result.optimizer_status.error = problem
        result.segments_count = info.segments_count
        result.points_count = info.points_count
        result.indexed_vectors_count = info.indexed_vectors_count
        result.config.CopyFrom(collection_config(collection.request, self._index_threshold))
        write_payload_schema(result.payload_schema, info.payload_schema)
        return response

    def CollectionClusterInfo(self, request: api.CollectionClusterInfoRequest) -> api.CollectionClusterInfoResponse:
        """Describe where a collection's shards are: its one shard is here."""
        collection = self._store.get(request.collection_name)
        with engine_errors():
            points = collection.shard.info().points_count
        response = api.CollectionClusterInfoResponse(shard_count=1)
        response.local_shards.add(shard_id=0, points_count=points, state=api.ReplicaState.Active)
        return response

    def List(self, request: api.ListCollectionsRequest) -> api.ListCollectionsResponse:
        """List the collections."""
        names = [api.CollectionDescription(name=found.name) for found in self._store.collections()]
        return api.ListCollectionsResponse(collections=names)

    def Create(self, request: api.CreateCollection) -> api.CollectionOperationResponse:
        """Create a collection."""
        self._reserve.check(_COLLECTION_BYTES)
        self._store.create(request)
        return api.CollectionOperationResponse(result=True)

    def Delete(self, request: api.DeleteCollection) -> api.CollectionOperationResponse:
        """Delete a collection; `result` is false where there is none."""
        return api.CollectionOperationResponse(result=self._store.delete(request.collection_name))

    def UpdateAliases(self, request: api.ChangeAliases) -> api.CollectionOperationResponse:
        """Change aliases, all at once."""
        self._store.change_aliases(request.actions)
        return api.CollectionOperationResponse(result=True)

    def ListAliases(self, request: api.ListAliasesRequest) -> api.ListAliasesResponse:
        """Return all aliases."""
        return api.ListAliasesResponse(
            aliases=[
                api.AliasDescription(alias_name=alias, collection_name=name)
                for alias, name in sorted(self._store.aliases().items())
            ]
        )
