"""The parts of the encoder's benchmark that compute: merging, clients, photographs."""

from __future__ import annotations

import argparse
import asyncio
import io
import json

import numpy as np
import pytest
from PIL import Image
from sightline_pictures import Preprocessing

from benchmarks.encoder import __main__ as command
from benchmarks.encoder import clients, decoding, loops, serving
from benchmarks.encoder.clients import Refused
from benchmarks.harness import pictures, results
from benchmarks.harness.processes import NotServing

STEPS = Preprocessing("squash", 0, 8, 8)


def jpeg():
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def run(monkeypatch, *parts):
    monkeypatch.setattr("sys.argv", ["bench-encoder", "--parts", ",".join(parts)])
    command.main()


def test_a_part_keeps_what_others_found(tmp_path, monkeypatch):
    def fails(_):
        raise NotServing("it does not come up")

    monkeypatch.setattr(results, "RESULTS", tmp_path)
    monkeypatch.setattr(results, "warn_if_busy", lambda: None)
    monkeypatch.setattr(pictures, "find", lambda _: pictures.Collection("none", tmp_path, [], {}))
    (tmp_path / "bench-encoder.json").write_text("[]")
    monkeypatch.setitem(command.PARTS, "loops", lambda _: {"embedded_speedup": 5.0})
    monkeypatch.setitem(command.PARTS, "bulk", lambda _: {"grpc_bulk_ratio": 0.9})
    monkeypatch.setitem(command.PARTS, "latency", fails)
    run(monkeypatch, "bulk", "loops")
    monkeypatch.setitem(command.PARTS, "bulk", lambda _: {"grpc_bulk_ratio": 0.95})
    with pytest.raises(SystemExit, match="does not come up"):
        run(monkeypatch, "latency", "bulk")
    run(monkeypatch, "bulk")
    written = json.loads((tmp_path / "bench-encoder.json").read_text())
    assert written["figures"] == {"embedded_speedup": 5.0, "grpc_bulk_ratio": 0.95}
    assert set(written["parts"]) == {"loops", "bulk"}
    assert all({"when", "machine"} < set(part) for part in written["parts"].values())
    assert (tmp_path / "bench-encoder.png").is_file()


def test_parts_are_chosen_by_name():
    assert command.chosen("latency, loops") == ["loops", "latency"]
    with pytest.raises(argparse.ArgumentTypeError, match="no part speed; there are loops, bulk"):
        command.chosen("loops,speed")


def test_the_lowest_cosine_is_of_rows_one_to_one():
    first = np.array([[1, 0], [0, 1]], np.float32)
    assert loops.lowest_cosine(first, np.array([[1, 0], [0.6, 0.8]], np.float32)) == pytest.approx(0.8)


def test_a_refused_client_comes_again_and_is_counted(monkeypatch):
    monkeypatch.setattr(clients, "WARM_SECONDS", 0.0)
    calls = []

    async def call():
        calls.append(1)
        await asyncio.sleep(0.001)
        if len(calls) == 1:
            raise Refused(0.001)
        return 3

    answers = asyncio.run(clients.drive({"kind": [call]}, 0.2))["kind"]
    assert answers.refused == 1
    assert answers.items == 3 * len(answers.milliseconds) > 0
    assert answers.rate == answers.items / 0.2


def test_mixed_clients_are_a_third_of_each_kind_and_at_least_one():
    assert serving.shares("bulk", 8) == {"bulk": 8}
    assert serving.shares("mixed", 32) == {"texts": 10, "images": 10, "bulk": 10}
    assert serving.shares("mixed", 1) == {"texts": 1, "images": 1, "bulk": 1}


def test_photographs_are_large_and_the_same_every_time():
    made = decoding.photograph(jpeg(), 0, (400, 300))
    assert made == decoding.photograph(jpeg(), 0, (400, 300)) != decoding.photograph(jpeg(), 1, (400, 300))
    assert pictures.opened(made).size == (400, 300)
    assert pictures.opened(made, STEPS.min_side).size < (400, 300)
