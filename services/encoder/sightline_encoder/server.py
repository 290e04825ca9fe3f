"""The gRPC server: the servicer with health, reflection, TLS, bearer token and graceful shutdown."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import grpc
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from sightline.grpc_server import AioMalformedInterceptor
from sightline_service.tracing import trace_grpc_server

from sightline_encoder import limits
from sightline_encoder.arrivals import FEWEST_PLACES, ArrivalInterceptor
from sightline_encoder.errors import StartupError
from sightline_encoder.metrics import EncoderMetrics
from sightline_encoder.pipeline import Pipeline
from sightline_encoder.servicer import EncoderServicer
from sightline_encoder.settings import EncoderSettings

log = structlog.get_logger()

SERVICE: str = encoder_pb2.DESCRIPTOR.services_by_name["Encoder"].full_name
HEALTH: str = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
CONNECTION_AGE_MS = 300_000
"""After so long a client is asked to reconnect; calls in flight are finished first, however long they take."""
MAX_CONCURRENT_STREAMS = 256
"""Calls of one connection at once."""

Details = grpc.HandlerCallDetails
if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]
    Continuation = Callable[[Details], Awaitable[Handler | None]]


class EncoderServer:
    """Listens from `start` on; answers UNAVAILABLE until `serve` sets a pipeline."""

    def __init__(self, settings: EncoderSettings, metrics: EncoderMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._health = health.aio.HealthServicer()
        self._servicer = EncoderServicer(
            encoder_pb2.Limits(
                max_texts=limits.MAX_TEXTS,
                max_images=limits.MAX_IMAGES,
                max_text_bytes=limits.MAX_TEXT_BYTES,
                max_image_bytes=settings.pictures.max_bytes,
                max_image_pixels=settings.pictures.max_pixels,
                max_message_bytes=settings.max_message_bytes,
            ),
            metrics,
        )
        self._server: grpc.aio.Server | None = None
        self.port = 0
        """The port that it listens on; 0 before `start`."""

    async def start(self) -> None:
        """Listen, NOT_SERVING.

        Raises:
            StartupError: The address or port cannot be listened on, or the certificate is not valid.
        """
        settings = self._settings
        interceptors: list[grpc.aio.ServerInterceptor] = [*trace_grpc_server(), AioMalformedInterceptor()]
        if settings.token is not None:
            interceptors.insert(0, TokenInterceptor(settings.token.get_secret_value()))
        places = max(FEWEST_PLACES, settings.queue_bytes // settings.max_message_bytes)
        interceptors.insert(0, ArrivalInterceptor(places))
        server = grpc.aio.server(
            interceptors=interceptors,
            options=[
                ("grpc.max_receive_message_length", settings.max_message_bytes),
                ("grpc.max_send_message_length", settings.max_message_bytes),
                # Otherwise a second encoder could listen on the same port, and would get half of the calls unnoticed.
                ("grpc.so_reuseport", 0),
                # A window that grows with the bandwidth would let calls that nobody reads yet hold megabytes each.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.max_concurrent_streams", MAX_CONCURRENT_STREAMS),
                ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
                ("grpc.keepalive_permit_without_calls", 1),
                # A client resolves the name again when it reconnects, and so finds an encoder that was added.
                ("grpc.max_connection_age_ms", CONNECTION_AGE_MS),
            ],
        )
        encoder_pb2_grpc.add_EncoderServicer_to_server(self._servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection((SERVICE, HEALTH, reflection.SERVICE_NAME), server)
        await self._set_health(NOT_SERVING)
        self.port = self._listen(server)
        await server.start()
        self._server = server

    async def serve(self, pipeline: Pipeline) -> None:
        """Answer calls from now on, new ones by this pipeline: SERVING."""
        self._servicer.pipeline = pipeline
        await self._set_health(SERVING)
        self._metrics.ready.set(1)

    async def stop(self) -> None:
        """Refuse new calls (NOT_SERVING, UNAVAILABLE), finish those in flight, then close.

        Calls in flight have ENCODER_DRAIN_SECONDS at most; health is answered meanwhile.
        """
        self._servicer.draining = True
        self._metrics.ready.set(0)
        await self._health.enter_graceful_shutdown()
        deadline = asyncio.get_running_loop().time() + self._settings.drain_seconds
        while self._servicer.in_flight and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        if self._servicer.in_flight:
            log.warning("calls are cut off", calls=self._servicer.in_flight)
        if self._server is not None:
            await self._server.stop(grace=0.2)

    async def _set_health(self, status: Any) -> None:
        for name in ("", SERVICE):
            await self._health.set(name, status)

    def _listen(self, server: grpc.aio.Server) -> int:
        settings = self._settings
        host = f"[{settings.address}]" if ":" in settings.address else settings.address
        address = f"{host}:{settings.port}"
        try:
            if settings.tls_cert_file is None or settings.tls_key_file is None:
                return server.add_insecure_port(address)
            pair = (settings.tls_key_file.read_bytes(), settings.tls_cert_file.read_bytes())
            return server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except (OSError, RuntimeError) as error:
            raise StartupError(
                f"cannot listen on {address} (ENCODER_ADDRESS, ENCODER_PORT): is it used by another process,"
                f" or the certificate or key (ENCODER_TLS_...) not valid? {error}"
            ) from error


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without `authorization: Bearer TOKEN`, except those of the health service."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(self, continuation: Continuation, handler_call_details: Details) -> Handler | None:
        """Return the method's handler, or one that refuses; None for a method that does not exist."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(f"/{HEALTH}/"):
            return handler
        for key, value in handler_call_details.invocation_metadata or ():
            sent = value if isinstance(value, bytes) else value.encode()
            if key == "authorization" and hmac.compare_digest(sent, self._expected):
                return handler
        return _refusing()


def _refusing() -> Handler:
    message = "this encoder needs the metadata `authorization: Bearer TOKEN` with the right token (ENCODER_TOKEN)"

    async def refuse(_: Any, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, message)

    # As a stream, so that no request is read; a client cannot tell.
    return grpc.stream_stream_rpc_method_handler(refuse)
