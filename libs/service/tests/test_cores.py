"""A service takes no more cores than its container may use."""

from __future__ import annotations

import os

import pytest
from sightline_service import available_cores


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        ("max 100000\n", 8),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("1200000 100000\n", 8),
        ("10000 100000\n", 1),
        ("", 8),
        ("nonsense\n", 8),
        ("many 100000\n", 8),
    ],
)
@pytest.mark.usefixtures("eight_cores")
def test_a_containers_limit_bounds_the_cores(tmp_path, limit, expected):
    file = tmp_path / "cpu.max"
    file.write_text(limit)
    assert available_cores(limit_file=file) == expected


@pytest.mark.usefixtures("eight_cores")
def test_without_a_containers_limit_all_cores_of_the_process_count(tmp_path):
    assert available_cores(limit_file=tmp_path / "none") == 8


def test_where_a_process_has_no_affinity_the_machines_cores_count(monkeypatch, tmp_path):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cores(limit_file=tmp_path / "none") == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores(limit_file=tmp_path / "none") == 1
