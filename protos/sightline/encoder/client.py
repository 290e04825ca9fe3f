"""The encoder's client: deadlines, retries, and calls spread over several encoders.

from sightline.encoder.client import EncoderClient

with EncoderClient("127.0.0.1:50051") as encoder:
    [text] = encoder.encode_texts(["a cat on a chair"]).vectors()
    [image] = encoder.encode_images([open("cat.jpg", "rb").read()]).vectors()
    print("cosine similarity:", float(text @ image))
"""

from __future__ import annotations

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
from sightline.grpc_client import ChannelConfig, Hedging, LoadBalancer, Metadata

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

Request = TypeVar("Request")
Response = TypeVar("Response")

INTERACTIVE = encoder_pb2.PRIORITY_INTERACTIVE
BULK = encoder_pb2.PRIORITY_BULK

MAX_MESSAGE_BYTES = 256 * 1024 * 1024


class EncoderClient:
    """Calls one or several encoders that serve the same models.

    Each call goes to the next encoder in turn; one that is UNAVAILABLE or does not answer is passed over, and what a
    person waits for is asked of a second one after `attempt_seconds`; see LoadBalancer. Channels open on the first call
    of each process. Safe to use from several threads.

    Args:
        addresses: HOST:PORT, or several; a name may stand for several addresses.
        token: Sent as bearer token.
        ca_file: The certificate authority of encoders that serve TLS; None means no TLS.
        timeout_seconds: The deadline of a call, its retries included.
        attempt_seconds: How long an encoder has to answer before another one may be asked.
        call_metadata: Called for each call, in its thread; returns metadata to send with it.
    """

    def __init__(
        self,
        addresses: str | Sequence[str],
        *,
        token: str | None = None,
        ca_file: Path | None = None,
        timeout_seconds: float = 10.0,
        attempt_seconds: float = 1.0,
        call_metadata: Callable[[], Metadata] = lambda: (),
    ) -> None:
        self._call_metadata = call_metadata
        self._metadata: Metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self._timeout_seconds = timeout_seconds
        self._encoders = LoadBalancer(
            [addresses] if isinstance(addresses, str) else addresses,
            ChannelConfig(tls=ca_file is not None, ca_file=ca_file, max_message_bytes=MAX_MESSAGE_BYTES),
            encoder_pb2_grpc.EncoderStub,
            metadata=self._metadata,
            attempt_seconds=attempt_seconds,
        )

    def __enter__(self) -> EncoderClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the channels; a later call opens them again."""
        self._encoders.close()

    def models(self, *, timeout_seconds: float | None = None) -> list[encoder_pb2.Model]:
        """Return the models served, the default first if it is among them; see `default_model`.

        Raises:
            EncoderError: The call failed.
        """
        return list(self._list(timeout_seconds).models)

    def default_model(self, *, timeout_seconds: float | None = None) -> encoder_pb2.Model:
        """Return the default model.

        Raises:
            Unavailable: It is still being loaded, while others are served.
            EncoderError: The call failed.
        """
        listed = self._list(timeout_seconds)
        # Encoders of the release before do not name it.
        if listed.default_model in ("", listed.models[0].id):
            return listed.models[0]
        raise Unavailable(f"the model {listed.default_model!r} is still being loaded")

    def limits(self, *, timeout_seconds: float | None = None) -> encoder_pb2.Limits:
        """Return what one request may hold."""
        return self._list(timeout_seconds).limits

    def _list(self, timeout_seconds: float | None) -> encoder_pb2.ListModelsResponse:
        """Return what is served, by any of the encoders."""
        request = encoder_pb2.ListModelsRequest()
        listed = self._call(lambda stub: stub.ListModels, request, timeout_seconds)
        if not listed.loading:
            return listed
        # Another encoder may have what the one that answered still loads.
        seconds = timeout_seconds or self._timeout_seconds
        known = {model.fingerprint for model in listed.models}
        for other in self._encoders.call_each(lambda stub: stub.ListModels, request, seconds=seconds).values():
            for model in other.models if isinstance(other, encoder_pb2.ListModelsResponse) else ():
                if model.fingerprint not in known:
                    known.add(model.fingerprint)
                    listed.models.insert(0 if model.id == listed.default_model else len(listed.models), model)
        ready = {model.id for model in listed.models}
        listed.loading[:] = [one for one in listed.loading if one not in ready]
        return listed

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
        return parse_response(self._call(lambda stub: stub.EncodeText, request, timeout_seconds, priority))

    def encode_images(
        self,
        images: Sequence[bytes | RawPixels],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: encoder_pb2.Priority.ValueType = INTERACTIVE,
        visual: bool = False,
        timeout_seconds: float | None = None,
    ) -> Encoded:
        """Encode images, each a file's bytes or decoded pixels; with `visual` their visual vectors, too.

        Raises:
            Overloaded, Unavailable, FingerprintMismatch, InvalidRequest, EncoderError: The whole call failed.
                One bad image fails alone: its result is an ItemError.
        """
        request = image_request(images, model, fingerprint, priority, visual=visual)
        return parse_response(self._call(lambda stub: stub.EncodeImage, request, timeout_seconds, priority))

    def encode_image_stream(
        self,
        batches: Iterable[Sequence[bytes | RawPixels]],
        *,
        model: str = "",
        fingerprint: str = "",
        priority: encoder_pb2.Priority.ValueType = BULK,
        visual: bool = False,
        timeout_seconds: float | None = None,
    ) -> Iterator[Encoded]:
        """Encode many images over one stream; yields one answer a batch, in order.

        A stream is not retried, since its requests cannot be sent again. It has no deadline unless one is
        given.

        Raises:
            Overloaded, Unavailable, FingerprintMismatch, InvalidRequest, EncoderError: The stream broke.
        """
        requests = (image_request(images, model, fingerprint, priority, visual=visual) for images in batches)
        stub = self._encoders.stubs()
        try:
            metadata = self._metadata + self._call_metadata()
            for response in stub.EncodeImageStream(requests, timeout=timeout_seconds, metadata=metadata):
                yield parse_response(response)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error

    def _call(
        self,
        method: Callable[[encoder_pb2_grpc.EncoderStub], grpc.UnaryUnaryMultiCallable[Request, Response]],
        request: Request,
        timeout_seconds: float | None,
        priority: encoder_pb2.Priority.ValueType = INTERACTIVE,
    ) -> Response:
        # A batch may well take longer than a second, and would be much work twice.
        hedging = Hedging.ON_EJECTION if priority == BULK else Hedging.ON_SILENCE
        try:
            return self._encoders.call(
                method,
                request,
                seconds=timeout_seconds or self._timeout_seconds,
                hedging=hedging,
                metadata=self._call_metadata(),
            )
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error
