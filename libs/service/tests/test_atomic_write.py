from __future__ import annotations

import pytest
from sightline_service.atomic_write import atomic_write, replacing


@pytest.mark.parametrize("durable", [False, True])
def test_new_content_replaces_the_old(tmp_path, durable):
    path = tmp_path / "state.json"
    atomic_write(path, "one", durable=durable)
    atomic_write(path, b"two", durable=durable)
    assert path.read_text() == "two"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "vectors.npy"
    path.write_text("old")

    def fail():
        with replacing(path) as temporary:
            assert temporary.suffix == ".npy"
            temporary.write_text("half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
