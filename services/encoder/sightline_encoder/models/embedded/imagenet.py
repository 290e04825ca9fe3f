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


@cache
def classes() -> tuple[Synset, ...]:
    """Return the thousand classes in the classifier's order."""
    return tuple(synset for synset in synsets().values() if synset.definition)
