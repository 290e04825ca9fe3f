"""What is looked for: texts and pictures, what is not wanted, and results that were marked right or wrong."""

from __future__ import annotations

from dataclasses import dataclass

from sightline_pictures import Crop


@dataclass(frozen=True)
class Part:
    """One of the things that a query is made of: a text, a picture file, or a picture of the collection.

    Attributes:
        text: What is to be seen.
        file: A picture file's bytes.
        image_id: Of a picture of the collection.
        crop: The rectangle of the picture that counts; None for all of it.
        weight: How much it counts; below zero it leads away. Of no effect on what is not wanted.
    """

    text: str | None = None
    file: bytes | None = None
    image_id: str | None = None
    crop: Crop | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class SearchQuery:
    """What is looked for.

    Attributes:
        parts: Each counts as much as its weight says.
        excluded: What is not wanted.
        liked: Ids of results that are right.
        disliked: Ids of results that are wrong.
        diversity: How much the first results differ from each other, from 0 (not on purpose) to 1.
    """

    parts: tuple[Part, ...] = ()
    excluded: tuple[Part, ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    diversity: float = 0.0

    @classmethod
    def of_text(cls, text: str, excluded_texts: tuple[str, ...] = (), diversity: float = 0.0) -> SearchQuery:
        """Return the query by a text, with others for what is not wanted."""
        excluded = tuple(Part(text=one) for one in excluded_texts)
        return cls((Part(text=text),), excluded, diversity=diversity)

    @property
    def origins(self) -> tuple[Part, ...]:
        """What the nearest are looked for of: the parts, or where there are none, what is liked."""
        return self.parts or tuple(Part(image_id=one) for one in self.liked)

    @property
    def text(self) -> str | None:
        """The texts that are looked for; None where there are none."""
        return ", ".join(part.text for part in self.parts if part.text is not None) or None

    @property
    def image_ids(self) -> tuple[str, ...]:
        """The ids of the pictures of the collection that are looked for."""
        return tuple(part.image_id for part in self.origins if part.image_id is not None)

    @property
    def unshown_ids(self) -> tuple[str, ...]:
        """The ids of pictures that are not among the results: what is looked for, and what is not wanted."""
        excluded = (part.image_id for part in self.excluded if part.image_id is not None)
        return tuple(dict.fromkeys((*self.image_ids, *excluded, *self.disliked)))

    @property
    def is_visual(self) -> bool:
        """Whether pictures alone count."""
        texts = [part for part in self.origins if part.text is not None]
        return len(texts) < len(self.origins) and not any(part.weight for part in texts)

    @property
    def is_one_text(self) -> bool:
        """Whether a text, and nothing else, is looked for."""
        return len(self.origins) == 1 and self.text is not None

    @property
    def is_judged(self) -> bool:
        """Whether what it finds can be judged: that of a text or of pictures, and not away from any."""
        weights = [part.weight for part in self.origins if part.text is None or not self.is_visual]
        return (self.is_visual and min(weights) >= 0) or (self.is_one_text and weights[0] > 0)

    @property
    def is_refined(self) -> bool:
        """Whether it says what is not wanted, or which results are right or wrong."""
        return bool(self.excluded or self.liked or self.disliked)
