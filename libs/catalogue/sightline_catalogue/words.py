"""The words of names and texts, as the text indexes hold them and as queries ask for them.

What is folded here, an index folds further (`schema.py`): it takes accents off Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

LONGEST = 4000
"""Characters of a text whose words are indexed, or asked for."""
MOST_CUTS = 2
"""Between letters and digits: `IMG1234` and `20240501T120000` are words and numbers, a hash is one word."""
_SPACELESS = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+)"
)
"""Scripts that write no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese. Their characters count as
words, one by one and in pairs."""
_ASCII_RUN = re.compile(r"[A-Za-z0-9]+")
_DIGITS = re.compile(r"(?<=\d)(?=[^\W\d])|(?<=[^\W\d])(?=\d)")
ENDING = re.compile(
    r"(?<=.)\.(3fr|apng|arw|avifs?|bmp|cr2|cr3|crw|dcr|dib|dng|erf|fff|gif|gpr|heic|heif|hif|iiq|j2c|j2k|jfif|jif|jp2|jpc"
    r"|jpe|jpeg|jpf|jpg|jpx|jxl|k25|kdc|mef|mos|mpo|mrw|nef|nrw|orf|pef|png|psd|raf|raw|rw2|rwl|sr2|srf|srw|tiff?|webp"
    r"|x3f)\Z",
    re.IGNORECASE | re.ASCII,
)
"""Of pictures' names: no words, neither of a name nor of a query."""


def stem_of(name: str) -> str:
    """Return the name of a picture's file without its ending; any other text as it is."""
    return ENDING.sub("", name.strip())


def indexed_words(texts: Iterable[str]) -> str:
    """Return the words of some texts, each once, with a space between.

    A word of several parts is among them whole and in parts: of `IMG1234` also `img` and `1234`, of `SteamEngine` also
    `steam` and `engine`.
    """
    found: dict[str, None] = {}
    left = LONGEST
    for text in texts:
        for run in _runs(text[:left]):
            if _SPACELESS.match(run):
                found |= dict.fromkeys([*run, *_pairs(run)])
            else:
                found |= dict.fromkeys(word.casefold() for word in (run, *_parts(run)))
        left -= min(len(text), left)
    return " ".join(found)


def asked_words(text: str) -> tuple[str, ...]:
    """Return the ways in which a query may write its words, each with a space between: as they are, and in parts.

    None where there is no word in it.
    """
    whole: dict[str, None] = {}
    cut: dict[str, None] = {}
    for run in _runs(text[:LONGEST]):
        pairs = _pairs(run) if _SPACELESS.match(run) else None
        whole |= dict.fromkeys(pairs or [run.casefold()])
        cut |= dict.fromkeys(pairs or [part.casefold() for part in _numbers_apart(run)])
    return tuple(dict.fromkeys(" ".join(words) for words in (whole, cut) if words))


def _runs(text: str) -> Iterator[str]:
    """Yield what stands between other characters than letters, digits and their marks, scripts without spaces apart."""
    if text.isascii():
        yield from _ASCII_RUN.findall(text)
        return
    composed = unicodedata.normalize("NFKC", text)
    for run in "".join(one if unicodedata.category(one)[0] in "LNM" else " " for one in composed).split():
        yield from filter(None, _SPACELESS.split(run))


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def _parts(run: str) -> Iterator[str]:
    """Yield the parts of a word: letters and digits apart, and of letters those that begin with a capital."""
    for part in _numbers_apart(run):
        yield part
        if not (part.islower() or part.isupper() or part[1:].islower()):
            yield from _capitalised(part)


def _numbers_apart(run: str) -> list[str]:
    parts = _DIGITS.split(run)
    return parts if len(parts) <= MOST_CUTS + 1 else [run]


def _capitalised(word: str) -> Iterator[str]:
    """Yield the parts of `camelCase`, `XMLFile` and the like."""
    start = 0
    for place in range(1, len(word)):
        before, here, after = word[place - 1], word[place], word[place + 1 : place + 2]
        if here.isupper() and (before.islower() or (before.isupper() and after.islower())):
            yield word[start:place]
            start = place
    yield word[start:]
