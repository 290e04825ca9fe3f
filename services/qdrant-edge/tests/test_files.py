"""Copies of a shard."""

from __future__ import annotations

import os

import numpy as np
import pytest
import qdrant_edge as engine
from qdrant_client import grpc as grpc_api
from sightline_qdrant_edge.files import copy_shard
from sightline_qdrant_edge.index_child import build
from sightline_qdrant_edge.schema import engine_config

Operation = engine.UpdateOperation
PARAMS = grpc_api.VectorParams(size=16, distance=grpc_api.Distance.Cosine, on_disk=True)
CONFIG = engine_config(
    grpc_api.CreateCollection(
        vectors_config=grpc_api.VectorsConfig(params_map=grpc_api.VectorParamsMap(map={"image": PARAMS})),
        quantization_config=grpc_api.QuantizationConfig(
            scalar=grpc_api.ScalarQuantization(type=grpc_api.QuantizationType.Int8, always_ram=True)
        ),
    )
)


@pytest.fixture
def shard(tmp_path):
    """An indexed shard of 3,000 points, and its folder."""
    folder = tmp_path / "shard"
    folder.mkdir()
    shard = engine.EdgeShard.create(str(folder), CONFIG)
    shard.update(Operation.create_field_index("label", engine.PayloadSchemaType.Keyword))
    shard.update(Operation.upsert_points(points(3000)))
    shard.close()
    build(folder, CONFIG)
    shard = engine.EdgeShard.load(str(folder))
    assert shard.info().indexed_vectors_count == 3000
    yield shard, folder
    shard.close()


def points(count, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, 16)).tolist()
    return [engine.Point(number, {"image": vectors[number]}, {"label": "a", "n": number}) for number in range(count)]


def test_a_copy_is_a_shard_of_its_own(shard, tmp_path):
    shard, folder = shard
    copy = tmp_path / "copy"
    shard.flush()
    copy_shard(folder, copy)
    shard.update(Operation.delete_points(list(range(2000))))
    shard.flush()

    other = engine.EdgeShard.load(str(copy))
    assert other.count(engine.CountRequest()) == 3000
    assert other.retrieve([5], True, False)[0].payload == {"label": "a", "n": 5}
    other.update(Operation.delete_points([2999]))
    other.close()
    build(copy, CONFIG)
    assert shard.count(engine.CountRequest()) == 1000


def test_a_torn_copy_is_completed(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub").mkdir(parents=True)
    large = np.random.default_rng(0).bytes(5_000_000)
    for name in ("same", "changed", "grown", "shrunk", "holed", "gone", "sub/renamed"):
        (source / name).write_bytes(large)
    copy_shard(source, target)
    kept = (target / "same").stat()

    with (source / "changed").open("r+b") as file:
        file.seek(3_000_000)
        file.write(b"new")
    with (source / "grown").open("ab") as file:
        file.write(b"more")
    os.truncate(source / "shrunk", 1000)
    os.truncate(source / "holed", 0)
    os.truncate(source / "holed", len(large))
    (source / "gone").unlink()
    (source / "sub" / "renamed").rename(source / "sub" / "other")
    copy_shard(source, target)

    def contents(folder):
        return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert contents(target) == contents(source)
    assert (target / "same").stat().st_mtime_ns == kept.st_mtime_ns


def test_holes_stay_holes(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    with (source / "page").open("wb") as file:
        file.truncate(32 * 1024 * 1024)
        file.seek(8 * 1024 * 1024)
        file.write(b"x" * 5000)
    (source / "empty").touch()
    copy_shard(source, target)
    assert (target / "page").read_bytes() == (source / "page").read_bytes()
    assert os.stat(target / "page").st_blocks <= os.stat(source / "page").st_blocks + 64
    assert (target / "empty").read_bytes() == b""
