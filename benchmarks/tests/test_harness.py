"""What all benchmarks share: turns, pictures, memory, results."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from PIL import Image
from sightline_pictures import Preprocessing

from benchmarks import memory
from benchmarks.harness import pictures, results, timing
from benchmarks.memory import MIB, Watch

STEPS = Preprocessing("squash", 0, 8, 8)


def jpeg():
    out = io.BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(out, "JPEG")
    return out.getvalue()


def test_everyone_has_a_turn_in_each_round_and_nobody_is_always_first(monkeypatch):
    monkeypatch.setattr(timing, "PAUSE_SECONDS", 0)
    order = []
    found = timing.in_turns({name: lambda name=name: order.append(name) or float(len(order)) for name in "abc"}, 3)
    assert "".join(order) == "abcbcacab"
    assert found == {"a": [1.0, 6.0, 8.0], "b": [2.0, 4.0, 9.0], "c": [3.0, 5.0, 7.0]}


def test_a_ratio_is_the_median_of_each_rounds():
    assert timing.ratio({"fast": [4.0, 30.0, 9.0], "slow": [2.0, 10.0, 1.0]}, "fast", "slow") == 3.0


def test_a_percentile_of_nothing_is_no_number():
    assert timing.percentile([4.0, 1.0, 3.0], 50) == 3.0
    assert math.isnan(timing.percentile([], 50))


def test_what_runs_meanwhile_ends_with_the_block():
    calls = []
    with timing.meanwhile(lambda: calls.append(1)):
        while not calls:
            pass
    count = len(calls)
    assert count == len(calls) > 0


def test_texts_are_distinct_and_of_unequal_length():
    found = pictures.texts("{}", "an old {} beside a wooden fence", count=3000)
    assert len(set(found)) == 3000
    assert len({len(text.split()) for text in found[:20]}) > 2


def test_pictures_that_cannot_be_read_are_left_out():
    found = pictures.pixels([b"no picture", jpeg(), jpeg()], STEPS, 5)
    assert found.shape == (5, 8, 8, 3)
    with pytest.raises(SystemExit, match="none of the pictures"):
        pictures.pixels([b"no picture"], STEPS, 5)


def test_what_is_prepared_ahead_comes_in_order():
    with ThreadPoolExecutor(3) as pool:
        assert list(pictures.ahead(pool, lambda number: number * 2, range(60), 7)) == list(range(0, 120, 2))


def test_a_folder_that_is_not_there_ends_in_one_line(tmp_path):
    with pytest.raises(SystemExit, match="is not a folder"):
        pictures.find(str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="no pictures"):
        pictures.find(str(tmp_path))


def test_sizes_are_read_and_sorted():
    assert results.sizes("10_000,1000") == [1000, 10_000]
    with pytest.raises(ValueError, match="0"):
        results.sizes("0,10")


def test_libraries_are_told_from_what_a_process_has_mapped():
    packages = "/opt/venv/lib/python3.11/site-packages"
    assert memory.library_of(f"{packages}/sklearn/utils/_random.so") == "sklearn"
    assert memory.library_of(f"{packages}/scipy.libs/libscipy_openblas.so") == "scipy"
    assert memory.library_of("/usr/lib/libtorch_cpu.so") == memory.library_of(f"{packages}/torch/_C.so") == "torch"
    assert memory.library_of("/home/somebody/torchlight/notes.so") is None


def test_this_process_is_read_and_one_that_has_ended_holds_nothing():
    found = memory.held([psutil.Process()])
    assert found["processes"] == 1
    assert found["rss"] >= found["pss"] > 0
    assert "numpy" in memory.libraries([psutil.Process()])
    ended = psutil.Popen(["true"])
    ended.wait()
    assert not memory.held([ended])
    assert memory.libraries([ended]) == set()


def watch(torch=False, **rss_mib):
    most = {name.replace("_", "-"): Counter(rss=mib * MIB, pss=mib * MIB, processes=1) for name, mib in rss_mib.items()}
    loaded = {name: {"numpy", "torch"} if torch and name == "encoder" else {"numpy"} for name in most}
    return Watch(most, Counter(rss=2**30, pss=2**29, processes=3), loaded)


def test_figures_of_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    idle, load = watch(encoder=400, search_gateway=200), watch(torch=True, encoder=500, search_gateway=220)
    figures = memory.figures(idle, load, {"searches": 100})
    assert figures["encoder_idle_rss_mib"] == 400
    assert figures["search_gateway_load_pss_mib"] == 220
    assert (figures["torch_encoder"], figures["torch_search_gateway"]) == (1, 0)
    assert figures["all_idle_pss_mib"] == 512
    memory.show(idle, load)
    results.write("bench-memory", settings={}, figures=figures)
    assert "torch" in capsys.readouterr().out
    written = json.loads((tmp_path / "bench-memory.json").read_text())
    assert set(written) == {"machine", "when", "settings", "figures"}
    assert written["figures"]["searches"] == 100
