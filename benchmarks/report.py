"""The report's six figures over a folder whose folders are classes: `make report IMAGES=FOLDER`.

Writes `results/report-NAME/`, with a page, `index.html`, that can be opened from disk, and a PNG of each figure; and
`results/report-NAME.json`.
"""

from __future__ import annotations

# First: it sets what OpenMP reads when it is loaded.
from benchmarks.map import mapped, scatter  # isort: skip

import base64
import io
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageOps
from sightline_encoder import models
from sightline_pictures import thumbnail
from sightline_qdrant_edge.settings import EdgeSettings
from sightline_search_gateway.search.relevance import Relevance, assess, calibrate

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection, Vectors, query_of
from benchmarks.harness.results import COLORS, INK, say
from benchmarks.harness.timing import percentile, timed
from benchmarks.harness.vectors import Growth, built, exact
from benchmarks.naming import Pictures, as_images, vocabulary_of
from benchmarks.quality import ranked

SEED = 7
TEXTS = ("cat", "cat on car", "cat on chair")
"""The report's."""
TOP, JUDGED, LONGEST_KEY, SQUARE = 5, 50, 22, 384
DEPTH = 100
FEW = 5
"""Classes that are drawn, and of the worst so many more."""
ENOUGH = (100, 50, 30, 20, 10, 1)
"""Pictures that a class should have to be drawn; the first of these that enough classes reach."""
SIZES = "1000,3000,10000,30000,100000,300000,1000000"
INDEXED_TO, NEAREST, QUERIES, WARM_UP = 100_000, 50, 100, 5
REPORTED_MS = 4.0
"""What the report says that a million pictures take at most on its GPU."""
GROWING, LARGEST_PART = 1.2, 0.8
"""Growing vectors takes so many times their own memory for a while; of what is free so much may be used."""
SAME = 1e-5
METHODS = {"exact_cpu": "exact, CPU", "hnsw": "HNSW, CPU", "exact_gpu": "exact, GPU"}


@dataclass(frozen=True)
class Subject:
    """A collection as a model sees it: n pictures that decode, the folders that they lie in, their (n, d) vectors."""

    pictures: Collection
    model: models.Model
    keys: list[str]
    labels: NDArray[np.str_]
    vectors: Vectors

    @property
    def sizes(self) -> dict[str, int]:
        """How many pictures each class has, by name in alphabetical order."""
        return dict(sorted(Counter(label for label in self.labels.tolist() if label).items()))


@dataclass(frozen=True)
class Answer:
    """A text and what is nearest to it, the nearest first: key, similarity, thumbnail."""

    text: str
    results: list[tuple[str, float, bytes]]
    relevance: Relevance

    @property
    def verdict(self) -> str:
        """What the page would say above the results."""
        if not self.relevance.found:
            return f"{self.relevance.message} These are only the nearest that there are."
        return f"Found, as the gateway judges it: {self.relevance.relevant} of the first {JUDGED} are enough like it."


def answer(subject: Subject, folder: Path) -> list[Answer]:
    """Search a collection for the report's texts, judge the answers as the gateway does, and draw Figures 1 to 3."""
    held = Pictures(as_images(subject.keys, subject.labels.tolist()), subject.vectors)
    words = vocabulary_of(subject.model)
    scale = calibrate(held, words)  # type: ignore[arg-type]
    found = []
    for number, (text, vector) in enumerate(zip(TEXTS, subject.model.encode_texts(list(TEXTS)), strict=True), start=1):
        nearest = held.nearest(vector, JUDGED)
        relevance = assess(text, nearest.similarities, nearest.vectors, words, scale) if scale else Relevance()
        shown = [
            (image.key, float(similarity), thumbnail(pictures.opened(subject.pictures.read(image.key), SQUARE)))
            for image, similarity in zip(nearest.images[:TOP], nearest.similarities.tolist(), strict=False)
        ]
        found.append(Answer(text, shown, relevance))
        figure = Figure(figsize=(8, 2.15), layout="constrained", facecolor="white")
        for place, axes in enumerate(figure.subplots(1, TOP)):
            axes.set_axis_off()
            if place < len(shown):
                key, similarity, data = shown[place]
                with Image.open(io.BytesIO(data)) as small:
                    axes.imshow(np.asarray(ImageOps.pad(small.convert("RGB"), (SQUARE, SQUARE), color="white")))
                name = key if len(key) <= LONGEST_KEY else f"…{key[1 - LONGEST_KEY :]}"
                axes.set_title(f"{place + 1}  {similarity:.3f}\n{name}", fontsize=8, color=INK, parse_math=False)
        figure.savefig(folder / f"figure-{number}.png", dpi=150)
    return found


