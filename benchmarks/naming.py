"""How well clusters are named: `make naming IMAGES=FOLDER`, whose folders are labels.

Searched for are each folder's name and 60 random words, by the embedded model and the gateway's own code. A cluster's
name, and that of the ImageNet class that most of its pictures have, is compared with the folder of at least half of
them: it fits if the texts' cosine is at least what tells second names of ImageNet's classes from those of others best.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from statistics import mode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Nearest
from sightline_encoder.models import embedded
from sightline_encoder.models.embedded import conse
from sightline_search_gateway.exports import (
    MAX_CLUSTERED,
    VocabularyEmbeddings,
    build_result_graph,
)

from benchmarks.harness import pictures, results
from benchmarks.harness.held import Pictures, as_images, vocabulary_of
from benchmarks.harness.pictures import Collection, Vectors, query_of
from benchmarks.harness.ranking import Rows

RANDOM_QUERIES = 60
Encode = Callable[[Sequence[str]], Vectors]


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
    fits = (cosines >= threshold).mean(axis=0)
    results.show(["searched for", "folder", "name", "commonest class"], rows[:: max(1, len(rows) // 20)])
    settings = {"images": str(found.folder), "threshold": threshold, "threshold_accuracy": accuracy}
    figures = {"clusters": len(rows), "fits": fits[0], "fits_commonest_class": fits[1]}
    results.write(f"naming-{found.name}", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
