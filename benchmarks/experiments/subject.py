"""What the experiments run over: pictures with their vectors, and the model that made them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sightline_encoder import models
from sightline_pictures import PictureSettings, open_picture, thumbnail
from sightline_pictures.thumbnails import THUMBNAIL_SIDE

from benchmarks.collection import Collection
from benchmarks.quality import embed, encoder_settings

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """A collection as a model sees it.

    Attributes:
        pictures: Where they come from.
        model: What encodes texts and pictures.
        keys: Of the n pictures that decode.
        labels: Of each the folder that it lies in; empty at the top.
        vectors: (n, dimensions) float32, of length one.
    """

    pictures: Collection
    model: models.Model
    keys: list[str]
    labels: NDArray[np.str_]
    vectors: Vectors

    @property
    def sizes(self) -> dict[str, int]:
        """How many pictures each class has, by name in alphabetical order."""
        return dict(sorted(Counter(label for label in self.labels.tolist() if label).items()))

    def thumbnail(self, key: str) -> bytes:
        """Return a picture as the page shows it in a grid: WebP.

        Raises:
            PictureError: It cannot be read any more.
        """
        limits = PictureSettings()
        data = (self.pictures.folder / key).read_bytes()
        picture = open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels, min_side=THUMBNAIL_SIDE)
        return thumbnail(picture.image)


def look(pictures: Collection, choice: str | None) -> Subject:
    """Load a model, by its id or the default one, and embed a collection with it.

    Raises:
        EncoderError: No such model, or it does not load.
    """
    settings = encoder_settings(choice)
    model = models.load(settings.model_ids[0], settings)
    keys, vectors = embed(model, pictures, settings)
    return Subject(pictures, model, keys, np.array([pictures.label(key) or "" for key in keys]), vectors)