@dataclass(frozen=True)
class Score:
    """How well a class's name finds it: the share among the first min(100, size), and what stands in its place."""

    name: str
    size: int
    depth: int
    precision: float
    instead: list[tuple[str, int]] = field(default_factory=list)


def scores(labels: NDArray[np.str_], names: Sequence[str], rankings: Iterable[NDArray[np.intp]]) -> list[Score]:
    """Return a score for each class from (n,) labels, empty for none, and the ranking that each class's name gives."""
    found = []
    for name, ranking in zip(names, rankings, strict=True):
        size = int((labels == name).sum())
        first = labels[ranking[: min(DEPTH, size)]]
        others = Counter(label for label in first.tolist() if label and label != name)
        found.append(Score(name, size, len(first), float((first == name).mean()), others.most_common(2)))
    return found


def chosen(sizes: Mapping[str, int], seed: int = SEED) -> tuple[list[str], int]:
    """Return up to five random classes, by name, and how many pictures each class had to have to be drawn."""
    if not sizes:
        return [], 0
    for enough in ENOUGH:
        names = sorted(name for name, size in sizes.items() if size >= enough)
        if len(names) >= FEW:
            break
    drawn = np.random.default_rng(seed).permutation(len(names))[:FEW]
    return [names[place] for place in sorted(drawn.tolist())], enough


def worst(found: Sequence[Score]) -> list[Score]:
    """Return the five classes of the lowest precision, the lowest first."""
    return sorted(found, key=lambda score: (score.precision, score.name))[:FEW]


def mean(found: Iterable[Score]) -> float:
    """Return the mean over classes, large and small alike."""
    return float(np.mean([score.precision for score in found]))


@dataclass(frozen=True)
class Timing:
    """Searches among a number of vectors by one method."""

    method: str
    size: int
    milliseconds: NDArray[np.float64]
    recall: float = 1.0
    build_seconds: float = 0.0

    def percentile(self, percent: float) -> float:
        """Return a percentile, in milliseconds."""
        return percentile(self.milliseconds, percent)

    def figures(self) -> dict[str, float]:
        """Return the figures by name."""
        start = f"{self.method}_"
        found = {f"{start}p{percent}_ms_{self.size}": self.percentile(percent) for percent in (50, 95)}
        if self.method == "hnsw":
            found[f"hnsw_recall_at_{NEAREST}_{self.size}"] = self.recall
            found[f"hnsw_build_seconds_{self.size}"] = self.build_seconds
        return found


def sizes_that_fit(sizes: Sequence[int], dimensions: int, free_bytes: int) -> list[int]:
    """Return the sizes whose vectors can be grown in the memory that is free."""
    most = LARGEST_PART * free_bytes / (GROWING * dimensions * np.dtype(np.float32).itemsize)
    return [size for size in sizes if size <= most]


def recall(vectors: Vectors, question: Vectors, found: NDArray[np.intp], wanted: NDArray[np.intp]) -> float:
    """Return the share of an answer that is as near as an exact one's last: of equal vectors any will do."""
    least = float(vectors[wanted[-1]] @ question) - SAME
    return float((vectors[found] @ question >= least).sum() / len(wanted))


def on_device(vectors: Vectors, device: str) -> Callable[[Vectors], NDArray[np.intp]]:
    """Return an exact search by torch, as the report did it: one product, and the largest of it, there and back."""
    import torch

    held = torch.from_numpy(vectors).to(device)

    def search(question: Vectors) -> NDArray[np.intp]:
        similarities = held @ torch.from_numpy(question).to(device)
        return np.asarray(torch.topk(similarities, min(NEAREST, len(held))).indices.cpu().numpy(), dtype=np.intp)

    return search


