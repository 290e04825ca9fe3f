"""Qdrant servers in this process that fail, or play a part, on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings


class _Points(api.PointsServicer):
    def __init__(self, node: ScriptedQdrant) -> None:
        self._node = node

    def CreateFieldIndex(self, request, context):
        self._node.note("CreateFieldIndex", context)
        return api.PointsOperationResponse()


class ScriptedQdrant(api.CollectionsServicer, api.QdrantServicer):
    """One node, whose collections and aliases are what the test says: no call changes them.

    Attributes:
        failures: The codes, or codes and details, with which the next calls end.
        calls: The metadata of the calls.
        names: Their names.
        before: Called with each one's name before it is answered.
        version: The server's.
        collections: By name.
        aliases: The collection that each stands for.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None, **options: object) -> None:
        self.failures: list[grpc.StatusCode | tuple[grpc.StatusCode, str]] = []
        self.calls: list[dict[str, str]] = []
        self.names: list[str] = []
        self.version = "1.20.0"
        self.collections: dict[str, api.CollectionInfo] = {}
        self.aliases: dict[str, str] = {}
        self.before: Callable[[str], None] = lambda name: None
        self.server = grpc.server(ThreadPoolExecutor(4), **options)
        api.add_CollectionsServicer_to_server(self, self.server)
        api.add_PointsServicer_to_server(_Points(self), self.server)
        api.add_QdrantServicer_to_server(self, self.server)
        if credentials is None:
            self.port = self.server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self.server.add_secure_port("127.0.0.1:0", credentials)
        self.server.start()

    def settings(self, **values: object) -> CatalogueSettings:
        """Return the settings of a client of this server."""
        return CatalogueSettings(url=f"http://127.0.0.1:{self.port}", **values)

    def note(self, name: str, context: grpc.ServicerContext) -> None:
        """Count a call, and fail it if that is its turn."""
        self.calls.append(dict(context.invocation_metadata()))
        self.names.append(name)
        self.before(name)
        if self.failures:
            failure = self.failures.pop(0)
            code, details = failure if isinstance(failure, tuple) else (failure, "as requested")
            context.abort(code, details)

    def HealthCheck(self, request, context):
        return api.HealthCheckReply(title="qdrant", version=self.version)

    def ListAliases(self, request, context):
        self.note("ListAliases", context)
        return api.ListAliasesResponse(
            aliases=[
                api.AliasDescription(alias_name=alias, collection_name=name) for alias, name in self.aliases.items()
            ]
        )

    def UpdateAliases(self, request, context):
        self.note("UpdateAliases", context)
        return api.CollectionOperationResponse(result=True)

    def List(self, request, context):
        self.note("List", context)
        return api.ListCollectionsResponse(
            collections=[api.CollectionDescription(name=name) for name in self.collections]
        )

    def Get(self, request, context):
        self.note("Get", context)
        if request.collection_name not in self.collections:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Not found: Collection `{request.collection_name}`")
        return api.GetCollectionInfoResponse(result=self.collections[request.collection_name])

    def Create(self, request, context):
        self.note("Create", context)
        return api.CollectionOperationResponse(result=True)

    def Delete(self, request, context):
        self.note("Delete", context)
        return api.CollectionOperationResponse(result=True)


@pytest.fixture
def start_qdrant() -> Iterator[Callable[..., ScriptedQdrant]]:
    """Starts nodes, which are stopped at the test's end."""
    started: list[ScriptedQdrant] = []

    def start(**options: object) -> ScriptedQdrant:
        started.append(ScriptedQdrant(**options))
        return started[-1]

    yield start
    for node in started:
        node.server.stop(None).wait()


@pytest.fixture
def qdrant(start_qdrant) -> ScriptedQdrant:
    """One node."""
    return start_qdrant()
