"""How well the clusters of results are named: `make naming IMAGES=FOLDER`, whose folders are labels.

Searched for are forty things that people ask for, and each folder's name, by the gateway's own code: likely results
alone are in clusters. A name fits a picture if it is its folder's; a word that is not, if the texts' cosine is at least
what tells second names of ImageNet's classes from those of others best; of a name of two, if one of them does. It
should fit most of a cluster's pictures. All of it once more with the folders left aside, as for pictures that nobody
has sorted.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sightline_encoder.models.embedded import conse
from sightline_search_gateway.exports import (
    LIKELY,
    MAX_CLUSTERED,
    TEXT,
    Calibration,
    VocabularyEmbeddings,
    build_result_graph,
    calibrate,
    falling,
    text_features,
)

from benchmarks.harness import pictures, results
from benchmarks.harness.held import Pictures, as_images, first_results, vocabulary_of
from benchmarks.harness.pictures import Vectors, query_of
from benchmarks.harness.ranking import Rows

QUERIES = (
    "an animal",
    "a musical instrument",
    "a vehicle",
    "a fruit",
    "a bird",
    "something round",
    "a watch",
    "a chair",
    "furniture",
    "a flower",
    "an insect",
    "a sea creature",
    "a big cat",
    "a dinosaur",
    "a weapon",
    "a sign",
    "a plane",
    "a boat",
    "something to eat",
    "a tool",
    "a building",
    "a tree",
    "a lamp",
    "a cup",
    "a person",
    "an elephant",
    "a panda",
    "a crab",
    "a butterfly",
    "a piano",
    "money",
    "sports",
    "a toy",
    "clothes",
    "something red",
    "something old",
    "a container",
    "transport",
    "nature",
    "a machine",
)
"""Written down before any of them was tried."""
Encode = Callable[[Sequence[str]], Vectors]


class Named(NamedTuple):
    """A cluster of what was searched for: its name, None without one, and the labels of its pictures."""

    query: str
    name: str | None
    labels: list[str]


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


def named_clusters(
    held: Pictures, encode: Encode, words: VocabularyEmbeddings, asked: Sequence[str], *, sorted_in_folders: bool = True
) -> list[Named]:
    """Return the clusters of the likely results of each text, named as the gateway names them."""
    labels = np.array([image.label or "" for image in held.images])
    shown = held.images if sorted_in_folders else as_images([image.key for image in held.images], [None] * len(labels))
    calibration = calibrate(held, words)  # type: ignore[arg-type]
    assert calibration is not None
    found = []
    for text, vector in zip(asked, encode(asked), strict=True):
        places, likely = _likely(held.rows, vector, words, calibration)
        places = places[:MAX_CLUSTERED]
        vectors, visual = held.rows.vectors[places], held.rows.visual[places]
        graph = build_result_graph(
            [shown[place] for place in places],
            vectors @ vector,
            vectors,
            visual,
            likely=likely,
            words=words,
            query=text,
            common=calibration.common_labels,
        )
        of = np.array([-1 if number is None else number for number in graph.cluster_of])
        found += [Named(text, cluster.name, labels[places[of == cluster.id]].tolist()) for cluster in graph.clusters]
    return found


def _likely(
    rows: Rows, vector: Vectors, words: VocabularyEmbeddings, calibration: Calibration
) -> tuple[NDArray[np.intp], int]:
    """Return the places of a text's first results, in their order, and how many of them are likely."""
    first, places = first_results(rows, vector, np.arange(len(rows.vectors)), by_text=True)
    features = text_features(vector, first, words, calibration, rows.visual[places])
    return places, int((falling(TEXT.probabilities(features)) >= LIKELY).sum())


def share_that_fits(cluster: Named, encode: Encode, threshold: float) -> float:
    """Return of how many of a named cluster's pictures the name says what they are."""
    assert cluster.name is not None
    names = cluster.name.split(" and ")
    if cluster.name in map(query_of, cluster.labels):
        names = [cluster.name]
    said = encode(names)
    fits = 0
    for label, count in Counter(cluster.labels).items():
        folder = query_of(label)
        fits += count * bool(label and (folder in names or (said @ encode([folder])[0]).max() >= threshold))
    return fits / len(cluster.labels)


def main() -> None:
    """Measure, print and write."""
    found = pictures.find(results.options("naming", __doc__, "a folder whose folders are labels").images)
    model = pictures.load(None)
    encode: Encode = partial(pictures.encode_texts, model)
    keys, rows = pictures.embed_with(model, found, visual=True)
    held = Pictures(as_images(keys, [found.label(key) for key in keys]), Rows.of(model, rows))
    words = vocabulary_of(model)
    labels = sorted({query_of(image.label) for image in held.images if image.label})
    if not labels:
        sys.exit(f"{found.folder} has no folders, so there are no labels to compare names with")
    threshold, accuracy = choose_threshold(encode, set(labels))
    settings = {"images": str(found.folder), "threshold": threshold, "threshold_accuracy": accuracy}
    figures: dict[str, float] = {}
    table = []
    for kind, asked in (("queries", QUERIES), ("folders' names", labels)):
        for sorted_in_folders in (True, False):
            clusters = named_clusters(held, encode, words, asked, sorted_in_folders=sorted_in_folders)
            named = [cluster for cluster in clusters if cluster.name is not None]
            misfits = [cluster for cluster in named if share_that_fits(cluster, encode, threshold) <= 1 / 2]
            table.append([kind, "yes" if sorted_in_folders else "no", len(clusters), len(named), len(misfits)])
            key = f"{kind.split()[0].strip(chr(39))}_{'sorted' if sorted_in_folders else 'unsorted'}"
            figures |= {f"{key}_clusters": len(clusters), f"{key}_named": len(named), f"{key}_misfits": len(misfits)}
            for cluster in misfits:
                commonest = ", ".join(f"{label} {count}" for label, count in Counter(cluster.labels).most_common(3))
                results.say(f"{cluster.query}: “{cluster.name}” for {commonest}")
    results.show(["searched for", "in folders", "clusters", "with a name", "that does not fit most"], table)
    results.write(f"naming-{found.name}", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
