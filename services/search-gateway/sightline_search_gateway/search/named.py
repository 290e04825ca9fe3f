"""What the words of a text find by name, beside what the text finds by looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sightline_catalogue import INDEXED, Collection, Filter, Image
from sightline_catalogue.words import asked_words, indexed_words, stem_of

MOST_NAMED = 12


@dataclass(frozen=True)
class Named:
    """Images whose file's name, folders, title or keywords have all words of a text.

    Attributes:
        total: How many there are, copies among them.
        images: At most `MOST_NAMED`, those whose file's name has the words first, then the newest first.
    """

    total: int
    images: list[Image]


def find_named(
    collection: Collection, text: str, excluded_texts: Iterable[str], filter: Filter | None, *, distinct: bool
) -> Named:
    """Return the indexed images that a text finds by name: by one call where there are few, and by three at most.

    Args:
        collection: Where to look.
        text: Whose words are looked for.
        excluded_texts: Images that have all words of one of them are left out.
        filter: Only images that match.
        distinct: Return of copies of one picture the first alone.
    """
    filter = filter or Filter()
    if filter.states and INDEXED not in filter.states:
        return Named(0, [])
    excluded = filter.excluded or Filter()
    wanted = replace(
        filter,
        # A filter joins several of its texts by "or".
        words=tuple(f"{other} {text}" for other in filter.words) or (text,),
        states=(INDEXED,),
        excluded=replace(excluded, words=(*excluded.words, *excluded_texts)),
    )
    newest = collection.browse(wanted, MOST_NAMED)
    first = [image for image in newest.images if _has_words(image.key.rpartition("/")[2], text)]
    total = len(newest.images)
    if newest.cursor is not None:
        total = collection.count(wanted)
        if len(first) < MOST_NAMED:
            names = tuple(f"{other} {text}" for other in filter.names) or (text,)
            first = collection.browse(replace(wanted, names=names), MOST_NAMED).images
    kept: dict[str, Image] = {}
    for image in (*first, *newest.images):
        kept.setdefault((image.copy_group if distinct else None) or image.id, image)
    return Named(total, list(kept.values())[:MOST_NAMED])


def _has_words(name: str, text: str) -> bool:
    """Return whether a file's name has all words of a text."""
    words = set(indexed_words([stem_of(name)]).split())
    return any(words.issuperset(asked.split()) for asked in asked_words(stem_of(text)))
