"""The collections, and which of them searches use."""

from __future__ import annotations

from collections.abc import Iterable

from qdrant_client import grpc as api

from sightline_catalogue.cluster import ClusterState
from sightline_catalogue.cluster_reader import ClusterReader
from sightline_catalogue.collection import Collection
from sightline_catalogue.connection import Connection, disk_problem
from sightline_catalogue.errors import CatalogueError, NoCollection, NotFound
from sightline_catalogue.methods import (
    CREATE_COLLECTION,
    CREATE_INDEX,
    DELETE_COLLECTION,
    GET_COLLECTION,
    LIST_ALIASES,
    LIST_COLLECTIONS,
    UPDATE_ALIASES,
)
from sightline_catalogue.schema import (
    INDEXES,
    PREFIX,
    ModelRef,
    check_model,
    collection_name,
    create_request,
    index_request,
    read_model,
)
from sightline_catalogue.server_version import read_version
from sightline_catalogue.settings import CatalogueSettings

ALIAS = "images"
PING_SECONDS = 2.0


class Catalogue:
    """Sightline's collections in Qdrant.

    Nothing connects before the first call, so it may be made before a fork and used after it. Safe to share between
    threads. Any call raises CatalogueError, most often CatalogueUnavailable.

    Args:
        settings: Where Qdrant is.
        bucket_id: BUCKET_ID; of a collection that several buckets share, only this one's images are seen.
        alias: The name that says which collection searches use.
    """

    def __init__(self, settings: CatalogueSettings, bucket_id: str, *, alias: str = ALIAS) -> None:
        self._settings = settings
        self._bucket_id = bucket_id
        self._alias = alias
        self._connection = Connection(settings)
        self._collections: dict[str, Collection] = {}
        self._active_everywhere: str | None = None
        self._cluster = ClusterReader(self._connection, settings)

    def ping(self) -> None:
        """Check that Qdrant answers, by one call with a short timeout.

        Raises:
            CatalogueUnavailable: It does not answer.
        """
        self._connection.call(LIST_ALIASES, api.ListAliasesRequest(), tries=1, seconds=PING_SECONDS)

    def ensure_collection(self, model: ModelRef) -> Collection:
        """Return a model's collection, after creating it, or an index that it lacks, where needed.

        Several processes may do this at the same time.

        Raises:
            WrongFingerprint: There is one of that name whose vectors are another model's.
        """
        read_version(self._connection)
        name = collection_name(model)
        info = self._info(name)
        if info is None:
            info = self._create(model)
        else:
            # Another process may have made it just now: every node has it before this one uses it.
            self._wait_for_collection(f"has the collection {name}", name)
        found = read_model(name, info)
        check_model(name, found, model)
        missing = [field for field in INDEXES if field not in info.payload_schema]
        for field in missing:
            self._connection.call(CREATE_INDEX, index_request(name, field, self._settings))
        self._wait_for_collection(f"has the indexes of {name}", name, INDEXES)
        return self._collection(name, found)

    def current(self) -> Collection:
        """Return the collection that searches use now. Call it once a request: the next call may return another.

        Raises:
            NoCollection: There is none yet.
        """
        name = self._aliased()
        if name is None:
            raise NoCollection("there is no collection to search yet: nothing has been indexed")
        known = self._collections.get(name)
        if known is not None:
            return known
        info = self._info(name)
        if info is None:
            raise NoCollection(f"the collection {name} was deleted")
        return self._collection(name, read_model(name, info))

    def activate(self, collection: Collection) -> None:
        """Make searches use a collection, atomically.

        Raises:
            NoCollection: It does not exist.
        """
        create = api.AliasOperations(
            create_alias=api.CreateAlias(collection_name=collection.name, alias_name=self._alias)
        )
        delete = api.AliasOperations(delete_alias=api.DeleteAlias(alias_name=self._alias))
        active = self._aliased()
        if active == collection.name == self._active_everywhere:
            return
        if active != collection.name:
            actions = [create] if active is None else [delete, create]
            try:
                self._connection.call(UPDATE_ALIASES, api.ChangeAliases(actions=actions))
            except NotFound as error:
                raise NoCollection(f"searches cannot use {collection.name}: {error}") from None
        self._connection.wait_for_nodes(
            f"searches {collection.name}",
            LIST_ALIASES,
            api.ListAliasesRequest(),
            lambda reply: self._named(reply) == collection.name,
        )
        self._active_everywhere = collection.name

    def collections(self) -> list[Collection]:
        """Return all collections, of every model, by name."""
        response = self._connection.call(LIST_COLLECTIONS, api.ListCollectionsRequest())
        found = []
        for name in sorted(one.name for one in response.collections):
            if not name.startswith(PREFIX):
                continue
            info = self._info(name)
            if info is not None:
                found.append(self._collection(name, read_model(name, info)))
        return found

    def delete_collection(self, collection: Collection | str, *, force: bool = False) -> None:
        """Delete a collection and its images, if it exists.

        Args:
            collection: The collection, or its name.
            force: Also the one that searches use.

        Raises:
            CatalogueError: Searches use it.
        """
        name = collection if isinstance(collection, str) else collection.name
        if not force and self._aliased() == name:
            raise CatalogueError(f"searches use {name}; activate another collection before deleting it")
        self._collections.pop(name, None)
        try:
            self._connection.call(DELETE_COLLECTION, api.DeleteCollection(collection_name=name))
        except NotFound:
            return
        self._connection.wait_for_nodes(
            f"has deleted {name}",
            LIST_COLLECTIONS,
            api.ListCollectionsRequest(),
            lambda reply: name not in [one.name for one in reply.collections],
        )

    def disk_problem(self) -> str | None:
        """Return that the database's disk is full, as a sentence, if it says so without being asked to write.

        Raises:
            CatalogueError: It does not answer.
        """
        name = self._aliased()
        info = self._info(name) if name is not None else None
        return disk_problem(info.optimizer_status.error) if info is not None else None

    def cluster_state(self) -> ClusterState:
        """Return the state of the database's nodes, each of which is waited for twice `attempt_seconds` at most."""
        return self._cluster.read()

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        self._connection.close()

    def _aliased(self) -> str | None:
        return self._named(self._connection.call(LIST_ALIASES, api.ListAliasesRequest()))

    def _named(self, response: api.ListAliasesResponse) -> str | None:
        for alias in response.aliases:
            if alias.alias_name == self._alias:
                return alias.collection_name
        return None

    def _info(self, name: str) -> api.CollectionInfo | None:
        request = api.GetCollectionInfoRequest(collection_name=name)
        try:
            return self._connection.call(GET_COLLECTION, request).result
        except NotFound:
            return None

    def _create(self, model: ModelRef) -> api.CollectionInfo:
        request = create_request(model, self._settings)
        name = request.collection_name
        try:
            self._connection.call(CREATE_COLLECTION, request)
        except CatalogueError as error:
            # Another process may have created it meanwhile; servers answer that with different codes.
            if "already exists" not in str(error) and self._info(name) is None:
                raise
        self._wait_for_collection(f"has the collection {name}", name)
        info = self._info(name)
        if info is None:
            raise CatalogueError(f"Qdrant did not create the collection {name}, or it was deleted meanwhile")
        return info

    def _wait_for_collection(self, state: str, name: str, indexes: Iterable[str] = ()) -> None:
        self._connection.wait_for_nodes(
            state,
            GET_COLLECTION,
            api.GetCollectionInfoRequest(collection_name=name),
            lambda reply: all(field in reply.result.payload_schema for field in indexes),
        )

    def _collection(self, name: str, model: ModelRef) -> Collection:
        known = self._collections.get(name)
        if known is None or known.model != model:
            known = Collection(self._connection, name, model, self._bucket_id, self._settings)
            self._collections[name] = known
        return known
