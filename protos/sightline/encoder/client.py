"""The encoder's client: deadlines, retries, and round robin over several addresses.

from sightline.encoder.client import EncoderClient

with EncoderClient("127.0.0.1:50051") as encoder:
    [text] = encoder.encode_texts(["a cat on a chair"]).vectors()
    [image] = encoder.encode_images([open("cat.jpg", "rb").read()]).vectors()
    print("cosine similarity:", float(text @ image))
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import grpc
from sightline.encoder.errors import (
    EncoderError,
    FingerprintMismatch,
    InvalidItem,
    InvalidRequest,
    ItemError,
    Overloaded,
    Unavailable,
    from_rpc_error,
)
from sightline.encoder.messages import Encoded, RawPixels, image_request, parse_response
from sightline.encoder.v1 import encoder_pb2, encoder_pb2_grpc

__all__ = [
    "BULK",
    "INTERACTIVE",
    "Encoded",
    "EncoderClient",
    "EncoderError",
    "FingerprintMismatch",
    "InvalidItem",
    "InvalidRequest",
    "ItemError",
    "Overloaded",
    "RawPixels",
    "Unavailable",
]

Response = TypeVar("Response")

INTERACTIVE = encoder_pb2.PRIORITY_INTERACTIVE
BULK = encoder_pb2.PRIORITY_BULK

MAX_MESSAGE_BYTES = 256 * 1024 * 1024
FIRST_BACKOFF_SECONDS = 0.05
LONGEST_BACKOFF_SECONDS = 1.0


class EncoderClient:
    """Calls one or several encoders that serve the same models.

    Each call goes to the next address in turn; one that is UNAVAILABLE is left out for that call and the next is
    tried, until the deadline. A host name with several addresses is spread over by gRPC itself. Channels open on
    the first call, so that an object made before a fork may be used after it. Safe to use from several threads.

    Args:
        addresses: HOST:PORT, or several.
        token: Sent as bearer token.
        ca_file: The certificate authority of encoders that serve TLS; None means no TLS.
        timeout_seconds: The deadline of a call, its retries included.
    """

    def __init__(
        self,
        addresses: str | Sequence[str],
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self._addresses = [addresses] if isinstance(addresses, str) else list(addresses)
        if not self._addresses:
            raise ValueError("an encoder's address is needed")
        self._metadata: tuple[tuple[str, str | bytes], ...] = (("authorization", f"Bearer {token}"),) if token else ()
        self._ca_file = ca_file
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._channels: list[grpc.Channel] = []
        self._stubs: list[encoder_pb2_grpc.EncoderStub] = []
        self._next = random.randrange(len(self._addresses))

    def __enter__(self) -> EncoderClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channels; a later call opens them again."""
        with self._lock:
            for channel in self._channels:
                channel.close()
            self._channels, self._stubs = [], []

    def models(self, *, timeout_seconds: float | None = None) -> list[encoder_pb2.Model]:
        """Return the models served, the default first.

        Raises:
            EncoderError: The call failed.
        """
        request = encoder_pb2.ListModelsRequest()
        return list(self._call(lambda stub: stub.ListModels, request, timeout_seconds).models)

    def limits(self, *, timeout_seconds: float | None = None) -> encoder_pb2.Limits:
        """Return what one request may hold."""
        request = encoder_pb2.ListModelsRequest()
        return self._call(lambda stub: stub.ListModels, request, timeout_seconds).limits

    def encode_texts(
        self,
        texts: Sequence[str],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: encoder_pb2.Priority.ValueType = INTERACTIVE,
        timeout_seconds: float | None = None,
    ) -> Encoded:
        """Encode texts.

        Args:
            texts: What a model's context does not hold is cut.
            model: A model's id; empty for the default.
            fingerprint: Refuse to answer with vectors of another one.
            priority: INTERACTIVE where a person waits, BULK elsewhere.
            timeout_seconds: Instead of the client's own.

        Raises:
            Overloaded, Unavailable, FingerprintMismatch, InvalidRequest, EncoderError: The whole call failed.
        """
        request = encoder_pb2.EncodeTextRequest(model=model, fingerprint=fingerprint, priority=priority, texts=texts)
        return parse_response(self._call(lambda stub: stub.EncodeText, request, timeout_seconds))

    def encode_images(
        self,
        images: Sequence[bytes | RawPixels],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: encoder_pb2.Priority.ValueType = INTERACTIVE,
        timeout_seconds: float | None = None,
    ) -> Encoded:
        """Encode images, each a file's bytes or decoded pixels.

        Raises:
            Overloaded, Unavailable, FingerprintMismatch, InvalidRequest, EncoderError: The whole call failed.
                One bad image fails alone: its result is an ItemError.
        """
        request = image_request(images, model, fingerprint, priority)
        return parse_response(self._call(lambda stub: stub.EncodeImage, request, timeout_seconds))

    def encode_image_stream(
        self,
        batches: Iterable[Sequence[bytes | RawPixels]],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: encoder_pb2.Priority.ValueType = BULK,
        timeout_seconds: float | None = None,
    ) -> Iterator[Encoded]:
        """Encode many images over one stream; yields one answer a batch, in order.

        A stream is not retried, since its requests cannot be sent again. It has no deadline unless one is
        given.

        Raises:
            Overloaded, Unavailable, FingerprintMismatch, InvalidRequest, EncoderError: The stream broke.
        """
        requests = (image_request(images, model, fingerprint, priority) for images in batches)
        stub = self._rotated_stubs()[0]
        try:
            for response in stub.EncodeImageStream(requests, timeout=timeout_seconds, metadata=self._metadata):
                yield parse_response(response)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error

    def _call(
        self,
        method: Callable[[encoder_pb2_grpc.EncoderStub], Callable[..., Response]],
        request: object,
        timeout_seconds: float | None,
    ) -> Response:
        deadline = time.monotonic() + (timeout_seconds or self._timeout_seconds)
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            for stub in self._rotated_stubs():
                remaining = deadline - time.monotonic()
                try:
                    return method(stub)(request, timeout=max(remaining, 0.001), metadata=self._metadata)
                except grpc.RpcError as error:
                    failure = from_rpc_error(error)
                    if failure.code is not grpc.StatusCode.UNAVAILABLE:
                        raise failure from error
            # Jitter, so that clients of a restarted encoder do not come back all at once.
            pause = backoff * random.uniform(0.5, 1.5)
            if time.monotonic() + pause >= deadline:
                raise failure
            time.sleep(pause)
            backoff = min(2 * backoff, LONGEST_BACKOFF_SECONDS)

    def _rotated_stubs(self) -> list[encoder_pb2_grpc.EncoderStub]:
        """Return every address's stub, beginning with the next in turn."""
        with self._lock:
            if not self._stubs:
                self._channels = [self._open(address) for address in self._addresses]
                self._stubs = [encoder_pb2_grpc.EncoderStub(channel) for channel in self._channels]
            self._next = (self._next + 1) % len(self._stubs)
            return self._stubs[self._next :] + self._stubs[: self._next]

    def _open(self, address: str) -> grpc.Channel:
        options = [
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
            # Retries are ours: gRPC's own would try the same dead address.
            ("grpc.enable_retries", 0),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 2000),
            ("grpc.keepalive_time_ms", 60_000),
        ]
        if self._ca_file is None:
            return grpc.insecure_channel(address, options)
        credentials = grpc.ssl_channel_credentials(self._ca_file.read_bytes())
        return grpc.secure_channel(address, credentials, options)
