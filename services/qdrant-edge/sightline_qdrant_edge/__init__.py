"""Qdrant's engine in one small process, behind Qdrant's own gRPC API."""

from sightline_service.deferred_init import defer_init

# Its gRPC part is all that is used; the REST part, which its __init__ loads, takes a second and 60 MB in every process.
defer_init("qdrant_client")
