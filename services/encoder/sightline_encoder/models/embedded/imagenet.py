"""ImageNet's thousand classes: what they are called, and what they are kinds of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Synset:
    """One of WordNet's meanings.

    Attributes:
        id: Its place in WordNet 3.0, as ImageNet writes it: `n02123045`.
        names: The usual one first.
        definition: What it is; empty but for classes.
        parents: The ids of what it is a kind of.
    """

    id: str
    names: tuple[str, ...]
    definition: str
    parents: tuple[str, ...]


@cache
def synsets() -> dict[str, Synset]:
    """Return the classes in the classifier's order, then all that they are kinds of, by id."""
    lines = files(__package__).joinpath("imagenet.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {id: Synset(id, tuple(names.split(", ")), text, tuple(above.split())) for id, names, text, above in rows}


def above(synset: Synset, levels: int | None = None) -> set[str]:
    """Return the ids of all that a synset is a kind of, up to so many levels above it."""
    found: set[str] = set()
    level = set(synset.parents)
    while level and levels != 0:
        found |= level
        level = {parent for id in level for parent in synsets()[id].parents}
        levels = None if levels is None else levels - 1
    return found


@cache
def classes() -> tuple[Synset, ...]:
    """Return the thousand classes in the classifier's order."""
    return tuple(synset for synset in synsets().values() if synset.definition)
