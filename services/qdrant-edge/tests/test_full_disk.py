"""A full disk: reads go on, writes are refused in words, and go on once there is room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import models
from sightline_qdrant_edge.errors import DiskFull
from sightline_qdrant_edge.reserve import EXHAUSTED_BYTES, RESERVE_FILE_BYTES, Reserve
from sightline_service.disk_space import MB, Disk, DiskSpace

VECTORS = np.eye(4, dtype=np.float32)
FULL = f"""
import os
from pathlib import Path
from sightline_service import disk_space
def measure(folder):
    return disk_space.DiskSpace(10**12, 10**11 if os.path.exists(os.environ["ROOM"]) else 100 * {MB})
disk_space.Disk.__init__.__defaults__ = (measure,)
from sightline_qdrant_edge.__main__ import main
main()
"""
"""The service, on a disk that is full until there is a file of the name in ROOM."""


def test_with_less_free_than_the_reserve_reads_are_answered_and_writes_wait(
    serve: Callable[..., Any],
    create: Callable[..., None],
    fill: Callable[..., None],
    refused: Callable[..., str],
    tmp_path: Path,
) -> None:
    server = serve()
    client = server.client()
    create(client, "a")
    fill(client, "a", VECTORS, 0, 2)
    assert server.terminate() == 0
    flag = tmp_path / "room"
    server.program = [server.program[0], "-c", FULL]
    server.environment |= {"ROOM": str(flag)}
    server.restart()
    client = server.client()

    words = refused("RESOURCE_EXHAUSTED", fill, client, "a", VECTORS, 2, 3)
    assert words.startswith("the disk of the database is full: 100 MB are free, and the last 512 MB are kept")
    assert "the disk of the database is full" in refused("RESOURCE_EXHAUSTED", create, client, "b")
    assert client.count("a").count == 2
    assert [point.id for point in client.query_points("a", query=[1, 0, 0, 0], using="image").points] == [0, 1]
    assert "the disk of the database is full" in client.get_collection("a").optimizer_status.error

    flag.touch()
    fill(client, "a", VECTORS, 2, 4)
    assert client.count("a").count == 4
    assert client.get_collection("a").optimizer_status == models.OptimizersStatusOneOf.OK
    log = server.log.read_text()
    assert log.count("is full") == log.count("has room again") == 1


def test_half_of_the_reserve_is_for_deletions(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, Disk("database", tmp_path, 512, lambda _: DiskSpace(10**12, 300 * MB)))
    reserve.check(1, deletes=True)
    with pytest.raises(DiskFull):
        reserve.check(1)
    with pytest.raises(DiskFull):
        reserve.check(50 * MB, deletes=True)


def test_what_it_holds_is_given_back_where_others_have_filled_the_disk(tmp_path: Path) -> None:
    free = 10**11
    reserve = Reserve(tmp_path, Disk("database", tmp_path, 512, lambda _: DiskSpace(10**12, free)))
    reserve.hold()
    held = (tmp_path / "reserve").stat()
    assert held.st_size == RESERVE_FILE_BYTES <= held.st_blocks * 512
    reserve.release_if_exhausted()
    assert (tmp_path / "reserve").exists()
    free = EXHAUSTED_BYTES - 1
    assert reserve.is_exhausted
    reserve.release_if_exhausted()
    assert not (tmp_path / "reserve").exists()
    free = 512 * MB
    reserve.hold()
    assert not (tmp_path / "reserve").exists()


def test_an_index_needs_its_room_beside_the_reserve(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path, Disk("database", tmp_path, 512, lambda _: DiskSpace(10**12, 600 * MB)))
    assert reserve.missing_bytes(88 * MB) == 0
    assert reserve.missing_bytes(100 * MB) == 12 * MB
