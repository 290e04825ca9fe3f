"""Grown vectors, and databases filled with them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import growth, scale, scale_engines
from benchmarks.growth import Growth, intrinsic_dimension, turned
from benchmarks.scale import Database
from benchmarks.scale_engines import by_catalogue, numbers_of


def unit(count: int, dimensions: int, seed: int = 3) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_vectors_turned_into_more_dimensions_keep_their_cosines():
    real = unit(20, 8)
    into = turned(real, 32)
    assert into.shape == (20, 32)
    np.testing.assert_allclose(into @ into.T, real @ real.T, atol=1e-5)


def test_vectors_do_not_fit_into_fewer_dimensions():
    with pytest.raises(ValueError, match="do not fit"):
        turned(unit(3, 8), 4)


def test_growth_gives_as_many_unit_vectors_as_asked_for_and_the_same_ones_again(monkeypatch):
    monkeypatch.setattr(growth, "BLOCK", 64)
    grown = Growth(unit(30, 16))
    once = np.concatenate(list(grown.blocks(150)))
    again = np.concatenate(list(grown.blocks(150)))
    assert once.shape == (150, 16)
    np.testing.assert_allclose(np.linalg.norm(once, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(once, again)


def test_what_is_grown_of_clusters_lies_in_them():
    centres = unit(10, 64)
    real = np.repeat(centres, 100, axis=0) + 0.02 * unit(1000, 64, seed=4)
    grown = Growth(real / np.linalg.norm(real, axis=1, keepdims=True)).block(0, 200)
    assert (grown @ centres.T).max(axis=1).min() > 0.99


def test_growth_adds_no_direction_in_which_real_vectors_do_not_differ():
    real = turned(unit(100, 5), 32)
    assert np.linalg.matrix_rank(np.concatenate([real, Growth(real).block(0, 200)]), tol=1e-3) == 5


@pytest.mark.parametrize("dimensions", [2, 8])
def test_the_intrinsic_dimension_of_a_cube_is_its_own(dimensions):
    drawn = np.random.default_rng(5).random((3000, dimensions))
    distances = np.linalg.norm(drawn[:500, None] - drawn[None], axis=2)
    near = np.sort(distances, axis=1)
    assert intrinsic_dimension(near[:, 1], near[:, 2]) == pytest.approx(dimensions, rel=0.2)


def test_the_exact_nearest_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr(growth, "BLOCK", 64)
    grown = Growth(unit(30, 16))
    queries = unit(5, 16)
    numbers, cosines = scale.exact_nearest(grown, 150, queries, 10)
    everything = queries @ np.concatenate(list(grown.blocks(150))).T
    np.testing.assert_array_equal(numbers, np.argsort(-everything, axis=1)[:, :10])
    np.testing.assert_allclose(cosines, -np.sort(-everything, axis=1)[:, :10], rtol=1e-5)


def test_recall_is_the_share_that_was_found():
    assert scale.recall([[1, 2], [9, 4]], np.array([[2, 1], [3, 4]])) == 0.75


@pytest.mark.parametrize("number", [0, 7, 123_456_789])
def test_an_image_tells_its_number(number):
    assert scale.number_of(scale.image(number)) == number


def test_a_database_is_filled_once_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "FOLDER", tmp_path)
    monkeypatch.setattr(growth, "BLOCK", 200)
    grown = Growth(turned(unit(50, 32), scale.DIMENSIONS))
    first = scale.filled(300, grown, "drawn")
    assert scale.filled(300, grown, "drawn") == first
    exact, _ = scale.exact_nearest(grown, 300, grown.block(1)[:20], scale_engines.DEPTH)
    with scale.database(300) as server:
        _, found = scale_engines.timed(by_catalogue(server.collection()), grown.block(1)[:20])
        assert server.anonymous_mb() > 1
    assert scale.recall([numbers_of(one) for one in found], exact) == 1
    assert found[0].vectors.shape == (scale_engines.DEPTH, scale.DIMENSIONS)
    assert scale.filled(300, grown, "drawn otherwise") != first


def test_a_database_of_several_parts_has_each_indexed_also_a_smaller_last_one(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "FOLDER", tmp_path)
    monkeypatch.setattr(growth, "BLOCK", 200)
    monkeypatch.setattr(scale, "UNINDEXED", 150)
    monkeypatch.setattr(scale, "PART", 400)
    grown = Growth(turned(unit(50, 32), scale.DIMENSIONS))
    assert scale.filled(600, grown, "drawn").index_seconds > 0
    with scale.database(600) as server:
        assert server.collection().count() == 600
    with scale_engines.shard(Database(600).shard_folder()) as opened:
        assert opened.info().indexed_vectors_count == 600
