"""How well clusters are named, and queries judged: `make naming IMAGES=FOLDER`, whose folders are labels.

Searched for are each folder's name and 60 random words, by the embedded model and the gateway's own code. A cluster's
name, and that of the ImageNet class that most of its pictures have, is compared with the folder of at least half of
them: it fits if the texts' cosine is at least what tells second names of ImageNet's classes from those of others best.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import INDEXED, Image, Nearest, SearchParams
from sightline_encoder import models
from sightline_encoder.models import embedded
from sightline_encoder.models.embedded import conse
from sightline_search_gateway.exports import (
    MAX_CLUSTERED,
    PROBES,
    SEED,
    Calibration,
    VocabularyEmbeddings,
    assess,
    build_result_graph,
    calibrate,
    read_vocabulary,
)

from benchmarks.harness import pictures, results
from benchmarks.harness.pictures import Collection, Vectors, query_of
from benchmarks.harness.ranking import Rows

RANDOM_QUERIES = 60
LEAST_FOUND = 3
"""The model is said to find a folder if so many of its first ten results are of it."""
NOT_NEAR = 0.45
"""What is nearer to a folder's name than that may well be held."""
Encode = Callable[[Sequence[str]], Vectors]


@dataclass
class Pictures:
    """A collection in memory, as the gateway reads one: n pictures and their vectors."""

    images: list[Image]
    rows: Rows
    name: str = "pictures"

    def found(self, vector: Vectors, limit: int = MAX_CLUSTERED) -> Nearest:
        """Return what a text of this vector finds, with vectors."""
        return self._at(self.rows.found(vector)[:limit], vector)

    def nearest_batch(self, vectors: Iterable[Vectors], params: SearchParams) -> list[Nearest]:
        """Return the nearest pictures of each vector."""
        return [self._at(self.rows.nearest(vector)[: params.limit], vector) for vector in vectors]

    def _at(self, order: NDArray[np.intp], vector: Vectors) -> Nearest:
        vectors = self.rows.vectors[order]
        return Nearest([self.images[place] for place in order], vectors @ vector, vectors, self.rows.visual[order])


def as_images(keys: Sequence[str], labels: Sequence[str | None]) -> list[Image]:
    """Return pictures as the catalogue would have them."""
    return [
        Image(id=key, bucket="main", key=key, state=INDEXED, label=label)
        for key, label in zip(keys, labels, strict=True)
    ]


def vocabulary_of(model: models.Model) -> VocabularyEmbeddings:
    """Return the gateway's vocabulary under a model."""
    texts = read_vocabulary().texts
    return VocabularyEmbeddings(texts, pictures.encode_texts(model, texts))


def embed_pictures(found: Collection) -> tuple[Pictures, NDArray[np.intp]]:
    """Return what the embedded model's image tower makes of the pictures; torch, for the (n,) classes beside."""
    import torch

    source = embedded.describe(pictures.MODELS)
    tower: Any = source.image.build()
    classes: list[NDArray[np.intp]] = []
    tower.classifier.classifier.register_forward_hook(
        lambda _, __, logits: classes.append(logits.argmax(dim=1).numpy())
    )

    def encode(pixels: list[pictures.Pixels]) -> Vectors:
        with torch.inference_mode():
            return np.asarray(tower(torch.from_numpy(np.stack(pixels))).numpy())

    keys, rows = pictures.embed(encode, found, source.preprocessing, batch=16, threads=2)
    vectors, visual, _ = np.split(rows, np.cumsum(source.image.widths)[:-1], axis=1)
    images = as_images(keys, [found.label(key) for key in keys])
    return Pictures(images, Rows(vectors, visual, source.reranking)), np.concatenate(classes)


