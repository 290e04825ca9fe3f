"""Grown vectors, and databases filled with them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.harness import grown, vectors
from benchmarks.harness.timing import timed
from benchmarks.harness.vectors import Growth, rotated
from benchmarks.scale import DEPTH, FILTERS, by_catalogue, reached


def unit(count: int, dimensions: int, seed: int = 3) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_vectors_turned_into_more_dimensions_keep_their_cosines():
    real = unit(20, 8)
    into = rotated(real, 32)
    assert into.shape == (20, 32)
    np.testing.assert_allclose(into @ into.T, real @ real.T, atol=1e-5)


def test_vectors_do_not_fit_into_fewer_dimensions():
    with pytest.raises(ValueError, match="do not fit"):
        rotated(unit(3, 8), 4)


def test_growth_gives_as_many_unit_vectors_as_asked_for_and_the_same_ones_again(monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK", 64)
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
    real = rotated(unit(100, 5), 32)
    assert np.linalg.matrix_rank(np.concatenate([real, Growth(real).block(0, 200)]), tol=1e-3) == 5


def test_the_exact_nearest_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr(vectors, "BLOCK", 64)
    supply = Growth(unit(30, 16))
    queries = unit(5, 16)
    numbers = grown.exact_nearest(supply, 150, queries, 10)
    everything = queries @ np.concatenate(list(supply.blocks(150))).T
    np.testing.assert_array_equal(numbers, np.argsort(-everything, axis=1)[:, :10])


def test_recall_is_the_share_that_was_found():
    assert grown.recall([[1, 2], [9, 4]], np.array([[2, 1], [3, 4]])) == 0.75


@pytest.mark.parametrize("number", [0, 7, 12_345_678])
def test_an_image_tells_its_number(number):
    assert grown.numbers_of([grown.image(number)]) == [number]


def test_a_database_is_filled_once_and_found_again(tmp_path, monkeypatch):
    monkeypatch.setattr(grown, "FOLDER", tmp_path)
    monkeypatch.setattr(vectors, "BLOCK", 200)
    supply = Growth(rotated(unit(50, 32), grown.DIMENSIONS))
    first = grown.filled(300, supply, "drawn")
    assert grown.filled(300, supply, "drawn") == first
    exact = grown.exact_nearest(supply, 300, supply.block(1)[:20], DEPTH)
    with grown.database(first.folder) as server:
        _, found = timed(by_catalogue(server.catalogue().current()), supply.block(1)[:20])
        assert server.anonymous_mb() > 1
        opened = server.catalogue().current()
        for narrowed in FILTERS.values():
            passing = sum(narrowed.passes(grown.image(number)) for number in range(300))
            assert opened.count(narrowed.filter) == passing
    assert reached(found, exact) == 1
    assert found[0].vectors.shape == (DEPTH, grown.DIMENSIONS)
    assert grown.filled(300, supply, "drawn otherwise") != first


def test_a_server_is_filled_alike_and_emptied_again(tmp_path, monkeypatch):
    monkeypatch.setattr(grown, "FOLDER", tmp_path)
    monkeypatch.setattr(vectors, "BLOCK", 200)
    monkeypatch.setattr(grown, "UNINDEXED", 150)
    supply = Growth(rotated(unit(50, 32), grown.DIMENSIONS))
    exact = grown.exact_nearest(supply, 300, supply.block(1)[:20], DEPTH)
    with grown.database(tmp_path / "server", EDGE_INDEX_THRESHOLD="200") as server:
        monkeypatch.setenv("QDRANT_URL", server.url)
        with grown.filled_server(300, supply) as catalogue:
            _, found = timed(by_catalogue(catalogue.current()), supply.block(1)[:20])
            assert reached(found, exact) == 1
        assert server.catalogue().collections() == []


def test_a_database_of_several_parts_has_each_indexed_also_a_smaller_last_one(tmp_path, monkeypatch):
    monkeypatch.setattr(grown, "FOLDER", tmp_path)
    monkeypatch.setattr(vectors, "BLOCK", 200)
    monkeypatch.setattr(grown, "UNINDEXED", 150)
    monkeypatch.setattr(grown, "PART", 400)
    supply = Growth(rotated(unit(50, 32), grown.DIMENSIONS))
    filled = grown.filled(600, supply, "drawn", visual=True)
    assert filled.index_seconds > 0
    with grown.database(filled.folder) as server:
        collection = server.catalogue().current()
        assert collection.count() == 600
        asked = grown.visual_of(supply.block(1)[:20])
        exact = grown.exact_nearest(supply, 600, asked, DEPTH, grown.visual_of)
        assert reached(timed(by_catalogue(collection, visual=True), asked)[1], exact) > 0.9
    with vectors.loaded(grown.shard_folder(filled.folder)) as shard:
        # Both vectors of each.
        assert shard.opened.info().indexed_vectors_count == 1200
