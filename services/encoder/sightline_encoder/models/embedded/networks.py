"""The networks of `embedded` in OpenVINO's operations, straight from their weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from sightline_encoder.errors import ModelError
from sightline_encoder.models.embedded import conse
from sightline_encoder.models.embedded.conse import Concepts, Names, concepts, visual_projection
from sightline_encoder.models.embedded.pickled_tensors import read_pickled_tensors
from sightline_encoder.runtimes.openvino_runtime import ov
from sightline_encoder.runtimes.tower import Vectors

ops = ov.opset15


@dataclass(frozen=True)
class Stage:
    """Blocks of EfficientNet that follow each other; the first of them has the stride.

    Attributes:
        blocks: How many.
        stride: Of the first one's depthwise convolution.
        expands: Whether a block first widens its input.
    """

    blocks: int
    stride: int
    expands: bool = True


LITE2 = (Stage(1, 1, expands=False), Stage(3, 2), Stage(3, 2), Stage(4, 2), Stage(4, 1), Stage(5, 2), Stage(1, 1))
"""EfficientNet-Lite2 (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite): EfficientNet-B0
(Tan and Le, arXiv:1905.11946) with 1.1 times the width and 1.2 times the depth, without squeeze-and-excitation, and
with ReLU6. Widths and kernels are those of the weights."""
BATCH_NORM_EPSILON = 1e-3
MASKED = -1e9
"""Added to the attention that a token pays to padding."""


def image_network(weights: Path, size: int, names: Names) -> Any:
    """Return the image tower as an OpenVINO model: (n, size, size, 3) uint8 to three unit vectors side by side.

    They are the image's, its visual vector, and the image's by the recipe before (`describe`).

    Args:
        weights: The classifier's, checked.
        size: Of a picture, in pixels.
        names: The text encoder's vectors.

    Raises:
        ModelError: The weights are not those of an EfficientNet-Lite2.
    """
    pixels = ops.parameter([-1, size, size, 3], np.uint8, name="pixels")
    channels_first = ops.convert(ops.transpose(pixels, _constant([0, 3, 1, 2])), "f32")
    # From -1 to 1.
    scaled = ops.subtract(ops.multiply(channels_first, _constant(np.float32(1 / 127.5))), _constant(np.float32(1)))
    # The batches that the averages were counted over are not needed.
    tensors = (tensor for name, tensor in read_pickled_tensors(weights).items() if not name.endswith("tracked"))
    try:
        seen, logits, weight = _classify(scaled, tensors)
    except (StopIteration, ValueError, RuntimeError) as error:
        raise ModelError(f"{weights}: not the weights of an EfficientNet-Lite2: {error}") from error
    probabilities = ops.softmax(ops.divide(logits, _constant(np.float32(conse.TEMPERATURE))), 1)
    vectors = [
        ops.matmul(probabilities, _constant(concepts(names).classes), False, False),
        ops.matmul(seen, _constant(visual_projection(weight)), False, False),
        ops.matmul(probabilities, _constant(names.classes), False, False),
    ]
    return ov.Model([ops.concat([_unit(vector) for vector in vectors], 1)], [pixels], "image")


def _classify(x: Any, tensors: Iterator[NDArray[np.float32]]) -> tuple[Any, Any, NDArray[np.float32]]:
    """Return what the classifier sees in (n, 3, size, size) pixels, the classes' logits, and the weights between them.

    It takes the weights in their order, all of them.
    """
    x = _convolution(x, tensors, stride=2)
    for stage in LITE2:
        for number in range(stage.blocks):
            y = _convolution(x, tensors) if stage.expands else x
            y = _convolution(y, tensors, stride=1 if number else stage.stride, depthwise=True)
            y = _convolution(y, tensors, linear=True)
            x = ops.add(y, x) if number else y
    x = _convolution(x, tensors)
    pooled = ops.reduce_mean(x, _constant([2, 3]), False)
    weight, bias = next(tensors), next(tensors)
    logits = _linear(pooled, weight, bias)
    if left := sum(1 for _ in tensors):
        raise ValueError(f"{left} tensors are left over")
    return pooled, logits, weight


def _convolution(
    x: Any, tensors: Iterator[NDArray[np.float32]], *, stride: int = 1, depthwise: bool = False, linear: bool = False
) -> Any:
    """Return a convolution with its batch normalisation, which is a part of its weights here, and ReLU6."""
    kernel, scale, shift, mean, variance = (next(tensors) for _ in range(5))
    scale = scale / np.sqrt(variance + BATCH_NORM_EPSILON)
    kernel = kernel * scale.reshape(-1, 1, 1, 1)
    shift = shift - mean * scale
    steps = ([stride, stride], [0, 0], [0, 0], [1, 1], "same_upper")
    y = (
        ops.group_convolution(x, _constant(kernel[:, np.newaxis]), *steps)
        if depthwise
        else ops.convolution(x, _constant(kernel), *steps)
    )
    y = ops.add(y, _constant(shift.reshape(1, -1, 1, 1)))
    return y if linear else ops.clamp(y, 0, 6)


def text_network(config: Path, weights: Path, names: Names | None) -> Any:
    """Return the text tower as an OpenVINO model: (n, length) int64 ids and mask to two unit vectors side by side.

    They are the text's and, as by the recipe before, the text encoder's own: BERT (Devlin et al., arXiv:1810.04805),
    and the mean of its last layer over the tokens, as Sentence-BERT takes it (Reimers and Gurevych, arXiv:1908.10084).

    Args:
        config: Of a BertModel, as transformers writes it.
        weights: Its weights, in safetensors; both checked.
        names: The text encoder's vectors; None leaves its own alone, to compute these with.

    Raises:
        ModelError: They do not belong together.
    """
    shape = json.loads(config.read_text())
    tensors = load_file(weights)
    ids = ops.parameter([-1, -1], np.int64, name="ids")
    mask = ops.parameter([-1, -1], np.int64, name="mask")
    try:
        hidden = _Bert(tensors, shape["num_attention_heads"], shape["layer_norm_eps"])(
            ids, ops.convert(mask, "f32"), shape["num_hidden_layers"]
        )
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{weights}: not the weights of the BERT of {config.name}: {error}") from error
    # Of unit length, so that the sum will do for the mean.
    weighted = ops.multiply(hidden, ops.unsqueeze(ops.convert(mask, "f32"), _constant([2])))
    own = _unit(ops.reduce_sum(weighted, _constant([1]), False))
    vectors = own if names is None else ops.concat([_drawn(own, concepts(names)), own], 1)
    return ov.Model([vectors], [ids, mask], "text")


def _drawn(own: Any, held: Concepts) -> Any:
    """Return (n, dimensions) unit vectors of texts, drawn to what they name."""
    centred = _unit(ops.subtract(own, _constant(held.mean)))
    alike = ops.matmul(centred, _constant(held.keys), False, True)
    attention = ops.softmax(ops.multiply(alike, _constant(np.float32(conse.ATTENTION_SHARPNESS))), 1)
    named = _unit(ops.matmul(attention, _constant(held.values), False, False))
    return _unit(ops.add(centred, ops.multiply(named, _constant(np.float32(conse.ATTENTION_WEIGHT)))))


def compile_exactly(model: Any) -> Callable[..., Vectors]:
    """Return what computes a network in float32, whatever the processor could do faster."""
    compiled = ov.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda *inputs: np.array(compiled(list(inputs))[0])


class _Bert:
    """BERT's layers over the tensors of a BertModel."""

    def __init__(self, tensors: dict[str, NDArray[np.float32]], heads: int, epsilon: float) -> None:
        self._tensors = tensors
        self._heads = heads
        self._epsilon = epsilon

    def __call__(self, ids: Any, mask: Any, layers: int) -> Any:
        """Return (n, length, width): the last layer for ids and mask, (n, length) int64 and float32."""
        padding = ops.multiply(ops.subtract(_constant(np.float32(1)), mask), _constant(np.float32(MASKED)))
        bias = ops.unsqueeze(padding, _constant([1, 2]))
        x = self._embed(ids)
        for number in range(layers):
            layer = f"encoder.layer.{number}"
            attended = self._linear(
                self._attention(x, bias, f"{layer}.attention.self"), f"{layer}.attention.output.dense"
            )
            x = self._normalise(ops.add(attended, x), f"{layer}.attention.output.LayerNorm")
            wide = ops.gelu(self._linear(x, f"{layer}.intermediate.dense"), "erf")
            x = self._normalise(ops.add(self._linear(wide, f"{layer}.output.dense"), x), f"{layer}.output.LayerNorm")
        return x

    def _embed(self, ids: Any) -> Any:
        words, positions, kinds = (
            self._tensors[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        zero, one = _constant(np.int64(0)), _constant(np.int64(1))
        places = ops.range(zero, ops.gather(ops.shape_of(ids), one, zero), one, "i64")
        # All tokens are of the first kind: these texts are no pairs.
        x = ops.add(ops.gather(_constant(words), ids, zero), ops.gather(_constant(positions + kinds[0]), places, zero))
        return self._normalise(x, "embeddings.LayerNorm")

    def _attention(self, x: Any, bias: Any, name: str) -> Any:
        swap = _constant([0, 2, 1, 3])
        query, key, value = (
            ops.transpose(ops.reshape(self._linear(x, f"{name}.{part}"), self._split, True), swap)
            for part in ("query", "key", "value")
        )
        attended = ops.scaled_dot_product_attention(query, key, value, bias)
        return ops.reshape(ops.transpose(attended, swap), _constant([0, 0, self._width]), True)

    @property
    def _width(self) -> int:
        return int(self._tensors["embeddings.LayerNorm.weight"].size)

    @property
    def _split(self) -> Any:
        return _constant([0, 0, self._heads, self._width // self._heads])

    def _linear(self, x: Any, name: str) -> Any:
        return _linear(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _normalise(self, x: Any, name: str) -> Any:
        x = ops.mvn(x, _constant([-1]), True, self._epsilon, "inside_sqrt")
        weight, bias = (_constant(self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return ops.add(ops.multiply(x, weight), bias)


def _linear(x: Any, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
    return ops.add(ops.matmul(x, _constant(weight), False, True), _constant(bias))


def _unit(x: Any) -> Any:
    return ops.normalize_l2(x, _constant([1]), 1e-12, "max")


def _constant(values: Any) -> Any:
    return ops.constant(np.asarray(values, order="C"))
