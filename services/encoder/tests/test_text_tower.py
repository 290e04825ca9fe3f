"""How a batch of texts is cut for OpenVINO, with requests that only note what they are asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sightline_encoder.runtimes.openvino_text_tower import (
    CALL_COST_TOKENS,
    MAX_ONE_BY_ONE,
    OpenVinoTextTower,
    group_by_length,
    token_counts,
)


class Network:
    """Gives each row the sum of its tokens; notes the shapes that it met."""

    def __init__(self, shape=None):
        self.shape = shape
        self.shapes = []

    def create_infer_request(self):
        return self

    def infer(self, inputs, share_inputs):
        assert share_inputs
        assert self.shape in (None, inputs[0].shape)
        self.shapes.append(inputs[0].shape)
        return [inputs[0].sum(axis=1, keepdims=True)]


def padded(lengths):
    ids = np.zeros((len(lengths), max(lengths)), np.int64)
    for row, length in enumerate(lengths):
        ids[row, :length] = 1 + row
    return ids, (ids > 0).astype(np.int64)


@pytest.fixture
def tower():
    networks = {0: Network(), 8: Network((1, 8)), 16: Network((1, 16))}
    made = OpenVinoTextTower(networks[0], [(8, networks[8]), (16, networks[16])])
    made.networks = networks
    return made


@given(st.lists(st.integers(1, 256), min_size=1, max_size=40))
def test_every_row_is_in_one_group_that_is_long_enough_and_no_longer(lengths):
    found = group_by_length(np.array(lengths))
    assert sorted(row for rows, _ in found for row in rows.tolist()) == list(range(len(lengths)))
    assert all(longest == max(lengths[row] for row in rows) for rows, longest in found)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_cutting_never_costs_more_than_one_call_for_all(lengths):
    cost = sum(CALL_COST_TOKENS + len(rows) * longest for rows, longest in group_by_length(np.array(lengths)))
    assert cost <= CALL_COST_TOKENS + len(lengths) * max(lengths)


def test_one_long_text_does_not_lengthen_the_short_ones():
    assert [(rows.tolist(), longest) for rows, longest in group_by_length(np.array([5, 200, 6, 7]))] == [
        ([1], 200),
        ([0, 2, 3], 7),
    ]
    assert len(group_by_length(np.array([5, 9, 6, 7]))) == 1


@pytest.mark.parametrize("lengths", [[3], [8, 9], [16, 1, 8], [17], [4, 250, 6, 5], list(range(1, 33))])
def test_rows_come_back_in_order(tower, lengths):
    inputs = padded(lengths)
    np.testing.assert_array_equal(tower(*inputs)[:, 0], inputs[0].sum(axis=1))


def test_a_few_short_texts_take_the_networks_of_fixed_size(tower):
    tower(*padded([3, 12]))
    assert [network.shapes for network in tower.networks.values()] == [[], [(1, 8)], [(1, 16)]]
    tower(*padded([3] * (MAX_ONE_BY_ONE + 1)))
    tower(*padded([17]))
    assert tower.networks[0].shapes == [(MAX_ONE_BY_ONE + 1, 3), (1, 17)]


def test_only_zeros_at_the_end_are_padding():
    ids = np.array([[0, 5, 0, 7, 0], [0, 0, 0, 0, 0], [1, 2, 3, 4, 5]])
    assert token_counts((ids,)).tolist() == [4, 1, 5]
    # What a mask counts is a token, whatever its number.
    assert token_counts((ids, np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]]))).tolist() == [5, 2, 5]
