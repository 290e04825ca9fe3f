from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_pictures import Preprocessing

from benchmarks import quality
from benchmarks.harness import pictures, results
from benchmarks.harness.kinds import general_words
from benchmarks.harness.ranking import Rows
from benchmarks.quality import Outcome, Score

ORANGE = (255, 80, 0)
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "deep blue": (0, 0, 255)}


class ColorModel:
    """A picture's vector is its mean colour; a text's the colour that it names."""

    id, fingerprint, runtime, device = "colors", "0" * 64, "none", "none"
    dimensions, visual_dimensions, reranking = 3, 0, None
    preprocessing = Preprocessing("squash", 0, 8, 8)

    def encode_pixels(self, pixels, *, visual=False):
        return self._unit(np.stack([each.reshape(-1, 3).mean(axis=0) for each in pixels]))

    def encode_texts(self, texts):
        return self._unit(np.array([COLORS[text] for text in texts]))

    def _unit(self, rows):
        rows = rows.astype(np.float32) + 1e-3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two green pictures, one of them among the red ones; a blue one; a broken one; captions."""
    pictures_folder = tmp_path / "pictures"
    for key, color in {
        "red/1.png": "red",
        "red/2.png": "green",
        "green/1.png": "green",
        "Deep_Blue/1.png": "deep blue",
        "top.png": "orange",
    }.items():
        path = pictures_folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), COLORS.get(color, ORANGE)).save(path)
    (pictures_folder / "green/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (pictures_folder / "red/1.txt").write_text("red\nsaid so by somebody\n")
    (pictures_folder / "red/2.txt").write_text("red\n")
    (pictures_folder / "green/1.txt").write_text("deep blue\n")
    return pictures_folder


def test_names_and_captions_are_scored_as_described(folder, monkeypatch, capsys):
    monkeypatch.setattr(quality.models, "load", lambda *_: ColorModel())
    found = pictures.find(str(folder))
    assert found.captions == {"red/1.png": "red", "red/2.png": "red", "green/1.png": "deep blue"}
    outcome = quality.measure(found, None)
    # Red's two are red/1 and the orange one, which has no label. Of green's, one decodes; red/2 is as green.
    assert outcome.precisions == {"red": 0.5, "green": 1.0, "Deep_Blue": 1.0}
    assert {score.name: score.size for score in outcome.scores} == {"red": 2, "green": 1, "Deep_Blue": 1}
    assert outcome.figures["mean_precision_at_30"] == pytest.approx(2.5 / 3)
    # "red" is found at the first place, which counts for the green one of equal caption too; "deep blue" later.
    assert outcome.recalls == {1: pytest.approx(2 / 3), 5: 1.0, 10: 1.0}
    assert "green/broken.png" in capsys.readouterr().err
    # Of three labels only red has two pictures: one is green, and as near to red/1 as the others.
    assert outcome.similar == 0
    assert outcome.words == {}


class SeeingModel(ColorModel):
    """Its visual vector is the colour; its other one is the same for all."""

    visual_dimensions = 3

    def encode_pixels(self, pixels, *, visual=False):
        colors = super().encode_pixels(pixels)
        alike = np.ones_like(colors) / np.sqrt(3)
        return np.hstack([alike, colors]) if visual else alike

    def encode_texts(self, texts):
        return np.ones((len(texts), 3), np.float32) / np.sqrt(3)


def test_pictures_are_compared_by_their_visual_vectors_and_kinds_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(quality.models, "load", lambda *_: SeeingModel())
    for name, color in {"Leopards": "red", "pizza": "green", "cougar_body": "deep blue"}.items():
        (tmp_path / name).mkdir()
        for number in range(3):
            Image.new("RGB", (16, 12), COLORS[color]).save(tmp_path / name / f"{number}.png")
    outcome = quality.measure(pictures.find(str(tmp_path)), None)
    assert outcome.similar == 1.0
    assert set(outcome.words) == {"animal", "big cat", "food", "mammal"}
    # All are equally near to every word, and come in the order of their keys: Leopards, cougars, pizza.
    assert outcome.words["big cat"] == 1.0
    assert outcome.words["food"] == 0.0
    assert outcome.figures["general_precision_at_5"] == pytest.approx(3 / 4)


def test_what_a_text_finds_is_put_in_order_as_the_gateway_does_it():
    how = Reranking(depth=20, best=4, alike_from=0.2, alike_to=0.4)
    angles = np.arange(22) / 20
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    visual = np.eye(2, dtype=np.float32)[[0, 1, *[0] * 20]]
    text = np.array([1, 0], np.float32)
    assert Rows(vectors, visual).found(text).tolist() == list(range(22))
    # The second looks like none of the others: it is the last of those that are put in order.
    assert Rows(vectors, visual, how).found(text).tolist() == [0, *range(2, 20), 1, 20, 21]


def test_folders_named_like_imagenets_synsets_have_wordnets_words():
    sharks = ["n01484850", "n01491361", "n01494475"]
    rays = ["n01496331", "n01498041"]
    words = general_words([*sharks, *rays])
    assert words["fish"] == {*sharks, *rays}
    assert "shark" not in words, "too few"
    assert general_words(["something else"]) == {}


def test_captions_may_be_kept_beside_the_folder(folder):
    (folder.parent / "pictures-captions.json").write_text(json.dumps({"red/1.png": " a wall ", "gone.png": "x"}))
    assert pictures.find(str(folder)).captions == {"red/1.png": "a wall"}


def test_a_second_model_or_a_setting_may_be_compared():
    assert pictures.encoder_settings(None).model_ids == ["embedded"]
    assert pictures.encoder_settings("ViT-B-32/openai").model_ids == ["ViT-B-32/openai"]
    assert pictures.encoder_settings("path:/w.safetensors@ViT-B-32").model_ids == ["path:/w.safetensors@ViT-B-32"]
    changed = pictures.encoder_settings("runtime=torch,ENCODER_PRECISION=f32")
    assert (changed.runtime, changed.precision, changed.models) == ("torch", "f32", "embedded")


def test_what_is_written_can_be_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    scores = [Score("red", 2, 2, 0.5), Score("green", 3, 3, 1.0)]
    outcome = Outcome("colors", {"model": "colors"}, scores, {1: 0.25, 5: 0.5, 10: 1.0})
    found = pictures.Collection("pictures", tmp_path, [], {"a": "b"})
    quality.show(found, [outcome, outcome])
    results.write("quality-pictures", settings=outcome.settings, figures=outcome.figures)
    written = json.loads((tmp_path / "results/quality-pictures.json").read_text())
    assert set(written) == {"machine", "when", "settings", "figures"}
    assert written["figures"] == {
        "mean_precision_at_30": 0.75,
        "caption_recall_at_1": 0.25,
        "caption_recall_at_5": 0.5,
        "caption_recall_at_10": 1.0,
    }
    with Image.open(tmp_path / "results/quality-pictures.png") as drawn:
        assert drawn.size[0] > 100
    assert "mean" in capsys.readouterr().out