def warmed(search: Callable[[Vectors], Any], asked: Vectors) -> tuple[NDArray[np.float64], list[Any]]:
    """Return the milliseconds of searches, and their answers."""
    timed(search, asked[:WARM_UP])
    return timed(search, asked)


def measure(vectors: Vectors, asked: Vectors, sizes: Iterable[int], indexed_to: int, gpu: bool) -> list[Timing]:
    """Search by each method among the first so many of (n, d) vectors, for each size; no larger index is built."""
    found = []
    for size in sizes:
        part = vectors[:size]
        say(f"Figure 5: searching {size:,} vectors")
        milliseconds, wanted = warmed(partial(exact, part, count=NEAREST), asked)
        found.append(Timing("exact_cpu", size, milliseconds))
        if gpu:
            found.append(Timing("exact_gpu", size, warmed(on_device(part, "cuda"), asked)[0]))
        if size > indexed_to:
            continue
        with built(part) as shard:
            milliseconds, got = warmed(partial(shard.search, count=NEAREST), asked)
        recalls = [recall(part, *one) for one in zip(asked, got, wanted, strict=True)]
        found.append(Timing("hnsw", size, milliseconds, float(np.mean(recalls)), shard.build_seconds))
    return found


def times(subject: Subject, sizes: Sequence[int], indexed_to: int) -> tuple[list[Timing], list[str]]:
    """Measure Figure 5 at the sizes that fit into memory; return with it what has to be said of it."""
    dimensions = subject.vectors.shape[1]
    kept = sizes_that_fit(sizes, dimensions, psutil.virtual_memory().available)
    notes = []
    if left_out := ", ".join(f"{size:,}" for size in sizes if size not in kept):
        notes.append(f"Left out for want of memory: {left_out} vectors.")
    import torch

    gpu, found = torch.cuda.is_available(), []
    if kept:
        vectors = Growth(subject.vectors).all(max(kept))
        vectors[: len(subject.vectors)] = subject.vectors[: len(vectors)]
        asked = pictures.encode_texts(subject.model, pictures.texts("a photo of a {}", count=QUERIES))
        found = measure(vectors, asked, kept, indexed_to, gpu)
    if any(size > indexed_to for size in kept):
        notes.append(f"Above {indexed_to:,} vectors no index was built (HNSW=NUMBER builds larger ones).")
    if not gpu:
        notes.append("Nothing was measured on a GPU: PyTorch finds no CUDA device on this machine.")
    return found, notes


def draw_scores(target: str, found: Sequence[Score], names: Sequence[str]) -> None:
    """Draw Figure 4: a bar for each class that was drawn, then for each of the worst."""
    drawn = [score for score in found if score.name in names]
    others = [score for score in worst(found) if score not in drawn] if len(found) > len(drawn) else []
    with results.picture(target, height=1.2 + 0.3 * len(drawn + others), grid="x") as axes:
        for label, color, group in (("drawn at random", COLORS[2], drawn), ("the worst of all", COLORS[3], others)):
            if group:
                labels = [query_of(score.name).replace("$", r"\$") for score in group]
                bars = axes.barh(labels, [score.precision for score in group], 0.7, color=color, label=label)
                axes.bar_label(bars, [f"{score.precision:.0%}" for score in group], padding=4, fontsize=8)
        average = mean(found)
        label = f"mean of all {len(found)}: {average:.0%}"
        axes.axvline(average, color=INK, linewidth=1, linestyle=":", label=label)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.08)


def draw_times(target: str, found: Sequence[Timing]) -> None:
    """Draw Figure 5: a line for each method, and how far the slowest twentieth of its searches is above it."""
    with results.picture(target, x="vectors", y="milliseconds a search") as axes:
        for (method, label), color in zip(METHODS.items(), COLORS, strict=False):
            if mine := [timing for timing in found if timing.method == method]:
                sizes = [timing.size for timing in mine]
                medians, slow = ([timing.percentile(percent) for timing in mine] for percent in (50, 95))
                axes.loglog(sizes, medians, color=color, linewidth=2, marker="o", markersize=5, label=label)
                axes.fill_between(sizes, medians, slow, color=color, alpha=0.18, linewidth=0)
        label = f"{REPORTED_MS:.0f} ms: the report's, on a GPU"
        axes.axhline(REPORTED_MS, color=INK, linewidth=1, linestyle=":", label=label)


