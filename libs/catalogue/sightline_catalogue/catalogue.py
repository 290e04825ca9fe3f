"""All collections, and the alias that says which one is searched."""

from __future__ import annotations

import re
import threading
from typing import Any

from qdrant_client import grpc

from sightline_catalogue.collection import VECTOR, Collection
from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import CatalogueError, NoCollection, WrongFingerprint
from sightline_catalogue.image import ModelRef
from sightline_catalogue.payload import INDEXES
from sightline_catalogue.settings import CatalogueSettings

ALIAS = "images"
HNSW_M = 16
HNSW_EF_CONSTRUCT = 128


def collection_name(model: ModelRef) -> str:
    """Return the name of a model's collection: readable, and another one for another fingerprint."""
    slug = re.sub(r"[^a-z0-9]+", "-", model.id.lower()).strip("-")[:60] or "model"
    return f"{ALIAS}-{slug}-{model.fingerprint[:12]}"


class Catalogue:
    """Every collection of one vector database. Connects on first use; safe to use from several threads.

    Args:
        settings: Where the database is.
        bucket_id: BUCKET_ID; part of each image's id.
    """

    def __init__(self, settings: CatalogueSettings, bucket_id: str = "main") -> None:
        self._connection = Connection(settings)
        self.bucket_id = bucket_id
        self._lock = threading.Lock()
        self._models: dict[str, ModelRef] = {}

    def close(self) -> None:
        """Close the connection; a later call opens it again."""
        self._connection.close()

    def ping(self) -> None:
        """Return if the database answers.

        Raises:
            CatalogueUnavailable: It does not.
        """
        self._connection.collections(lambda stub: stub.List, grpc.ListCollectionsRequest())

    def current(self) -> Collection:
        """Return the collection that the alias names now. Ask once a request and use what came back.

        Raises:
            NoCollection: There is none yet.
            CatalogueUnavailable: The database does not answer.
        """
        name = self._aliased()
        if name is None:
            raise NoCollection("nothing is indexed yet: there is no collection")
        return self.open(name)

    def open(self, name: str) -> Collection:
        """Return a collection by its own name.

        Raises:
            NoCollection: There is none of that name, or it is not Sightline's.
        """
        with self._lock:
            model = self._models.get(name)
        if model is None:
            model = self._read_model(name)
            with self._lock:
                self._models[name] = model
        return Collection(self._connection, name, model)

    def ensure_collection(self, model: ModelRef) -> Collection:
        """Return the collection of a model; make it, and the indexes of its payload, where they are missing.

        Several processes may do this at once.

        Raises:
            WrongFingerprint: A collection of that name holds another model's vectors.
        """
        name = collection_name(model)
        if not self._exists(name):
            try:
                self._connection.collections(lambda stub: stub.Create, self._creation(name, model))
            except CatalogueError:
                # Another process was faster, or it is a failure indeed.
                if not self._exists(name):
                    raise
        found = self._read_model(name)
        if found != model:
            raise WrongFingerprint(f"the collection {name} holds vectors of {found}, not of {model}")
        self._ensure_indexes(name)
        with self._lock:
            self._models[name] = found
        return Collection(self._connection, name, found)

    def activate(self, collection: Collection) -> None:
        """Let the alias name a collection, from one moment to the next."""
        actions = []
        if self._aliased() is not None:
            actions.append(grpc.AliasOperations(delete_alias=grpc.DeleteAlias(alias_name=ALIAS)))
        create = grpc.CreateAlias(collection_name=collection.name, alias_name=ALIAS)
        actions.append(grpc.AliasOperations(create_alias=create))
        self._connection.collections(lambda stub: stub.UpdateAliases, grpc.ChangeAliases(actions=actions))

    def collections(self) -> list[Collection]:
        """Return every collection of Sightline's."""
        answer = self._connection.collections(lambda stub: stub.List, grpc.ListCollectionsRequest())
        names = sorted(one.name for one in answer.collections if one.name.startswith(f"{ALIAS}-"))
        found = []
        for name in names:
            try:
                found.append(self.open(name))
            except NoCollection:
                continue
        return found

    def delete_collection(self, collection: Collection) -> None:
        """Delete a collection and all its vectors.

        Raises:
            CatalogueError: It is the one that is searched.
        """
        if self._aliased() == collection.name:
            raise CatalogueError(f"{collection.name} is being searched; activate another one first")
        with self._lock:
            self._models.pop(collection.name, None)
        request = grpc.DeleteCollection(collection_name=collection.name)
        self._connection.collections(lambda stub: stub.Delete, request)

    def _aliased(self) -> str | None:
        answer = self._connection.collections(lambda stub: stub.ListAliases, grpc.ListAliasesRequest())
        return next((one.collection_name for one in answer.aliases if one.alias_name == ALIAS), None)

    def _exists(self, name: str) -> bool:
        request = grpc.CollectionExistsRequest(collection_name=name)
        return bool(self._connection.collections(lambda stub: stub.CollectionExists, request).result.exists)

    def _info(self, name: str) -> Any:
        request = grpc.GetCollectionInfoRequest(collection_name=name)
        return self._connection.collections(lambda stub: stub.Get, request).result

    def _read_model(self, name: str) -> ModelRef:
        config = self._info(name).config
        metadata = config.metadata
        if "model" not in metadata or "fingerprint" not in metadata:
            raise NoCollection(f"the collection {name} is not one of Sightline's")
        return ModelRef(
            id=metadata["model"].string_value,
            fingerprint=metadata["fingerprint"].string_value,
            dimensions=config.params.vectors_config.params_map.map[VECTOR].size,
        )

    def _creation(self, name: str, model: ModelRef) -> grpc.CreateCollection:
        settings = self._connection.settings
        vector = grpc.VectorParams(size=model.dimensions, distance=grpc.Distance.Cosine, on_disk=True)
        int8 = grpc.ScalarQuantization(type=grpc.QuantizationType.Int8, always_ram=True)
        return grpc.CreateCollection(
            collection_name=name,
            vectors_config=grpc.VectorsConfig(params_map=grpc.VectorParamsMap(map={VECTOR: vector})),
            hnsw_config=grpc.HnswConfigDiff(m=HNSW_M, ef_construct=HNSW_EF_CONSTRUCT),
            quantization_config=grpc.QuantizationConfig(scalar=int8),
            on_disk_payload=True,
            shard_number=settings.shard_number,
            replication_factor=settings.replication_factor,
            metadata={
                "model": grpc.Value(string_value=model.id),
                "fingerprint": grpc.Value(string_value=model.fingerprint),
            },
        )

    def _ensure_indexes(self, name: str) -> None:
        present = self._info(name).payload_schema
        for field, kind in INDEXES.items():
            if field not in present:
                request = grpc.CreateFieldIndexCollection(
                    collection_name=name, wait=True, field_name=field, field_type=kind
                )
                self._connection.points(lambda stub: stub.CreateFieldIndex, request, slow=True)