def choose_threshold(encode: Encode, left_out: set[str]) -> tuple[float, float]:
    """Return the cosine that tells names of one class from those of others best, and how well: balanced accuracy."""
    pairs = [names.split(", ")[:2] for _, names, _ in conse.class_texts() if names.count(", ")]
    pairs = [pair for pair in pairs if not left_out & {name.lower() for name in pair}]
    first, second = encode([pair[0] for pair in pairs]), encode([pair[1] for pair in pairs])
    same = np.sum(first * second, axis=1)
    other = np.sum(first * np.roll(second, len(pairs) // 3, axis=0), axis=1)
    accuracy = [(np.mean(same >= cut) + np.mean(other < cut)) / 2 for cut in same]
    best = int(np.argmax(accuracy))
    return float(same[best]), float(accuracy[best])


def result_graph(nearest: Nearest, text: str, words: VocabularyEmbeddings) -> Any:
    """Return clusters, names and graph of what a text found, as the gateway makes them."""
    assert nearest.vectors is not None
    assert nearest.visual is not None
    return build_result_graph(nearest.images, nearest.similarities, nearest.vectors, nearest.visual, words, text)


def name_clusters(
    held: Pictures, classes: NDArray[np.intp], encode: Encode, words: VocabularyEmbeddings, asked: Sequence[str]
) -> tuple[list[list[object]], NDArray[np.float64]]:
    """Search for texts; return for each cluster the text, its folder, its name and that of its commonest class.

    Beside them, (n, 2), the cosines of both names with the folder's.
    """
    class_names = [first for first, _, _ in conse.class_texts()]
    rows: list[list[object]] = []
    cosines = []
    for text, vector in zip(asked, encode(asked), strict=True):
        order = held.rows.found(vector)[:MAX_CLUSTERED]
        nearest = held.found(vector)
        graph = result_graph(nearest, text, words)
        clusters = np.array(graph.cluster_of)
        for cluster in graph.clusters:
            places = order[clusters == cluster.id]
            label, count = Counter(held.images[place].label for place in places).most_common(1)[0]
            if label is None or 2 * count < len(places):
                continue
            names = [query_of(label), str(cluster.name), class_names[mode(classes[places].tolist())]]
            folder, ours, theirs = encode(names)
            cosines.append((folder @ ours, folder @ theirs))
            rows.append([text, *names])
    return rows, np.array(cosines)


def assess_queries(
    held: Pictures, encode: Encode, words: VocabularyEmbeddings, scale: Calibration, labels: Sequence[str], known: str
) -> dict[str, float]:
    """Return how often what is held, `labels`, is said to be found, and what is not, nor is in `known`, is not."""

    def is_found(vector: Vectors) -> bool:
        nearest = held.found(vector)
        return assess("it", nearest.similarities, nearest.vectors, words, scale).found

    asked = encode(labels)
    found = np.array([is_found(vector) for vector in asked])
    of = np.array([query_of(image.label or "") for image in held.images])
    first_ten = [of[held.rows.found(vector)[:10]] for vector in asked]
    able = np.array([np.sum(ten == label) >= LEAST_FOUND for ten, label in zip(first_ten, labels, strict=True)])
    spoken = set(re.findall("[a-z]+", known.lower()))
    probes = {words.texts[place] for place in np.random.default_rng(SEED).permutation(len(words.texts))[:PROBES]}
    names = [first for first, _, _ in conse.class_texts() if first.lower() not in probes]
    names = [name for name in names if not spoken & set(re.findall("[a-z]+", name.lower()))]
    absent = [vector for vector in encode(names) if float((asked @ vector).max()) < NOT_NEAR]
    return {
        "held": len(labels),
        "held_found": float(found.mean()),
        "held_able": int(able.sum()),
        "held_able_found": float(found[able].mean()) if able.any() else float("nan"),
        "absent": len(absent),
        "absent_not_found": float(np.mean([not is_found(vector) for vector in absent])),
    }


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("naming", __doc__, "a folder whose folders are labels").images)
    encode = partial(pictures.encode_texts, model := pictures.load("embedded"))
    held, classes = embed_pictures(found)
    words = vocabulary_of(model)
    labels = sorted({query_of(image.label) for image in held.images if image.label})
    if not labels:
        sys.exit(f"{found.folder} has no folders, so there are no labels to compare names with")
    threshold, accuracy = choose_threshold(encode, set(labels))
    random = np.random.default_rng(1).permutation(len(words.texts))[:RANDOM_QUERIES]
    rows, cosines = name_clusters(held, classes, encode, words, [*labels, *(words.texts[place] for place in random)])
    scale = calibrate(held, words)  # type: ignore[arg-type]
    assert scale is not None
    known = " ".join([*found.keys, *found.captions.values()]).replace("_", " ")
    assessed = assess_queries(held, encode, words, scale, labels, known)
    fits = (cosines >= threshold).mean(axis=0)
    results.show(["searched for", "folder", "name", "commonest class"], rows[:: max(1, len(rows) // 20)])
    settings = {"images": str(found.folder), "threshold": threshold, "threshold_accuracy": accuracy}
    figures = {"clusters": len(rows), "fits": fits[0], "fits_commonest_class": fits[1], **assessed}
    results.write(f"naming-{found.name}", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
