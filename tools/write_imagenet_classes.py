"""Writes ImageNet's thousand classes and what they are kinds of: sightline_encoder/models/embedded/imagenet.tsv.

python -m tools.write_imagenet_classes WORDNET SYNSETS

WORDNET is the folder with WordNet 3.0's `data.noun` (Debian's wordnet-base has it in /usr/share/wordnet), whose places
ImageNet names its classes after; SYNSETS is the list of those names in the classifier's order
(`data/_info/imagenet_synsets.txt` of PyPI's timm).
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

from tools.wordnet import LICENCE, read_synsets

ROOT = Path(__file__).parents[1]
OUTPUT = ROOT / "services" / "encoder" / "sightline_encoder" / "models" / "embedded" / "imagenet.tsv"


def main() -> None:
    """Read, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("synsets", type=Path)
    arguments = parser.parse_args()
    source = arguments.wordnet / "data.noun"
    synsets = read_synsets(source)
    classes = [name.removeprefix("n") for name in arguments.synsets.read_text(encoding="utf-8").split()]
    places = list(classes)
    for place in places:
        places += [parent for parent in synsets[place].parents if parent not in places]
    head = f"""\
# ImageNet's thousand classes in the classifier's order, then all that they are kinds of: a synset, its names, what it
# is (of classes alone), and the synsets that it is a kind of. Written by write_imagenet_classes.py from WordNet 3.0
# (data.noun {hashlib.sha256(source.read_bytes()).hexdigest()[:16]}).
#
{LICENCE}"""
    rows = []
    for index, place in enumerate(places):
        synset = synsets[place]
        names = ", ".join(word.replace("_", " ") for word in synset.words)
        definition = synset.definition.split('; "')[0] if index < len(classes) else ""
        rows.append("\t".join([f"n{place}", names, definition, " ".join(f"n{parent}" for parent in synset.parents)]))
    OUTPUT.write_text(head + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    print(f"{OUTPUT.name}: {len(classes):,} classes, {len(rows) - len(classes):,} above them")


if __name__ == "__main__":
    main()
