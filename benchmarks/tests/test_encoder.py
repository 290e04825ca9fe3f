"""The parts of the encoder's benchmark that compute: turns, percentiles, merging, clients, cutting."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from sightline_pictures import Preprocessing

from benchmarks.encoder import __main__ as command
from benchmarks.encoder import clients, decoding, figure, load, loops, outcome, runtimes, server, subjects, turns
from benchmarks.encoder.clients import Refused
from benchmarks.encoder.outcome import Outcome

STEPS = Preprocessing("squash", 0, 8, 8)


def jpeg(size=(60, 40)):
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def test_everyone_has_a_turn_in_each_round_and_nobody_is_always_first(monkeypatch):
    monkeypatch.setattr(turns, "PAUSE_SECONDS", 0)
    order = []
    found = turns.take({name: lambda name=name: order.append(name) or float(len(order)) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert found == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_a_ratio_is_the_median_of_each_rounds():
    assert turns.ratio({"fast": [4.0, 30.0, 9.0], "slow": [2.0, 10.0, 1.0]}, "fast", "slow") == 3.0


@pytest.mark.parametrize(("percent", "value"), [(50, 2.0), (75, 3.0), (99, 4.0), (100, 4.0), (1, 1.0)])
def test_a_percentile_is_one_of_the_values(percent, value):
    assert turns.percentile([4.0, 1.0, 3.0, 2.0], percent) == value
    assert math.isnan(turns.percentile([], percent))


def test_a_part_keeps_what_others_found(tmp_path):
    path = tmp_path / "results.json"
    assert outcome.read(path) == {}
    path.write_text("[]")
    assert outcome.read(path) == {}
    parts = {
        "loops": outcome.entry(Outcome({"speedup": 5.0}), {"cores": 2}),
        "bulk": outcome.entry(Outcome({"ratio": 0.9}), {"cores": 2}),
    }
    path.write_text(json.dumps({"parts": parts}))
    kept = outcome.read(path)
    kept["bulk"] = outcome.entry(Outcome({"ratio": 0.95}), {"cores": 4})
    assert outcome.figures(kept) == {"speedup": 5.0, "ratio": 0.95}
    assert kept["loops"]["machine"] == {"cores": 2}
    assert all("when" in part for part in kept.values())


def test_parts_are_chosen_by_name():
    assert command.chosen(None) == list(command.PARTS)
    assert command.chosen("latency, loops") == ["loops", "latency"]
    with pytest.raises(argparse.ArgumentTypeError, match="no part speed; there are loops, bulk"):
        command.chosen("loops,speed")


def test_the_lowest_cosine_is_of_rows_one_to_one():
    first = np.array([[1, 0], [0, 1]], np.float32)
    assert loops.lowest_cosine(first, np.array([[1, 0], [0.6, 0.8]], np.float32)) == pytest.approx(0.8)


def test_texts_are_distinct_and_of_unequal_length():
    found = subjects.texts(3000)
    assert len(set(found)) == 3000
    assert len({len(text.split()) for text in found[:20]}) > 2


def test_pictures_that_cannot_be_read_are_left_out():
    found = subjects.pixels([b"no picture", jpeg(), jpeg()], STEPS, 5)
    assert found.shape == (5, 8, 8, 3)
    with pytest.raises(SystemExit, match="none of the pictures"):
        subjects.pixels([b"no picture"], STEPS, 5)


def test_the_mean_batch_is_of_what_was_run_between_two_looks():
    name = "sightline_encoder_batch_size"
    before = {(f"{name}_sum", "text", "bulk"): 10.0, (f"{name}_count", "text", "bulk"): 5.0}
    after = {(f"{name}_sum", "text", "bulk"): 34.0, (f"{name}_count", "text", "bulk"): 8.0}
    assert server.mean_batch(before, after, "text", "bulk") == 8.0
    assert math.isnan(server.mean_batch(before, after, "image", "bulk"))


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
    assert load.shares("bulk", 8) == {"bulk": 8}
    assert load.shares("mixed", 32) == {"texts": 10, "images": 10, "bulk": 10}
    assert load.shares("mixed", 1) == {"texts": 1, "images": 1, "bulk": 1}


def test_photographs_are_large_and_the_same_every_time():
    made = decoding.photograph(jpeg(), 0, (400, 300))
    assert made == decoding.photograph(jpeg(), 0, (400, 300)) != decoding.photograph(jpeg(), 1, (400, 300))
    assert decoding.decode(made, STEPS, draft=False).size == (400, 300)
    assert decoding.decode(made, STEPS, draft=True).size < (400, 300)


def test_pictures_are_prepared_in_order_and_all_of_them_encoded():
    data = [bytes([number]) for number in range(60)]
    sizes = []
    loop = runtimes.Loop(lambda batch: sizes.append(batch[:, 0].tolist()) or batch, lambda batch: batch)
    with ThreadPoolExecutor(3) as pool:
        prepared = decoding.ahead(pool, lambda each: np.frombuffer(each, np.uint8), data)
        assert decoding.encode_all(loop, prepared) == 60
    assert [len(size) for size in sizes] == [16, 16, 16, 12]
    assert [number for size in sizes for number in size] == list(range(60))


def test_what_is_drawn_is_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(figure.report, "RESULTS", tmp_path)
    figure.draw("nothing", {"other": 1.0})
    figure.draw("some", {"embedded_speedup": 5.0, "grpc_bulk_ratio": 0.9})
    assert [path.name for path in tmp_path.iterdir()] == ["some.png"]
