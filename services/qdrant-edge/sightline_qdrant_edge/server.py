"""The gRPC server: every method of Qdrant's services, served or UNIMPLEMENTED."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import structlog
from google.protobuf.descriptor import FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from qdrant_client.grpc import collections_service_pb2, points_service_pb2, qdrant_pb2, snapshots_service_pb2
from sightline.grpc_client.channels import is_unix
from sightline.grpc_server import MalformedInterceptor
from sightline_service.disk_space import ERRNOS

from sightline_qdrant_edge.errors import DiskFull, EdgeError
from sightline_qdrant_edge.metrics import CALL_SECONDS, CALLS

Answer = Callable[[Message, grpc.ServicerContext], Message]

_log = structlog.get_logger()
# Calls that wait for a thread, for each thread; more are refused at once with RESOURCE_EXHAUSTED.
_WAITING_CALLS = 31
_WITHOUT_KEY = {"Qdrant.HealthCheck"}
"""Methods that need no API key, as with Qdrant."""
_READING = {
    *("Points.Get", "Points.Query", "Points.QueryBatch", "Points.Scroll", "Points.Count", "Points.Facet"),
    *("Collections.Get", "Collections.List", "Collections.ListAliases"),
}
"""Methods that need no more than the read-only key."""
_FILES: dict[str, FileDescriptor] = {
    "Points": points_service_pb2.DESCRIPTOR,
    "Collections": collections_service_pb2.DESCRIPTOR,
    "Qdrant": qdrant_pb2.DESCRIPTOR,
    "Snapshots": snapshots_service_pb2.DESCRIPTOR,
}


class EdgeServer:
    """A gRPC server over servicers whose methods take a request and return a response."""

    def __init__(
        self,
        services: dict[str, object],
        *,
        address: str,
        port: int,
        threads: int,
        max_message_bytes: int,
        api_key: str,
        read_only_api_key: str,
    ) -> None:
        """Bind the port; nothing is served before `start`.

        Raises:
            RuntimeError: The port is taken.
        """
        self._api_key = api_key.encode()
        self._read_only_api_key = read_only_api_key.encode()
        self._server = grpc.server(
            ThreadPoolExecutor(threads, thread_name_prefix="grpc"),
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.max_send_message_length", max_message_bytes),
                ("grpc.so_reuseport", 0),
                # Clients may ping a silent connection; by default a server takes that for an attack.
                ("grpc.http2.min_ping_interval_without_data_ms", 20_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
            interceptors=[MalformedInterceptor()],
            maximum_concurrent_rpcs=threads * (1 + _WAITING_CALLS),
        )
        for name, file in _FILES.items():
            service = file.services_by_name[name]
            handlers = {
                method.name: self._handler(f"{name}.{method.name}", method, services.get(name))
                for method in service.methods
            }
            generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
            self._server.add_generic_rpc_handlers((generic,))
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._names = ["", *(f"qdrant.{name}" for name in services)]
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        if is_unix(address):
            self._server.add_insecure_port(address)
            self.port = 0
            return
        host = f"[{address}]" if ":" in address else address
        self.port = self._server.add_insecure_port(f"{host}:{port}")

    def start(self) -> None:
        """Start serving."""
        self._server.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_seconds: float) -> None:
        """Refuse new calls, and wait up to `grace_seconds` for those in progress."""
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self._server.stop(grace_seconds).wait()

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in self._names:
            self._health.set(name, status)

    def _handler(
        self, name: str, method: MethodDescriptor, service: object | None
    ) -> grpc.RpcMethodHandler[Message, Message]:
        serve = getattr(service, method.name, None)
        return grpc.unary_unary_rpc_method_handler(
            self._unimplemented(name) if serve is None else self._served(name, serve),
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )

    def _unimplemented(self, name: str) -> Answer:
        code = grpc.StatusCode.UNIMPLEMENTED
        counter = CALLS.labels(name, code.name)

        def refuse(request: Message, context: grpc.ServicerContext) -> Message:
            counter.inc()
            return context.abort(code, f"qdrant-edge does not serve {name}; its README lists the calls that it serves")

        return refuse

    def _served(self, name: str, serve: Callable[[Message], Message]) -> Answer:
        needs_key = bool(self._api_key or self._read_only_api_key) and name not in _WITHOUT_KEY
        reads = name in _READING
        succeeded = CALLS.labels(name, grpc.StatusCode.OK.name)
        seconds = CALL_SECONDS.labels(name)

        def answer(request: Message, context: grpc.ServicerContext) -> Message:
            started = time.perf_counter()
            if not context.is_active():
                context.abort(grpc.StatusCode.CANCELLED, "the client cancelled while the call waited for a thread")
            if needs_key:
                self._authorise(context, reads)
            try:
                response = serve(request)
            except EdgeError as error:
                code, message = error.code, error.message
            except Exception as error:
                if isinstance(error, OSError) and error.errno in ERRNOS:
                    code, message = DiskFull.code, f"the disk of the database is full: {error.strerror}"
                else:
                    _log.exception("call failed", method=name)
                    code, message = grpc.StatusCode.INTERNAL, "internal error; the server's log says more"
            else:
                elapsed = time.perf_counter() - started
                if hasattr(response, "time"):
                    response.time = elapsed
                succeeded.inc()
                seconds.observe(elapsed)
                return response
            CALLS.labels(name, code.name).inc()
            return context.abort(code, message)

        return answer

    def _authorise(self, context: grpc.ServicerContext, reads: bool) -> None:
        given = dict(context.invocation_metadata())
        key = str(given.get("api-key") or str(given.get("authorization", "")).removeprefix("Bearer ")).encode()
        if not key:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Must provide an API key or an Authorization bearer token")
        if hmac.compare_digest(key, self._api_key):
            return
        if not hmac.compare_digest(key, self._read_only_api_key):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid API key or JWT")
        if not reads:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "Forbidden: Global manage access is required")
