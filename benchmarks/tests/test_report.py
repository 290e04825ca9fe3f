from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sightline_pictures import Preprocessing

from benchmarks import experiments, report
from benchmarks.harness import questions, results
from benchmarks.harness.ranking import Rows
from benchmarks.harness.vectors import built, exact, recall

THINGS = ("cat", "dog", "car", "chair", "<b>boat & co")


def unit(rows):
    rows = np.asarray(rows, dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


NO_ROWS = Rows(np.empty((0, 32)), np.empty((0, 32)))


class ShadeModel:
    """A picture's vector is that of the thing whose shade of grey it has; a text's, of the things that it names."""

    id, fingerprint, runtime, device = "shades", "0" * 64, "none", "none"
    preprocessing = Preprocessing("squash", 0, 8, 8)
    dimensions, visual_dimensions, reranking = 32, 0, None
    things = unit(np.random.default_rng(0).standard_normal((len(THINGS), 32)))

    def encode_pixels(self, pixels, *, visual=False):
        shades = np.array([each.mean() for each in pixels])
        noise = np.random.default_rng(1).standard_normal((len(shades), 32)) / 30
        return unit(self.things[(shades / 40).round().astype(int)] + noise)

    def encode_texts(self, texts):
        return unit([self._text(text) for text in texts])

    def _text(self, text):
        named = [self.things[place] for place, thing in enumerate(THINGS) if thing in text.split() or thing == text]
        return np.sum(named, axis=0) if named else np.random.default_rng(len(text)).standard_normal(32)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Six pictures of each thing, in a folder whose name would break a page that does not escape it."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(results, "warn_if_busy", lambda: None)
    monkeypatch.setattr("benchmarks.harness.pictures.models.load", lambda *_: ShadeModel())
    pictures = tmp_path / "<script>pictures"
    for place, thing in enumerate(THINGS):
        for number in range(6):
            path = pictures / thing / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (16 + number, 12), (40 * place,) * 3).save(path)
    return pictures


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["report", *map(str, arguments)])
    report.main()
    out, err = capsys.readouterr()
    return Path(re.search("^page: (.*)$", out, re.MULTILINE).group(1)), err


def test_the_page_holds_every_figure_and_escapes_names(folder, monkeypatch, capsys):
    path, progress = run(monkeypatch, capsys, "--images", folder, "--sizes", "20,40", "--hnsw", 20)
    page = path.read_text()
    for number in range(1, 7):
        assert f"Figure {number}:" in page
        assert (path.parent / f"figure-{number}.png").stat().st_size > 1000
    assert "<script>" not in page
    assert "&lt;script&gt;pictures" in page
    assert "<b>boat" not in page
    assert "&lt;b&gt;boat &amp; co" in page
    # One file: nothing is fetched, from the network or from beside it.
    assert not re.findall(r'(?:src|href|srcset)="(?!data:)', page)
    assert "Nothing was measured on a GPU" in page
    assert "Above 20 vectors no index was built" in page
    assert "Figure 5: searching 40 vectors" in progress


def test_a_folder_without_classes_still_has_a_page(folder, monkeypatch, capsys):
    path, _ = run(monkeypatch, capsys, "--images", folder / "cat", "--sizes", "10")
    page = path.read_text()
    assert page.count("Left out: no picture lies in a folder of its class.") == 2
    assert "Figure 3: the five nearest to “cat on chair”" in page


class KnownOrders:
    """Each text finds what it is known to find."""

    def __init__(self, orders):
        self.orders = iter(orders)

    def found(self, vector):
        return next(self.orders)


def test_precision_is_over_no_more_than_a_class_has():
    labels = np.array(["cat"] * 3 + ["dog"] * 150 + [""])
    cats_found = np.array([0, 3, 4, 1, 2])
    dogs_found = np.concatenate([[153, 0, 1], np.arange(3, 100)])
    cat, dog = questions.scores(ShadeModel(), labels, KnownOrders([cats_found, dogs_found]), 100)
    assert (cat.size, cat.counted, cat.precision, cat.instead) == (3, 3, pytest.approx(1 / 3), [("dog", 2)])
    assert (dog.size, dog.counted, dog.precision, dog.instead) == (150, 100, 0.97, [("cat", 2)])
    assert experiments.worst([dog, cat])[0] is cat
    assert questions.mean([cat, dog]) == pytest.approx((1 / 3 + 0.97) / 2)


def test_classes_are_drawn_from_those_with_enough_pictures():
    sizes = {f"large {number}": 100 + number for number in range(9)} | {"small": 99}
    names, enough = experiments.drawn_classes(sizes, 1)
    assert enough == 100
    assert len(names) == 5
    assert "small" not in names
    assert experiments.drawn_classes(sizes, 1) == (names, enough)
    assert any(experiments.drawn_classes(sizes, seed)[0] != names for seed in range(2, 6))
    assert experiments.drawn_classes({"a": 40, "b": 12, "c": 3}, 1) == (["a", "b", "c"], 1)
    assert experiments.drawn_classes({}, 1) == ([], 0)


def test_all_methods_agree_on_the_nearest(monkeypatch):
    vectors = unit(np.random.default_rng(2).standard_normal((300, 16)))
    question = vectors[17]
    wanted = np.argsort(-(vectors @ question), kind="stable")[:10]
    assert exact(vectors, question, 10).tolist() == wanted.tolist()
    assert len(exact(vectors, question, 1000)) == 300
    pytest.importorskip("torch")
    monkeypatch.setattr(experiments, "NEAREST", 10)
    assert experiments.on_device(vectors, "cpu")(question).tolist() == wanted.tolist()
    with built(vectors) as shard:
        assert recall(vectors, question, shard.search(question, 10), wanted) == 1


def test_recall_takes_any_of_equal_vectors():
    vectors = unit([[1, 0], [1, 0.1], [1, 0.1], [0, 1]])
    question = vectors[0]
    assert recall(vectors, question, np.array([0, 2]), np.array([0, 1])) == 1
    assert recall(vectors, question, np.array([0, 3]), np.array([0, 1])) == 0.5


def test_sizes_that_memory_does_not_hold_are_left_out():
    assert experiments.sizes_that_fit([1000, 1_000_000], 512, 2 * 2**30) == [1000]
    assert experiments.sizes_that_fit([1000, 1_000_000], 512, 64 * 2**30) == [1000, 1_000_000]


def test_what_is_not_held_is_said():
    message = "Nothing here looks like “squid”."
    assert experiments.Answer("squid", [], experiments.Relevance(found=False, message=message)).verdict.startswith(
        message
    )
    assert "12 of the first 50" in experiments.Answer("cat", [], experiments.Relevance(likely=12, judged=50)).verdict
