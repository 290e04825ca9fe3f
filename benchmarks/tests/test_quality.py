from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sightline.encoder.v1.encoder_pb2 import Reranking
from sightline_encoder import models
from sightline_pictures import Preprocessing
from sightline_search_gateway.exports import VocabularyEmbeddings
from sklearn.metrics import average_precision_score

from benchmarks import quality
from benchmarks.harness import embeddings, honesty, outcome, pictures, results
from benchmarks.harness.bootstrap import difference, interval, share, verdict
from benchmarks.harness.floors import missed, read_floors
from benchmarks.harness.kinds import general_words
from benchmarks.harness.questions import measured
from benchmarks.harness.ranking import Rows
from benchmarks.harness.results import Failed

ROOT = Path(__file__).resolve().parents[2]
ORANGE = (255, 80, 0)
COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "deep blue": (0, 0, 255)}
WORDS = 300


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


class ColorModel:
    """A picture's vector is its mean colour; a text's the colour that it names, or one of its own."""

    id, fingerprint, runtime, device = "colors", "0" * 64, "none", "none"
    dimensions, visual_dimensions, reranking = 3, 0, None
    preprocessing = Preprocessing("squash", 0, 8, 8)

    def __init__(self):
        self.seen = 0

    def encode_pixels(self, pixels, *, visual=False):
        self.seen += len(pixels)
        return unit(np.stack([each.reshape(-1, 3).mean(axis=0) for each in pixels]) + 1e-3)

    def encode_texts(self, texts):
        return unit([COLORS.get(text, self._other(text)) for text in texts])

    def _other(self, text):
        return np.random.default_rng(sum(map(ord, text))).uniform(size=3)


