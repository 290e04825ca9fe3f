from __future__ import annotations

import json
import os
import sys

import pytest
from PIL import Image

from benchmarks import bench_memory, footprint, report
from benchmarks.bench_memory import Outcome
from benchmarks.footprint import Footprint, Highest
from benchmarks.watch import Watch

MAPS = """\
7f1 r-xp 00000000 08:01 1 /opt/venv/lib/python3.11/site-packages/numpy/_core/_multiarray_umath.so
7f2 r-xp 00000000 08:01 2 /opt/venv/lib/python3.11/site-packages/sklearn/utils/_random.so
7f3 r-xp 00000000 08:01 3 /opt/venv/lib/python3.11/site-packages/scipy.libs/libscipy_openblas.so
7f4 r-xp 00000000 08:01 4 /home/somebody/torchlight/notes.so
"""


def test_libraries_are_told_from_what_a_process_has_mapped():
    assert footprint.mapped(MAPS) == {"numpy", "sklearn", "scipy"}
    assert "torch" in footprint.mapped("7f5 r-xp 0 08:01 5 /usr/lib/libtorch_cpu.so\n")
    assert "torch" in footprint.mapped("7f5 r-xp 0 08:01 5 /v/lib/python3.11/site-packages/torch/_C.so\n")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_this_process_is_read():
    found = footprint.read(os.getpid())
    assert found.bytes["rss"] >= found.bytes["anonymous"] > 0
    assert found.bytes["rss"] >= found.bytes["pss"] >= found.bytes["uss"] > 0
    assert "numpy" in footprint.libraries([os.getpid()])


def test_a_process_that_has_ended_holds_nothing():
    # Process ids are below this everywhere.
    assert footprint.read(2**30) is None
    assert footprint.together([2**30]) is None
    assert footprint.libraries([2**30]) == set()


def test_what_is_not_known_of_one_is_not_summed():
    total = Footprint({"rss": 5, "pss": 3}) + Footprint({"rss": 2})
    assert (total.bytes, total.processes) == ({"rss": 7}, 2)
    assert (Footprint({}, 0) + total).bytes == {"rss": 7}


def test_the_most_is_kept_of_each_kind():
    highest = Highest()
    highest.see(Footprint({"rss": 5, "pss": 3}, 2))
    highest.see(Footprint({"rss": 4, "pss": 4}, 1))
    assert (highest.bytes, highest.processes) == ({"rss": 5, "pss": 4}, 2)


def watch(encoder, gateway, *, torch=False):
    megabytes = {name: Highest({"rss": mib * 2**20, "pss": mib * 2**20}, 1) for name, mib in gateway.items()}
    megabytes["encoder"] = Highest({"rss": encoder * 2**20}, 1)
    libraries = {name: set() for name in megabytes} | {"encoder": {"numpy", "torch"} if torch else {"numpy"}}
    return Watch(megabytes, Highest({"rss": 2**30}, 3), libraries, 1)


def test_figures_and_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    outcome = Outcome(
        start=watch(1300, {}, torch=True),
        idle=watch(400, {"search-gateway": 200}),
        load=watch(500, {"search-gateway": 220, "search-gateway, children": 90}, torch=True),
        ready_seconds=9,
        load_seconds=30,
        indexed=10,
        searches=100,
        refused=1,
    )
    figures = bench_memory.figures(outcome)
    assert figures["encoder_idle_rss_mib"] == 400
    assert figures["encoder_start_rss_mib"] == 1300
    assert figures["search_gateway_children_load_pss_mib"] == 90
    assert figures["torch_encoder"] == 1
    assert figures["torch_search_gateway"] == 0
    assert "encoder_idle_pss_mib" not in figures
    bench_memory.show(outcome, first_start=True)
    bench_memory.draw(outcome)
    report.write("bench-memory", settings={}, figures=figures, processes=bench_memory.processes(outcome))
    out = capsys.readouterr().out
    assert "torch, idle: no process has loaded it" in out
    assert "torch, under load: encoder" in out
    assert "first start: ready after 9.0 s, the encoder at most 1,300 MiB resident until then" in out
    written = json.loads((tmp_path / "bench-memory.json").read_text())
    assert written["processes"]["load"]["encoder"]["loaded"] == ["numpy", "torch"]
    with Image.open(tmp_path / "bench-memory.png") as drawn:
        assert drawn.size[0] > 100
