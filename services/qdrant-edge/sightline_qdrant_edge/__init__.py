"""Qdrant's engine in one small process, behind Qdrant's own gRPC API."""
