"""How well clusters are named, and queries judged: `make naming IMAGES=FOLDER`, whose folders are labels.

Searched for are each folder's name and 60 random words of the gateway's vocabulary, by the embedded model and the
gateway's own code. Of each cluster in which at least half of the pictures are of one folder, the name is compared with
that folder's: it fits if the texts' cosine is at least what tells names of one thing from names of others best, which
is chosen on pairs that no collection has part in: ImageNet's classes that have two names, the second of the same class
beside that of another. Beside it stands the name of the ImageNet class that the classifier gives most of the cluster's
pictures. Then, how often a query for a folder is said to be found, and one for a thing of ImageNet that the collection
does not hold is not; and how long clusters, names and graph of 200 searches take.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import Image, Nearest, SearchParams
from sightline_encoder import models
from sightline_encoder.errors import ModelError
from sightline_encoder.models import embedded
from sightline_pictures import PictureError, PictureSettings, open_picture, preprocess
from sightline_search_gateway.search import (
    MAX_CLUSTERED,
    PROBES,
    SEED,
    Calibration,
    VocabularyEmbeddings,
    assess,
    build_result_graph,
    learn,
    read_vocabulary,
)

from benchmarks import collection, report
from benchmarks.collection import Collection, chunks
from benchmarks.quality import encoder_settings, query

RANDOM_QUERIES = 60
TIMED_QUERIES = 200
LEAST_FOUND = 3
"""The model is said to find a folder if so many of its first ten results are of it."""
NOT_NEAR = 0.45
"""What is nearer to a folder's name than that may well be held."""
Vectors = NDArray[np.float32]


@dataclass
class Pictures:
    """A collection in memory, as the gateway's relevance reads one.

    Attributes:
        images: n pictures.
        vectors: (n, dimensions) float32, of length one.
        classes: (n,) the ImageNet class that the classifier gives each.
    """

    images: list[Image]
    vectors: Vectors
    classes: NDArray[np.intp]
    name: str = "pictures"

    def nearest(self, vector: Vectors, limit: int = MAX_CLUSTERED) -> Nearest:
        """Return the nearest pictures, with vectors."""
        order = self.rank(vector)[:limit]
        return Nearest([self.images[place] for place in order], (self.vectors @ vector)[order], self.vectors[order])

    def nearest_batch(self, vectors: Iterable[Vectors], params: SearchParams) -> list[Nearest]:
        """Return the nearest pictures of each vector."""
        return [self.nearest(vector, params.limit) for vector in vectors]

    def rank(self, vector: Vectors) -> NDArray[np.intp]:
        """Return the places of all pictures, the nearest first."""
        return np.argsort(-(self.vectors @ vector), kind="stable")


@dataclass
class Names:
    """How names compare with folders' names.

    Attributes:
        cosines: Of each cluster's name with its folder's.
        examples: Query, folder, the gateway's name, the class's name.
    """

    ours: list[float] = field(default_factory=list)
    classes: list[float] = field(default_factory=list)
    examples: list[list[object]] = field(default_factory=list)


