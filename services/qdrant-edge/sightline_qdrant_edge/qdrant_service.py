"""Qdrant's service `Qdrant`: which version this server is."""

from __future__ import annotations

from importlib.metadata import version

from qdrant_client import grpc as api

QDRANT_VERSION = "1.20.0"
"""The release of Qdrant's server whose engine qdrant-edge-py carries."""


class QdrantService:
    """Answers which release of Qdrant's server this one equals."""

    def HealthCheck(self, request: api.HealthCheckRequest) -> api.HealthCheckReply:
        """Return the equal release as `version`, and in `title` this server with its engine's own version."""
        title = f"qdrant-edge, Sightline's: qdrant-edge-py {version('qdrant-edge-py')}"
        return api.HealthCheckReply(title=title, version=QDRANT_VERSION)
