"""Figures 1 to 3: the five pictures that are most like a text, and what the gateway says of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image as Pillow
from PIL import ImageOps
from sightline_catalogue import Image
from sightline_search_gateway.search import Relevance, Words, judge, learn, read_vocabulary

from benchmarks import naming, report
from benchmarks.experiments.subject import Subject

QUERIES = ("cat", "cat on car", "cat on chair")
"""The report's."""
TOP = 5
JUDGED = 50
"""So many results the gateway gives a page, and judges."""
LONGEST_KEY = 22
SQUARE = 384


@dataclass(frozen=True)
class Result:
    """One picture of an answer."""

    key: str
    similarity: float
    thumbnail: bytes


@dataclass(frozen=True)
class Answer:
    """A text and what is nearest to it, the nearest first."""

    text: str
    results: list[Result]
    relevance: Relevance

    @property
    def verdict(self) -> str:
        """What the page would say above the results."""
        if self.relevance.found:
            return f"Found, as the gateway judges it: {_counted(self.relevance.relevant)} enough like it."
        return f"{self.relevance.message} These are only the nearest that there are."


def search(subject: Subject, texts: Sequence[str] = QUERIES) -> list[Answer]:
    """Search a collection, and judge the answers as the gateway does."""
    held = naming.Pictures(
        [Image(id=key, bucket="main", key=key, state="indexed") for key in subject.keys],
        subject.vectors,
        np.zeros(len(subject.keys), np.intp),
    )
    encode = naming.Texts(subject.model)
    vocabulary = read_vocabulary()
    words = Words(vocabulary.texts, encode(vocabulary.texts))
    scale = learn(held, words)  # type: ignore[arg-type]
    found = []
    for text, vector in zip(texts, encode(texts), strict=True):
        nearest = held.nearest(vector, JUDGED)
        relevance = judge(text, nearest.similarities, nearest.vectors, words, scale) if scale else Relevance()
        results = [
            Result(image.key, float(similarity), subject.thumbnail(image.key))
            for image, similarity in zip(nearest.images[:TOP], nearest.similarities[:TOP].tolist(), strict=True)
        ]
        found.append(Answer(text, results, relevance))
    return found


def draw(answer: Answer, path: Path) -> None:
    """Write an answer as a picture: its results from left to right, each with its similarity."""
    figure = Figure(figsize=(8, 2.15), layout="constrained", facecolor="white")
    for place, axes in enumerate(figure.subplots(1, TOP)):
        axes.set_axis_off()
        if place >= len(answer.results):
            continue
        result = answer.results[place]
        with Pillow.open(io.BytesIO(result.thumbnail)) as shown:
            axes.imshow(np.asarray(ImageOps.pad(shown.convert("RGB"), (SQUARE, SQUARE), color="white")))
        title = f"{place + 1}  {result.similarity:.3f}\n{_shortened(result.key)}"
        axes.set_title(title, fontsize=8, color=report.INK, parse_math=False)
    figure.savefig(path, dpi=150)


def _shortened(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else f"…{key[1 - LONGEST_KEY :]}"


def _counted(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count} of the first {JUDGED} pictures are"