class Texts:
    """The text tower, with a memory."""

    def __init__(self, model: models.Model) -> None:
        self._model = model
        self._known: dict[str, Vectors] = {}

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Return (n, dimensions) float32 unit vectors."""
        new = sorted({text for text in texts if text not in self._known}, key=len)
        for batch in chunks(new, 64):
            self._known.update(zip(batch, self._model.encode_texts(batch), strict=True))
        return np.stack([self._known[text] for text in texts])


def look(pictures: Collection) -> Pictures:
    """Return what the embedded model's image tower makes of the pictures; torch, for the classes."""
    import torch

    source = embedded.describe(collection.MODELS)
    tower: Any = source.image.build()
    classes: list[NDArray[np.intp]] = []
    tower.classifier.register_forward_hook(lambda _, __, logits: classes.append(logits.argmax(dim=1).numpy()))
    limits = PictureSettings()
    images: list[Image] = []
    vectors: list[Vectors] = []
    for keys in chunks(pictures.keys, 16):
        pixels = []
        for key in keys:
            try:
                picture = open_picture(
                    (pictures.folder / key).read_bytes(),
                    max_bytes=limits.max_bytes,
                    max_pixels=limits.max_pixels,
                    min_side=source.preprocessing.min_side,
                )
            except PictureError as error:
                print(f"left out: {key}: {error.reason}", file=sys.stderr)
                continue
            pixels.append(preprocess(picture.image, source.preprocessing))
            images.append(Image(id=key, bucket="main", key=key, state="indexed", label=pictures.label(key)))
        if pixels:
            with torch.inference_mode():
                vectors.append(tower(torch.from_numpy(np.stack(pixels))).numpy())
        print(f"\r{len(images):,} of {len(pictures.keys):,} pictures", end="", file=sys.stderr)
    print(file=sys.stderr)
    return Pictures(images, np.concatenate(vectors), np.concatenate(classes))