def embedded_image(source: Path | bytes) -> str:
    """Return a picture, or a file of one, as an address that holds it: PNG or WebP."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/webp"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def render(content: dict[str, Any]) -> str:
    """Return the page; what is said of folders and pictures is escaped, and a name that is missing raises."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["image"] = embedded_image
    environment.globals |= {name: value for name, value in globals().items() if name.isupper()}
    return environment.get_template("report.html").render(content)


def main() -> None:
    """Embed, measure, draw and write."""
    more = {"model": (str, None), "sizes": (results.sizes, SIZES), "hnsw": (int, INDEXED_TO)}
    options = results.options("report", __doc__, "a folder whose folders are classes", **more)
    began = time.monotonic()
    found = pictures.find(options.images)
    target = f"report-{found.name}"
    folder = results.RESULTS / target
    folder.mkdir(parents=True, exist_ok=True)
    model = pictures.load(options.model)
    keys, vectors = pictures.embed_with(model, found)
    subject = Subject(found, model, keys, np.array([found.label(key) or "" for key in keys]), vectors)
    say("Figures 1 to 3: searching")
    answers = answer(subject, folder)
    say(f"Figure 4: searching for {len(subject.sizes):,} classes")
    rankings = ranked(model, [query_of(name) for name in subject.sizes], vectors, DEPTH)
    scored = scores(subject.labels, list(subject.sizes), rankings)
    names, enough = chosen(subject.sizes)
    timings, notes = times(subject, options.sizes, options.hnsw)
    say("Figure 6: laying out " + (", ".join(names) or "nothing: there are no classes"))
    inside = np.isin(subject.labels, names)
    laid = mapped(vectors[inside], subject.labels[inside].tolist())
    if scored:
        draw_scores(f"{target}/figure-4", scored, names)
    draw_times(f"{target}/figure-5", timings)
    if laid:
        with results.picture(f"{target}/figure-6", height=5.6, grid=None) as axes:
            scatter(axes, laid)
    figures = {name: value for timing in timings for name, value in timing.figures().items()}
    if scored:
        figures |= {
            f"mean_precision_at_{DEPTH}": mean(scored),
            f"drawn_precision_at_{DEPTH}": mean(score for score in scored if score.name in names),
            "classes": len(scored),
            f"classes_of_fewer_than_{DEPTH}": sum(score.size < DEPTH for score in scored),
        }
    if laid:
        figures |= {f"map_{name}": value for name, value in laid.figures().items()}
    content: dict[str, Any] = {
        "name": found.name,
        "pictures": len(keys),
        "model": {"id": model.id},
        "dimensions": vectors.shape[1],
        "machine": results.machine(),
        "made_at": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        "answers": answers,
        "charts": {number: path for number in (4, 5, 6) if (path := folder / f"figure-{number}.png").is_file()},
        "scores": scored,
        "drawn": [score for score in scored if score.name in names],
        "worst": worst(scored),
        "figures": figures,
        "enough": enough,
        "timings": {size: {t.method: t for t in timings if t.size == size} for size in options.sizes},
        "methods": {name: shown for name, shown in METHODS.items() if any(t.method == name for t in timings)},
        "index_above": EdgeSettings.model_fields["index_threshold"].default,
        "notes": notes,
        "mapped": laid,
        "seconds": time.monotonic() - began,
    }
    (folder / "index.html").write_text(render(content), encoding="utf-8")
    described = {"images": str(found.folder), "pictures": len(keys), "model": model.id, "drawn": names}
    results.write(target, settings=described, figures=figures, classes={one.name: one.precision for one in scored})
    print(f"page: {folder / 'index.html'}")


if __name__ == "__main__":
    main()
