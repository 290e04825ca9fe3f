"""What Sightline's gRPC servers share: requests that cannot be read are refused as the client's mistake."""

from sightline.grpc_server.malformed import AioMalformedInterceptor, MalformedInterceptor

__all__ = ["AioMalformedInterceptor", "MalformedInterceptor"]
