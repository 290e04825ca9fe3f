from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest
from sightline_service import metrics_folder as module
from sightline_service.metrics_folder import metrics_folder


@pytest.mark.parametrize("memory", [True, False])
def test_the_folder_goes_with_the_service_and_takes_along_those_of_the_dead(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "MEMORY", tmp_path if memory else tmp_path / "none")
    monkeypatch.setattr(module, "LEAST_BYTES", 0 if memory else 2**60)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    start = "sightline-cook-metrics-"
    for name in (
        f"{start}{ended.pid}-a",
        f"{start}{os.getppid()}-b",
        f"{start}{os.getpid()}-c",
        "sightline-other",
        f"{start}x",
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "counter.db").touch()
    with metrics_folder("cook") as folder:
        assert folder.parent == tmp_path
        assert folder.is_dir()
        (folder / "counter.db").touch()
    assert {one.name for one in tmp_path.iterdir()} == {f"{start}{os.getppid()}-b", "sightline-other", f"{start}x"}
