"""The parts of the encoder's benchmark that compute: merging, clients."""

from __future__ import annotations

import argparse
import asyncio
import json

import numpy as np
import pytest

from benchmarks import encoder, encoder_loops
from benchmarks.harness import pictures, results
from benchmarks.harness.results import Failed


def run(monkeypatch, *parts):
    monkeypatch.setattr("sys.argv", ["bench-encoder", "--parts", ",".join(parts)])
    encoder.main()


def test_a_part_keeps_what_others_found(tmp_path, monkeypatch):
    def fails(_):
        raise Failed("it does not come up")

    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(results, "warn_if_busy", lambda: None)
    monkeypatch.setattr(pictures, "find", lambda _: pictures.Collection("none", tmp_path, [], {}))
    (tmp_path / "bench-encoder.json").write_text("[]")
    monkeypatch.setitem(encoder.PARTS, "loops", lambda _: {"embedded_speedup": 5.0})
    monkeypatch.setitem(encoder.PARTS, "bulk", lambda _: {"grpc_bulk_ratio": 0.9})
    monkeypatch.setitem(encoder.PARTS, "latency", fails)
    run(monkeypatch, "bulk", "loops")
    monkeypatch.setitem(encoder.PARTS, "bulk", lambda _: {"grpc_bulk_ratio": 0.95})
    with pytest.raises(SystemExit, match="does not come up"):
        run(monkeypatch, "latency", "bulk")
    run(monkeypatch, "bulk")
    written = json.loads((tmp_path / "bench-encoder.json").read_text())
    assert written["figures"] == {"embedded_speedup": 5.0, "grpc_bulk_ratio": 0.95}
    assert set(written["parts"]) == {"loops", "bulk"}
    assert all({"when", "machine"} < set(part) for part in written["parts"].values())
    assert (tmp_path / "bench-encoder.png").is_file()


def test_parts_are_chosen_by_name():
    assert encoder.chosen("latency, loops") == ["loops", "latency"]
    with pytest.raises(argparse.ArgumentTypeError, match="no part speed; there are loops, bulk"):
        encoder.chosen("loops,speed")


def test_the_lowest_cosine_is_of_rows_one_to_one():
    first = np.array([[1, 0], [0, 1]], np.float32)
    assert encoder_loops.lowest_cosine(first, np.array([[1, 0], [0.6, 0.8]], np.float32)) == pytest.approx(0.8)


def test_texts_of_the_first_moments_are_not_counted(monkeypatch):
    monkeypatch.setattr(encoder, "WARM_SECONDS", 0.05)
    calls = []

    async def call():
        calls.append(1)
        await asyncio.sleep(0.001)

    milliseconds = asyncio.run(encoder.drive(lambda: call, 1, 0.1))
    assert 0 < len(milliseconds) < len(calls)
    assert min(milliseconds) >= 1
