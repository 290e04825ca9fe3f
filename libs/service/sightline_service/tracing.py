"""Traces, by OpenTelemetry: off, and nothing of it loaded, unless OTEL_EXPORTER_OTLP_ENDPOINT is set.

Needs the extra `tracing`. The SDK reads the other variables that begin with OTEL_ by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic_settings import SettingsConfigDict

from sightline_service.settings import SettingsGroup

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

Carrier = dict[str, str]
"""A place in a trace, as the headers of W3C's Trace Context; empty where there are no traces."""

_provider: TracerProvider | None = None


class TracingSettings(SettingsGroup):
    """Traces of requests through the services."""

    model_config = SettingsConfigDict(env_prefix="OTEL_")

    exporter_otlp_endpoint: str | None = None
    """Where traces are sent, by OTLP over HTTP (http://collector:4318); unset means no traces. OpenTelemetry's other
    variables (OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS) work as it documents them."""


def set_up_tracing(settings: TracingSettings, service: str) -> bool:
    """Trace this process, and its calls over gRPC, if the settings say so; return whether it is traced.

    Call it after the last fork, before channels are opened.
    """
    global _provider
    if not settings.exporter_otlp_endpoint or _provider is not None:
        return _provider is not None
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.namespace": "sightline"})
    _provider = TracerProvider(resource=resource)
    endpoint = f"{settings.exporter_otlp_endpoint.rstrip('/')}/v1/traces"
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    trace.set_tracer_provider(_provider)
    GrpcInstrumentorClient().instrument()
    return True


def flush_traces() -> None:
    """Send what is left of the traces, before the process ends."""
    if _provider is not None:
        _provider.shutdown()


def trace_grpc_server() -> list[Any]:
    """Return the interceptors of a gRPC server of asyncio: none without traces."""
    if _provider is None:
        return []
    from opentelemetry.instrumentation.grpc import aio_server_interceptor

    return [aio_server_interceptor()]


def trace_headers() -> Carrier:
    """Return the place in the trace, to be sent along with a message."""
    carrier: Carrier = {}
    if _provider is not None:
        from opentelemetry.propagate import inject

        inject(carrier)
    return carrier


@contextmanager
def continued_trace(carrier: Mapping[str, str], name: str) -> Iterator[None]:
    """Go on with the trace of a message that was received, in a span of this name."""
    if _provider is None or not carrier:
        yield
        return
    from opentelemetry import trace
    from opentelemetry.propagate import extract

    tracer = trace.get_tracer("sightline")
    with tracer.start_as_current_span(name, context=extract(carrier), kind=trace.SpanKind.CONSUMER):
        yield
