"""A Qdrant server in this process that fails on request."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings


class FailingQdrant(api.CollectionsServicer):
    """Answers with the codes in `failures`, one a call, then with no aliases; `calls` are the calls' metadata."""

    def __init__(self) -> None:
        self.failures: list[grpc.StatusCode] = []
        self.calls: list[dict[str, str]] = []
        self.server = grpc.server(ThreadPoolExecutor(2))
        api.add_CollectionsServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def settings(self, **values: object) -> CatalogueSettings:
        """Return the settings of a client of this server."""
        return CatalogueSettings(url=f"http://127.0.0.1:{self.port}", **values)

    def ListAliases(self, request, context):
        self.calls.append(dict(context.invocation_metadata()))
        if self.failures:
            context.abort(self.failures.pop(0), "as requested")
        return api.ListAliasesResponse()


@pytest.fixture
def qdrant() -> Iterator[FailingQdrant]:
    """A server that fails on request."""
    server = FailingQdrant()
    yield server
    server.server.stop(None).wait()