def choose_threshold(texts: Texts, left_out: set[str]) -> tuple[float, float]:
    """Return the cosine that tells names of one class from those of others best, and how well: balanced accuracy.

    Args:
        texts: The text tower.
        left_out: Classes of these names have no part in it.
    """
    pairs = [names.split(", ")[:2] for _, names, _ in embedded.class_texts() if names.count(", ")]
    pairs = [pair for pair in pairs if not left_out & {name.lower() for name in pair}]
    first, second = texts([pair[0] for pair in pairs]), texts([pair[1] for pair in pairs])
    same = np.sum(first * second, axis=1)
    other = np.sum(first * np.roll(second, len(pairs) // 3, axis=0), axis=1)
    accuracy = [(np.mean(same >= cut) + np.mean(other < cut)) / 2 for cut in same]
    best = int(np.argmax(accuracy))
    return float(same[best]), float(accuracy[best])


def name_clusters(pictures: Pictures, texts: Texts, words: VocabularyEmbeddings, asked: Sequence[str]) -> Names:
    """Search for texts and compare the clusters' names with the folders that they hold."""
    classes = [first for first, _, _ in embedded.class_texts()]
    found = Names()
    for text, vector in zip(asked, texts(asked), strict=True):
        order = pictures.rank(vector)[:MAX_CLUSTERED]
        nearest = pictures.nearest(vector)
        assert nearest.vectors is not None
        arrangement = build_result_graph(nearest.images, nearest.similarities, nearest.vectors, words, text)
        clusters = np.array(arrangement.cluster_of)
        for cluster in arrangement.clusters:
            places = order[clusters == cluster["id"]]
            label, count = Counter(pictures.images[place].label for place in places).most_common(1)[0]
            if label is None or 2 * count < len(places):
                continue
            common = classes[Counter(pictures.classes[places].tolist()).most_common(1)[0][0]]
            folder, ours, theirs = texts([query(label), str(cluster["name"]), common])
            found.ours.append(float(folder @ ours))
            found.classes.append(float(folder @ theirs))
            found.examples.append([text, query(label), str(cluster["name"]), common])
    return found


def judge_queries(
    pictures: Pictures, texts: Texts, words: VocabularyEmbeddings, scale: Calibration, labels: Sequence[str], known: str
) -> dict[str, float]:
    """Return how often what is held is said to be found, and what is not is not.

    Args:
        pictures: The collection.
        texts: The text tower.
        words: The vocabulary.
        scale: What the collection taught.
        labels: Its folders' names, as they are asked for.
        known: All else that is known to be in it: keys, captions.
    """

    def is_found(vector: Vectors) -> bool:
        nearest = pictures.nearest(vector)
        return assess("it", nearest.similarities, nearest.vectors, words, scale).found

    held = texts(labels)
    found = np.array([is_found(vector) for vector in held])
    of = np.array([query(image.label or "") for image in pictures.images])
    able = np.array(
        [
            np.sum(of[pictures.rank(vector)[:10]] == label) >= LEAST_FOUND
            for label, vector in zip(labels, held, strict=True)
        ]
    )
    spoken = set(re.findall("[a-z]+", known.lower()))
    probes = {words.texts[place] for place in np.random.default_rng(SEED).permutation(len(words.texts))[:PROBES]}
    names = [first for first, _, _ in embedded.class_texts() if first.lower() not in probes]
    names = [name for name in names if not spoken & set(re.findall("[a-z]+", name.lower()))]
    absent = [vector for vector in texts(names) if float((held @ vector).max()) < NOT_NEAR]
    return {
        "held": len(labels),
        "held_found": float(found.mean()),
        "held_able": int(able.sum()),
        "held_able_found": float(found[able].mean()) if able.any() else float("nan"),
        "absent": len(absent),
        "absent_not_found": float(np.mean([not is_found(vector) for vector in absent])),
    }


def time_clusters(pictures: Pictures, words: VocabularyEmbeddings) -> list[float]:
    """Return the milliseconds that clusters, names and graph of 200 distinct searches take."""
    seconds = []
    chosen = np.random.default_rng(2).permutation(len(words.texts))[: TIMED_QUERIES + 5]
    for place in chosen:
        nearest = pictures.nearest(words.vectors[place])
        assert nearest.vectors is not None
        began = time.perf_counter()
        build_result_graph(nearest.images, nearest.similarities, nearest.vectors, words, words.texts[place])
        seconds.append(time.perf_counter() - began)
    return [1000 * each for each in seconds[5:]]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="make naming", description=__doc__)
    parser.add_argument("--images", help="a folder whose folders are labels (default: the sample pictures)")
    options = parser.parse_args()
    pictures = collection.find(options.images)
    report.warn_if_busy()
    try:
        settings = encoder_settings("embedded")
        texts = Texts(models.load("embedded", settings))
        seen = look(pictures)
    except (ModelError, ValueError) as error:
        sys.exit(str(error))
    vocabulary = read_vocabulary()
    words = VocabularyEmbeddings(vocabulary.texts, texts(vocabulary.texts))
    labels = sorted({query(image.label) for image in seen.images if image.label})
    if not labels:
        sys.exit(f"{pictures.folder} has no folders, so there are no labels to compare names with")
    threshold, accuracy = choose_threshold(texts, set(labels))
    random = np.random.default_rng(1).permutation(len(words.texts))[:RANDOM_QUERIES]
    names = name_clusters(seen, texts, words, [*labels, *(words.texts[place] for place in random)])
    scale = learn(seen, words)  # type: ignore[arg-type]
    assert scale is not None
    verdicts = judge_queries(
        seen, texts, words, scale, labels, " ".join([*pictures.keys, *pictures.captions.values()]).replace("_", " ")
    )
    milliseconds = time_clusters(seen, words)
    some = names.examples[:: max(1, len(names.examples) // 20)]
    print(report.table(["searched for", "folder", "name", "commonest class"], some), end="\n\n")
    report.write(
        f"naming-{pictures.name}",
        settings={
            "images": str(pictures.folder),
            "pictures": len(seen.images),
            "words": len(words.texts),
            "threshold": round(threshold, 3),
            "threshold_accuracy": round(accuracy, 3),
            "score": round(scale.score, 3),
        },
        figures={
            "clusters": len(names.ours),
            "fits": float(np.mean(np.array(names.ours) >= threshold)),
            "fits_commonest_class": float(np.mean(np.array(names.classes) >= threshold)),
            "cosine": float(np.mean(names.ours)),
            "cosine_commonest_class": float(np.mean(names.classes)),
            **verdicts,
            "cluster_p50_ms": float(np.percentile(milliseconds, 50)),
            "cluster_p95_ms": float(np.percentile(milliseconds, 95)),
        },
    )


if __name__ == "__main__":
    main()
