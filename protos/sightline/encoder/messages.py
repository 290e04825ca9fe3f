"""The messages of encoder.proto as Python objects: requests built, responses read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import numpy as np
from numpy.typing import NDArray
from sightline.encoder.errors import InvalidItem, ItemError
from sightline.encoder.v1 import encoder_pb2

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class RawPixels:
    """Decoded pixels.

    Attributes:
        rgb: (height, width, 3) uint8.
        preprocessed: Whether they went through every step of the model's `Preprocessing`.
    """

    rgb: NDArray[np.uint8]
    preprocessed: bool = False


@dataclass(frozen=True)
class Encoded:
    """The answer to one request, in its order.

    Attributes:
        results: For each item a (dimensions,) float32 unit vector, or the error that it failed with.
        visual: For each item its (visual_dimensions,) float32 unit vector; None where it failed, none was asked for or
            the model has none.
    """

    model: str
    fingerprint: str
    results: list[Vector | ItemError]
    visual: list[Vector | None]

    def rows(self) -> list[Vector | ItemError]:
        """Return of each item its vector, with its visual one beside where there is one, or the error."""
        pairs = zip(self.results, self.visual, strict=True)
        return [
            result if visual is None or isinstance(result, ItemError) else np.concatenate([result, visual])
            for result, visual in pairs
        ]

    def vectors(self) -> Vector:
        """Return (n, dimensions) float32 unit vectors.

        Raises:
            ItemError: The first item's that could not be encoded.
        """
        for result in self.results:
            if isinstance(result, ItemError):
                raise result
        return np.stack([result for result in self.results if not isinstance(result, ItemError)])


def image_request(
    images: Sequence[bytes | RawPixels],
    model: str,
    fingerprint: str,
    priority: encoder_pb2.Priority.ValueType,
    *,
    visual: bool,
) -> encoder_pb2.EncodeImageRequest:
    """Return the request for some images, each a file's bytes or decoded pixels."""
    request = encoder_pb2.EncodeImageRequest(model=model, fingerprint=fingerprint, priority=priority, visual=visual)
    for image in images:
        if isinstance(image, bytes):
            request.images.add(encoded=image)
            continue
        height, width, _ = image.rgb.shape
        raw = encoder_pb2.RawImage(rgb=image.rgb.tobytes(), width=width, height=height, preprocessed=image.preprocessed)
        request.images.add(raw=raw)
    return request


def parse_response(response: encoder_pb2.EncodeTextResponse | encoder_pb2.EncodeImageResponse) -> Encoded:
    """Return an answer with its vectors as arrays."""
    return Encoded(
        response.model,
        response.fingerprint,
        [_parse_result(result) for result in response.results],
        [_values(result.visual) if result.HasField("visual") else None for result in response.results],
    )


def item_status(error: ItemError) -> encoder_pb2.Status:
    """Return an item's error as it goes over the wire, with a google.rpc.Code number."""
    return encoder_pb2.Status(code=error.code.value[0], message=error.message)


def _parse_result(result: encoder_pb2.Result) -> Vector | ItemError:
    if result.WhichOneof("outcome") == "vector":
        return _values(result.vector)
    invalid = result.status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    return InvalidItem(result.status.message) if invalid else ItemError(result.status.message)


def _values(vector: encoder_pb2.Vector) -> Vector:
    return np.array(vector.values, dtype=np.float32)
