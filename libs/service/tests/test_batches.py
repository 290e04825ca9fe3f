from __future__ import annotations

from sightline_service.batches import batched


def test_slices_of_at_most_a_size_in_order():
    assert list(batched("abcde", 2)) == ["ab", "cd", "e"]
    assert list(batched([1, 2], 2)) == [[1, 2]]
    assert list(batched([], 2)) == []