def vocabulary(model):
    texts = tuple(f"word {number}" for number in range(WORDS))
    return VocabularyEmbeddings(texts, model.encode_texts(texts))


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(results, "warn_if_busy", lambda: None)
    monkeypatch.setattr(embeddings, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(honesty, "vocabulary_of", vocabulary)


@pytest.fixture
def model(monkeypatch):
    loaded = ColorModel()
    monkeypatch.setattr(models, "load", lambda *_: loaded)
    return loaded


def draw(folder: Path, colors: dict[str, str]) -> Path:
    for key, color in colors.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 12), COLORS.get(color, ORANGE)).save(path)
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two green pictures, one of them among the red ones; a blue one; a broken one; captions."""
    found = draw(
        tmp_path / "pictures",
        {
            "red/1.png": "red",
            "red/2.png": "green",
            "green/1.png": "green",
            "Deep_Blue/1.png": "deep blue",
            "top.png": "orange",
        },
    )
    (found / "green/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (found / "red/1.txt").write_text("red\nsaid so by somebody\n")
    (found / "red/2.txt").write_text("red\n")
    (found / "green/1.txt").write_text("deep blue\n")
    return found


def measure(images: Path, captions: Path | None = None) -> outcome.Outcome:
    given, rows = quality.embed_all(quality.read_input(str(images), captions), [None])
    return outcome.measure(given, *rows[0], "colors")


def run(monkeypatch, capsys, *arguments: object) -> tuple[str, str]:
    monkeypatch.setattr("sys.argv", ["quality", *map(str, arguments)])
    quality.main()
    return capsys.readouterr()


def written_page(out: str) -> str:
    return Path(re.search("^page: (.*)$", out, re.MULTILINE).group(1)).read_text()


def test_names_and_captions_are_scored_as_described(folder, model, capsys):
    found = measure(folder)
    # Red's two are red/1 and the orange one, which has no label. Of green's, one decodes; red/2 is as green.
    assert found.precisions == {"red": 0.5, "green": 1.0, "Deep_Blue": 1.0}
    assert {score.name: score.size for score in found.scores} == {"red": 2, "green": 1, "Deep_Blue": 1}
    figures = found.figures
    assert figures["mean_precision_at_30"] == figures["name_precision_at_30"] == pytest.approx(2.5 / 3)
    # "red" is found at the first place, which counts for the green one of equal caption too; "deep blue" later.
    assert figures["caption_recall_at_1"] == pytest.approx(2 / 3)
    assert figures["caption_recall_at_5"] == figures["caption_recall_at_10"] == 1.0
    assert "green/broken.png" in capsys.readouterr().err
    # Of three labels only red has two pictures: one is green, and as near to red/1 as the others.
    assert figures["similar_precision_at_10"] == 0
    assert "kind" not in found.answers


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
    monkeypatch.setattr(models, "load", lambda *_: SeeingModel())
    labels = {"Leopards": "red", "pizza": "green", "cougar_body": "deep blue"}
    draw(tmp_path / "all", {f"{name}/{number}.png": color for name, color in labels.items() for number in range(3)})
    found = measure(tmp_path / "all")
    assert found.figures["similar_precision_at_10"] == 1.0
    kinds = dict(zip(found.answers["kind"].asked, found.answers["kind"].measures["precision_at_30"], strict=True))
    assert set(kinds) == {"animal", "big cat", "food", "mammal"}
    # All are equally near to every word, and come in the order of their keys: Leopards, cougars, pizza.
    assert kinds["big cat"] == 1.0
    assert kinds["food"] == 0.0
    assert found.figures["general_precision_at_5"] == pytest.approx(3 / 4)


def test_measures_of_an_answer_are_those_of_the_textbook():
    is_right = np.array([True, False, True, True, *[False] * 40, True])
    found = measured(is_right)
    assert [found[f"precision_at_{cut}"] for cut in (1, 5, 30)] == [1.0, 3 / 4, 3 / 4]
    assert [found[f"recall_at_{cut}"] for cut in (1, 5, 30)] == [1 / 4, 3 / 4, 3 / 4]
    assert found["map"] == pytest.approx(average_precision_score(is_right, -np.arange(len(is_right))))


def test_a_difference_is_real_only_where_the_questions_agree():
    ours = np.linspace(0, 0.8, 40)
    better, noise = ours + 0.1, ours + np.tile([0.2, -0.2], 20)
    found = difference(ours, better)
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert verdict(found, "captions", "B") == "For captions, B is really better, by 10.0 points (+10.0 to +10.0)."
    assert "is really worse, by 10.0 points" in verdict(difference(better, ours), "captions", "B")
    assert "which may be chance." in verdict(difference(ours, noise), "captions", "B")
    assert verdict(difference(ours, ours), "captions", "B") == "For captions, B makes no difference."
    assert "of 3 questions only" in verdict(difference(ours[:3], better[:3]), "captions", "B")
    assert "too few captions" in verdict(difference(ours[:1], better[:1]), "captions", "B")


def test_an_interval_covers_the_mean_and_is_the_same_each_time():
    values = np.random.default_rng(0).normal(0.5, 0.1, 400)
    found = interval(values)
    # Of a mean the interval is known: 1.96 standard errors to each side.
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - error, abs=0.001)
    assert found.high == pytest.approx(values.mean() + error, abs=0.001)
    assert interval(values) == found
    assert not interval(values[:1]).is_known


def test_none_of_a_few_may_be_some_of_many():
    found = share(np.zeros(20, bool))
    # Wilson's: 1.96 squared, of n and that.
    assert (found.mean, found.low, found.high) == pytest.approx((0, 0, 1.96**2 / (20 + 1.96**2)), abs=1e-4)


def test_figures_that_are_too_low_are_told_with_by_how_much():
    floors = read_floors("precision=0.8, name_map=.5,caption_map=1", outcome.FLOORED)
    assert floors == {"mean_precision_at_30": 0.8, "name_map": 0.5, "caption_map": 1.0}
    assert missed(floors, {"mean_precision_at_30": 0.75, "name_map": 0.5}) == [
        "mean_precision_at_30: 0.750, too low by 0.050: at least 0.800 is wanted",
        "caption_map: not measured here, at least 1.000 is wanted",
    ]
    for wrong in ("precison=0.8", "precision", "precision=80", "precision=nan"):
        with pytest.raises(Failed, match="AT_LEAST"):
            read_floors(wrong, outcome.FLOORED)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("picture,text\na,b\n", "lacks the column file and caption: its first line must be file,caption"),
        ("", "lacks the column file and caption"),
        ("file,caption\n", "has no rows under its header"),
        ("file,caption\nred/9.png,a wall\n", "line 2: there is no picture 'red/9.png' in the folder"),
        ("file,caption\nred/1.png\n", "line 2: as many fields as the header has are needed"),
        ("file,caption\nred/1.png,a wall, red\n", "line 2: as many fields as the header has are needed"),
        ("file,caption\nred/1.png, \n", "line 2: the caption of 'red/1.png' is empty"),
        ('file,caption\nred/1.png,"a wall\n', "is no CSV file"),
        ("file,caption\nred/1.png,\xe4\n".encode("latin-1"), "is not in UTF-8"),
        (f"file,caption\nred/1.png,{'x' * 2001}\n", "is longer than 2,000 characters"),
        ("file,caption\n" + "red/9.png,a wall\n" * 12, "and 2 more rows are wrong"),
    ],
)
def test_a_wrong_file_of_captions_is_explained(folder, tmp_path, content, said):
    path = tmp_path / "captions.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(Failed, match=re.escape(said)):
        quality.read_input(str(folder), str(path))


def test_captions_of_a_csv_file_are_asked_for_instead(folder, tmp_path, model):
    path = tmp_path / "captions.csv"
    path.write_text("﻿caption,file,by\nred,./red/1.png,me\ndeep blue,red/1.png,me\ngreen,green/broken.png,me\n")
    answers = measure(folder, path).answers["caption"]
    assert answers.asked == ["red", "deep blue"], "a picture may have two; of one that cannot be read none is asked"
    assert answers.best[0] == 1
    with pytest.raises(Failed, match=r"no\.csv cannot be read: No such file"):
        quality.read_input(str(folder), str(tmp_path / "no.csv"))


def test_what_cannot_be_measured_is_explained(tmp_path, model):
    with pytest.raises(Failed, match=r"lie in no folders.* and have no captions"):
        quality.read_input(str(draw(tmp_path / "flat", {"1.png": "red", "2.png": "green"})), None)
    with pytest.raises(Failed, match="has one picture"):
        quality.read_input(str(draw(tmp_path / "one", {"red/1.png": "red"})), None)
    broken = draw(tmp_path / "broken", {"red/1.png": "red"})
    (broken / "red/2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Failed, match=r"of 2 pictures in .* only 1 can be read"):
        quality.embed_all(quality.read_input(str(broken), None), [None])
    draw(broken, {"3.png": "red", "4.png": "green", "___/5.png": "red"})
    (broken / "red/1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(Failed, match=r"none of the pictures in .* that have a folder or a caption can be read"):
        quality.embed_all(quality.read_input(str(broken), None), [None])
    with pytest.raises(Failed, match="is not a folder"):
        quality.read_input(str(tmp_path / "none"), None)


def test_only_what_is_new_or_changed_is_embedded_again(folder, model):
    found = quality.read_input(str(folder), None)
    (_, rows), (_, again) = (quality.embed_all(found, [None])[1][0] for _ in range(2))
    assert model.seen == 5
    assert np.array_equal(rows.vectors, again.vectors)
    Image.new("RGB", (99, 99), COLORS["deep blue"]).save(folder / "red/1.png")
    (folder / "top.png").unlink()
    given, [(_, changed)] = quality.embed_all(quality.read_input(str(folder), None), [None])
    assert model.seen == 6
    assert given.keys == ["Deep_Blue/1.png", "green/1.png", "red/1.png", "red/2.png"]
    assert changed.vectors[2].argmax() == 2


HOSTILE = '<script>alert("x")</script>'.replace("/", "")


def test_the_page_holds_all_that_it_shows_and_escapes_names(tmp_path, model, monkeypatch, capsys):
    colors = {"red": "red", "green": "green", HOSTILE: "orange", "deep blue": "green"}
    images = draw(
        tmp_path / "<b>mine", {f"{name}/{number}.png": color for name, color in colors.items() for number in range(4)}
    )
    for name in ("red", "green", HOSTILE):
        (images / name / "0.txt").write_text("<img src=//evil.example/x.png>")
    (images / "red/broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    report = tmp_path / "report/deep"
    out, err = run(monkeypatch, capsys, "--images", images, "--report", report, "--compare", "rerank=false")
    page = written_page(out)
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)" in page
    assert "<b>mine" not in page
    assert "&lt;img src=//evil.example" in page
    assert "<script" not in page
    # One file: nothing is fetched, from the network or from beside it.
    assert not re.findall(r'(?:src|href|srcset|action)="(?!data:image/webp;base64,)', page)
    assert not re.findall(r"url\(|@import|http-equiv", page)
    assert "data:image/webp;base64," in page
    for heading in ("How often the first results are right", "Where it goes wrong", "Are its probabilities right?"):
        assert f"<h2>{heading}</h2>" in page
    assert "For folder names (overall, by mAP), rerank=false makes no difference." in page
    assert "1 of 17 pictures cannot be read" in err
    written = json.loads((report / "quality-<b>mine.json").read_text())
    assert written["settings"]["unreadable"] == 1
    assert written["figures"]["compare_name_map"] == written["figures"]["name_map"]
    assert {one["measure"] for one in written["differences"]} >= {"precision_at_30", "recall_at_10", "map"}
    assert written["intervals"]["name_map"]["count"] == 4
    assert written["figures"]["name_engine_recall_at_50"] == 1
    assert {"name_auroc", "picture_auroc", "name_calibration_error"} <= set(written["figures"])
    with Image.open(tmp_path / "results/quality-<b>mine.png") as drawn:
        assert drawn.size[0] > 100


def test_a_collection_too_small_to_leave_anything_out_has_a_page(tmp_path, model, monkeypatch, capsys):
    images = draw(tmp_path / "few", {"red/1.png": "red", "red/2.png": "red"})
    # Figures that are high enough end it as usual.
    page = written_page(run(monkeypatch, capsys, "--images", images, "--at-least", "precision=1,map=1")[0])
    assert "Not measured: that takes a folder of at least three pictures" in page
    assert "Only 1 folder names could be asked for" in page


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


def process(tmp_path: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command with what it keeps in a folder of the test's."""
    command = (
        "import sys; from pathlib import Path; from benchmarks import quality;"
        "from benchmarks.harness import embeddings;"
        "quality.results.RESULTS, embeddings.KEPT = Path(sys.argv.pop(1)), Path(sys.argv.pop(1)); quality.main()"
    )
    started = [sys.executable, "-c", command, tmp_path / "results", tmp_path / "kept", *arguments]
    return subprocess.run([*map(str, started)], cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_exit_status_says_whether_figures_are_high_enough(tmp_path):
    colors = {"tomato": "red", "leaf": "green", "sky": "deep blue"}
    images = draw(tmp_path / "drawn", {f"{name}/{n}.png": color for name, color in colors.items() for n in range(3)})
    missing = process(tmp_path, "--images", images, "--at-least", "caption_map=0.5")
    assert missing.returncode == 1
    assert (tmp_path / "results/quality-drawn.html").is_file()
    assert missing.stderr.splitlines()[-1] == "caption_map: not measured here, at least 0.500 is wanted"
    wrong = process(tmp_path, "--images", tmp_path / "nowhere")
    assert wrong.returncode == 1
    assert wrong.stderr.splitlines()[-1] == f"IMAGES={tmp_path / 'nowhere'} is not a folder"
    assert "Traceback" not in missing.stderr + wrong.stderr
