"""The recipe of `embedded`: a classifier's classes and a text encoder's vectors in one space.

ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", arXiv:1312.5650): an ImageNet
classifier's probabilities weight the text vectors of its classes, so that an image's vector lies among those of texts.
Three things are added, each measured by `make quality`:

- What a class is a kind of is a part of its vector, so that "bird" is near a robin's.
- The mean of all classes' vectors is taken off images and texts: what all have in common tells none apart.
- A text's vector is drawn towards the classes, and the kinds of classes, that it names: it attends to their names, as
  in "Hopfield Networks is All You Need" (Ramsauer et al., arXiv:2008.02217).

For comparing pictures with pictures there is a vector of its own: what the classifier sees, before it decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sightline_encoder.models.embedded.imagenet import Synset, above, classes, synsets
from sightline_encoder.runtimes.tower import Vectors, unit

TEMPERATURE = 1.3
"""Of the classes' probabilities."""
KIND_LEVELS, KIND_MOST_CLASSES, KIND_WEIGHT = 6, 400, 0.5
"""A class has a share of the kinds up to so many levels above it, but of none that half of all classes are of."""
ATTENTION_SHARPNESS, ATTENTION_WEIGHT = 20.0, 0.5
VISUAL_DIMENSIONS = 256

PARAMETERS = {
    "temperature": TEMPERATURE,
    "kinds": [KIND_LEVELS, KIND_MOST_CLASSES, KIND_WEIGHT],
    "attention": [ATTENTION_SHARPNESS, ATTENTION_WEIGHT],
    "visual": VISUAL_DIMENSIONS,
}
"""For the fingerprint."""


@cache
def class_texts() -> tuple[tuple[str, str, str], ...]:
    """Return for each of ImageNet's 1,000 classes its first name, all its names, and the names with the definition."""
    return tuple(
        (one.names[0], names, f"{names}: {one.definition}")
        for one, names in ((one, ", ".join(one.names)) for one in classes())
    )


@cache
def kinds() -> tuple[Synset, ...]:
    """Return what classes are kinds of, as far as classes have a share of it, by id."""
    count = Counter(id for one in classes() for id in above(one))
    near = {id for one in classes() for id in above(one, KIND_LEVELS)}
    return tuple(synsets()[id] for id in sorted(near) if count[id] <= KIND_MOST_CLASSES)


@dataclass(frozen=True)
class Names:
    """The text encoder's vectors of the names, each a unit vector of d dimensions.

    Attributes:
        classes: (1000, d) the normalised sum of each class's three texts.
        kinds: (n, d) the first name of each of `kinds`.
    """

    classes: Vectors
    kinds: Vectors


@dataclass(frozen=True)
class Concepts:
    """What the networks hold of the names.

    Attributes:
        classes: (1000, d) float32 what the probabilities weight: of no certain length, and without `mean`.
        mean: (d,) float32 what is taken off a text's vector.
        keys: (n, d) float32 unit vectors: the names that a text attends to.
        values: (n, d) float32 unit vectors: what it is drawn to by each.
    """

    classes: Vectors
    mean: Vectors
    keys: Vectors
    values: Vectors


def concepts(names: Names) -> Concepts:
    """Return what the networks hold."""
    places = {kind.id: place for place, kind in enumerate(kinds())}
    shares = np.zeros((len(names.classes), len(places)), np.float32)
    members = np.zeros_like(shares)
    for row, one in enumerate(classes()):
        shares[row, [places[id] for id in above(one, KIND_LEVELS) if id in places]] = 1
        members[row, [places[id] for id in above(one) if id in places]] = 1
    kinds_of = shares @ names.kinds
    # A class without kinds keeps its own name alone.
    lengths = np.maximum(np.linalg.norm(kinds_of, axis=1, keepdims=True), 1e-12)
    with_kinds = unit(names.classes + KIND_WEIGHT * kinds_of / lengths)
    mean = with_kinds.mean(axis=0)
    centred = unit(with_kinds - mean)
    return Concepts(
        classes=with_kinds - mean,
        mean=mean,
        keys=np.concatenate([centred, unit(names.kinds - mean)]),
        values=np.concatenate([centred, unit(members.T @ centred)]),
    )


def visual_projection(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (features, VISUAL_DIMENSIONS) float32: from what the classifier sees to the visual vector.

    The first right singular vectors of the classifier's last weights, less their mean over classes: the directions in
    which classes differ most. It needs no pictures.

    Args:
        weight: (classes, features).
    """
    centred = weight.astype(np.float64) - weight.mean(axis=0, dtype=np.float64)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:VISUAL_DIMENSIONS]
    # A singular vector's sign is the library's choice: made the same everywhere.
    largest = np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, np.newaxis], axis=1)
    projection: NDArray[np.float32] = (directions * np.sign(largest)).T.astype(np.float32)
    return projection


def name_texts() -> Iterator[str]:
    """Return the texts whose vectors `names_of` takes: three a class, then one a kind."""
    for triple in class_texts():
        yield from triple
    for kind in kinds():
        yield kind.names[0]


def names_of(vectors: Vectors) -> Names:
    """Return the names' vectors from those of `name_texts`, in its order."""
    count = 3 * len(classes())
    of_classes = vectors[:count].reshape(len(classes()), 3, -1).sum(axis=1)
    return Names(unit(of_classes), vectors[count:])
