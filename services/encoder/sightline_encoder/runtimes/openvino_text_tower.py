"""The text tower in OpenVINO: short texts one by one, others in batches of similar length."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline_encoder.runtimes.tower import Vectors

SHORT_LENGTHS = (8, 16)
"""The lengths, in tokens, for which a network of fixed size is compiled. One of any size takes half as long again
whenever its shape differs from that of the call before."""
MAX_ONE_BY_ONE = 3
"""Up to so many short texts are faster one by one than in one call."""
CALL_COST_TOKENS = 64
"""The fixed cost of a call of a network of any size, as the number of tokens that take as long."""


class OpenVinoTextTower:
    """A network compiled for texts of any number and length, and for one short text.

    Args:
        any_size: Takes (n, length) of each input.
        short: Pairs of a length and the network compiled for one text of it, the shortest first.
    """

    def __init__(self, any_size: Any, short: list[tuple[int, Any]]) -> None:
        self._any_size = any_size
        self._short = short
        # A request holds its own buffers, so that each thread needs its own.
        self._local = threading.local()

    def __call__(self, *inputs: NDArray[Any]) -> Vectors:
        """Return (n, dimensions) float32 rows."""
        requests = getattr(self._local, "requests", None)
        if requests is None:
            short = [(length, compiled.create_infer_request()) for length, compiled in self._short]
            requests = self._local.requests = (self._any_size.create_infer_request(), short)
        any_size, short = requests
        lengths = token_counts(inputs)
        if len(lengths) <= MAX_ONE_BY_ONE and lengths.max() <= short[-1][0]:
            return np.concatenate(
                [_encode_short(short, inputs, row, length) for row, length in enumerate(lengths.tolist())]
            )
        parts = [
            (rows, infer(any_size, [array[rows, :longest] for array in inputs]))
            for rows, longest in group_by_length(lengths)
        ]
        vectors = np.empty((len(lengths), parts[0][1].shape[1]), np.float32)
        for rows, part in parts:
            vectors[rows] = part
        return vectors


def token_counts(inputs: tuple[NDArray[Any], ...]) -> NDArray[np.int64]:
    """Return (n,): the tokens of each row without the zeros at its end, which are padding; at least 1."""
    used = np.any([array != 0 for array in inputs], axis=0)
    used[:, 0] = True
    return np.asarray(int(inputs[0].shape[1]) - used[:, ::-1].argmax(axis=1), np.int64)


def group_by_length(lengths: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], int]]:
    """Return the rows to compute together, each group with the length of its longest.

    The shorter rows form a group of their own where padding them costs more than one more call.
    """
    order = np.argsort(lengths, kind="stable")
    in_order = lengths[order].tolist()
    found = []
    end = len(in_order)
    while end:
        # Where to cut what is left, so that the most padding is saved: `cut` rows then need not be as long as the last.
        cut = max(range(end), key=lambda place: place * (in_order[end - 1] - in_order[place - 1]) if place else 0)
        if not cut or cut * (in_order[end - 1] - in_order[cut - 1]) <= CALL_COST_TOKENS:
            cut = 0
        found.append((order[cut:end], in_order[end - 1]))
        end = cut
    return found


def infer(request: Any, inputs: list[NDArray[Any]]) -> Vectors:
    """Return the first output as float32. The request reads the arrays where they are and copies none of them."""
    found = request.infer([np.ascontiguousarray(array) for array in inputs], share_inputs=True)
    return np.array(found[0], dtype=np.float32)


def _encode_short(short: list[tuple[int, Any]], inputs: tuple[NDArray[Any], ...], row: int, length: int) -> Vectors:
    size, request = next(entry for entry in short if entry[0] >= length)
    return infer(request, [_fit_length(array[row : row + 1], size) for array in inputs])


def _fit_length(array: NDArray[Any], length: int) -> NDArray[Any]:
    """Return (n, length): without columns at the end, or with zeros there."""
    missing = length - array.shape[1]
    return array[:, :length] if missing <= 0 else np.pad(array, ((0, 0), (0, missing)))
