"""A map's results, as the worker computes them and as answers have them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from sightline_search_gateway.answer_schemas import WallTime

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Step = Literal["vectors", "affinities", "optimizing", "separating"]


class AskedMap(TypedDict):
    """What was asked, with the perplexity as used."""

    labels: tuple[str, ...]
    folders: tuple[str, ...]
    after: WallTime | None
    before: WallTime | None
    filters: Annotated[dict[str, Any], "As they were given; empty without any."]
    ids: Annotated[int, "How many pictures were named one by one; 0 where a filter was given."]
    upload: Annotated[bool, "Whether the pictures were uploaded for this map."]
    per_label: int
    sample: int
    perplexity: float


class MapProgress(TypedDict):
    """How far a map is."""

    step: Step
    iteration: int
    iterations: int
    kl_divergence: Annotated[float | None, "What t-SNE makes smaller; null before the first figure."]


class MapPoints(TypedDict):
    """The points, a column a property; all of one length. A column is null where it has not changed `since`."""

    ids: Annotated[list[str] | None, "Images' ids; of uploads, names."]
    x: Annotated[NDArray[np.float64] | None, "From -1 to 1."]
    y: Annotated[NDArray[np.float64] | None, "From -1 to 1, upwards."]
    label: Annotated[NDArray[np.int32] | None, "Index of `labels`; -1 for none."]
    cluster: Annotated[NDArray[np.int16] | None, "Id of a cluster; -1 while there are none."]
    new: Annotated[NDArray[np.bool_] | None, "Placed into the map after it was made."]


class MapCluster(TypedDict):
    """Images of a map that are alike."""

    id: int
    name: str
    size: int


class LabelSeparation(TypedDict):
    """How well one label's images keep to themselves."""

    label: str
    count: int
    knn_agreement: float


class Confusion(TypedDict):
    """How far one label's images lie among another's."""

    a: str
    b: str
    share: Annotated[float, "Of the nearest neighbours of a's pictures, those that are b's."]


class Separation(TypedDict):
    """How well the labels separate in the space of the vectors."""

    knn_agreement: Annotated[float, "The share of the 10 nearest neighbours that have the same label, on average."]
    silhouette: Annotated[float, "From -1 to 1: above 0, labels are apart."]
    per_label: list[LabelSeparation]
    confused: Annotated[list[Confusion], "The pairs most confused, the worst first."]
