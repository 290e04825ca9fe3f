"""Torch's old file format, read without torch: tensors, and nothing else."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from sightline_encoder.errors import ModelError
from sightline_encoder.models.embedded.pickled_tensors import read_pickled_tensors


@pytest.fixture
def write_old(tmp_path):
    """Write what torch's old format holds, and return the file."""

    def write(content):
        path = tmp_path / "weights.pth"
        torch.save(content, path, _use_new_zipfile_serialization=False)
        return path

    return write


def test_tensors_are_read_from_torchs_old_format_without_torch(write_old):
    base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
    given = {"one": base, "turned": base.permute(2, 0, 1), "part": base[1, 1:], "count": torch.tensor(7)}
    found = read_pickled_tensors(write_old(given))
    assert list(found) == list(given)
    for name, tensor in given.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


def test_a_file_that_would_run_code_is_refused(write_old, tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    with pytest.raises(ModelError, match="not allowed"):
        read_pickled_tensors(write_old({"evil": Evil()}))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "absent", "numbers"])
def test_a_file_that_holds_something_else_is_refused(damage, write_old):
    path = write_old({"one": torch.ones(3, 4)})
    match damage:
        case "cut":
            path.write_bytes(path.read_bytes()[:-8])
        case "empty":
            path.write_bytes(b"")
        case "other":
            path.write_bytes(pickle.dumps(["something", "else"]))
        case "absent":
            path.unlink()
        case "numbers":
            write_old({"one": 5})
    with pytest.raises(ModelError, match=r"weights\.pth"):
        read_pickled_tensors(path)
