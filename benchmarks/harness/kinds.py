"""What folders' labels are kinds of: "animal", "vehicle", "flower", as people ask for."""

from __future__ import annotations

from collections.abc import Iterable

from sightline_encoder.models.embedded import imagenet

KINDS = {
    "aircraft": "helicopter",
    "animal": (
        "beaver brontosaurus butterfly cougar_body crab crocodile dragonfly elephant flamingo_head gerenuk kangaroo"
        " leopards llama mayfly nautilus okapi panda rhino sea_horse starfish trilobite"
    ),
    "big cat": "cougar_body leopards",
    "bird": "flamingo_head",
    "boat": "ferry",
    "building": "pyramid",
    "container": "barrel cup",
    "dinosaur": "brontosaurus",
    "electronic device": "headphone",
    "fish": "sea_horse",
    "flower": "lotus sunflower",
    "food": "pizza",
    "furniture": "chair lamp windsor_chair",
    "insect": "butterfly dragonfly mayfly",
    "mammal": "beaver cougar_body elephant gerenuk kangaroo leopards llama okapi panda rhino",
    "money": "dollar_bill",
    "musical instrument": "accordion euphonium grand_piano saxophone",
    "plant": "bonsai lotus sunflower",
    "reptile": "brontosaurus crocodile",
    "sea creature": "crab nautilus sea_horse starfish",
    "seat": "chair wheelchair windsor_chair",
    "sign": "stop_sign",
    "sports equipment": "inline_skate soccer_ball",
    "timepiece": "watch",
    "tool": "scissors",
    "tree": "bonsai",
    "vehicle": "ferry helicopter wheelchair",
    "weapon": "cannon",
    "wind instrument": "accordion euphonium saxophone",
}
"""For fifty classes of Caltech-101: the labels, in lower case, of which each word is said."""
FEWEST, MOST = 5, 400
"""Of ImageNet's classes, a word of WordNet is asked for if it is said of so many."""


def general_words(labels: Iterable[str]) -> dict[str, set[str]]:
    """Return the words that are said of some labels, each with those labels; empty for labels of which none is known.

    Labels that are ImageNet's synsets (`n01440764`) have those that WordNet has; others those of `KINDS`.
    """
    present = set(labels)
    known = imagenet.synsets()
    if present and present <= {one.id for one in imagenet.classes()}:
        found: dict[str, set[str]] = {}
        for label in present:
            for id in imagenet.above(known[label]):
                found.setdefault(known[id].names[0], set()).add(label)
        return {word: said for word, said in sorted(found.items()) if FEWEST <= len(said) <= MOST}
    said_of = {word: {label for label in present if label.lower() in labels.split()} for word, labels in KINDS.items()}
    return {word: said for word, said in said_of.items() if said}
