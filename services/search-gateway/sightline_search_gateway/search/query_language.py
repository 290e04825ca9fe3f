r"""The language of the search box: words, words to leave out, and filters.

`fruit -orange folder:2019 "steam engine"` looks for *fruit steam engine*, not for *orange*, in the folder 2019.

- A term goes to the next space. One in quotes (`"..."`, `“...”`, `„...“`, `«...»`) goes to the closing quote, or to
  the end where there is none, and is never anything but words.
- `-` (or a minus sign or dash) before a term leaves it out. Within a word it is part of it, alone it is nothing.
- `field:value` or `field:"a value"` is a filter. What has a colon and does not look like that is a word: `16:9`,
  `Re: you`, `http://...`.
- Everything else is a word, as it is: `AND`, `OR` and parentheses mean nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sightline_search_gateway.search.query_fields import FIELDS, OTHER_NAMES, Parameters, join_parameters, nearest_field

MOST_EXCLUDED = 8
"""Texts that are left out; each is encoded."""
MOST_FILTERS = 20
MOST_SHOWN = 40
"""Characters of a value that a message repeats."""
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_MINUS = frozenset("-\u2010\u2013\u2212")
_CLOSING = {
    **dict.fromkeys('"', re.compile('"')),
    **dict.fromkeys("“”„‟", re.compile("[“”‟]")),
    **dict.fromkeys("«»", re.compile("[«»]")),
}
_SPACE = re.compile(r"\s+")
_WORD = re.compile(r"\S+")
_NAME = re.compile(r"([^\W\d_]{2,24}(?:[-_][^\W\d_]{1,24})?):")
_SAID = re.compile(r"[^\W_<>=]|[<>=]")
"""How the value of what looks like a field begins."""


class QueryError(ValueError):
    """A query that cannot be understood.

    Attributes:
        problems: What is wrong, each a sentence or two fit to show to a person; at least one.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Term:
    """A filter as it was written: `-folder:"my holidays"` has the field `folder` and the value `my holidays`."""

    field: str
    value: str
    excluded: bool = False


@dataclass(frozen=True)
class ParsedQuery:
    """What a query says.

    Attributes:
        text: The words that are looked for, in their order, phrases among them; None where there are none.
        excluded_texts: What is not wanted, a word or a phrase each.
        terms: The filters, in their order.
        parameters: What these set, as the call's own parameters of the same names do.
    """

    text: str | None = None
    excluded_texts: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    parameters: Parameters = field(default_factory=dict)


def plain_query(text: str) -> ParsedQuery:
    """Return the query that is a text and nothing else, whatever is in it."""
    return ParsedQuery(text.strip() or None)


def parse_query(text: str) -> ParsedQuery:
    """Return what a text of the search box says, in time linear in its length.

    A text of words alone stays as it is.

    Raises:
        QueryError: A filter has a wrong value, there is no such field, or there is too much.
    """
    parser = _Parser(text.strip())
    while parser.place < len(parser.text):
        parser.take_term()
    return parser.parsed()


class _Parser:
    """Takes a text apart, a term at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self._words: list[str] = []
        self._excluded: dict[str, None] = {}
        self._terms: list[Term] = []
        self._parameters: Parameters = {}
        self._problems: list[str] = []
        self._is_plain = True

    def take_term(self) -> None:
        """Take the term at this place, with its minus, and the space after it."""
        start = self.place
        excluded = self._takes_minus()
        if self._opens_quote():
            self._add_words(self._take_phrase(), excluded=excluded)
        elif (named := _NAME.match(self.text, self.place)) and self._is_field(named):
            self._take_filter(named, excluded=excluded)
        else:
            word = self._take_word()
            if not self.text[start : self.place].strip(_DASHES):
                self._is_plain = False
            else:
                self._add_words(word, excluded=excluded)
        if space := _SPACE.match(self.text, self.place):
            self.place = space.end()

    def parsed(self) -> ParsedQuery:
        """Return what was taken.

        Raises:
            QueryError: Some of it is wrong.
        """
        if len(self._excluded) > MOST_EXCLUDED:
            self._problems.append(f"{len(self._excluded)} texts are to be left out; at most {MOST_EXCLUDED} can be.")
        if len(self._terms) > MOST_FILTERS:
            self._problems.append(f"There are {len(self._terms)} filters; at most {MOST_FILTERS} are taken.")
        after, before = self._parameters.get("after"), self._parameters.get("before")
        if after is not None and before is not None and after >= before:
            self._problems.append(f"No time is both from {after:%Y-%m-%d} on and before {before:%Y-%m-%d}.")
        if self._problems:
            raise QueryError(tuple(dict.fromkeys(self._problems)))
        text = self.text if self._is_plain else " ".join(self._words)
        return ParsedQuery(text or None, tuple(self._excluded), tuple(self._terms), self._parameters)

    def _takes_minus(self) -> bool:
        """Step over a minus that is before something; return whether there was one."""
        following = self.text[self.place + 1 : self.place + 2]
        if self.text[self.place] not in _MINUS or not following.strip(_DASHES).strip():
            return False
        self.place += 1
        return True

    def _opens_quote(self) -> bool:
        return self.text[self.place : self.place + 1] in _CLOSING

    def _take_phrase(self) -> str:
        closing = _CLOSING[self.text[self.place]].search(self.text, self.place + 1)
        start = self.place + 1
        self.place = closing.end() if closing else len(self.text)
        self._is_plain = False
        return self.text[start : closing.start() if closing else None].strip()

    def _take_word(self) -> str:
        word = _WORD.match(self.text, self.place)
        if word is None:
            return ""
        self.place = word.end()
        return word[0]

    def _add_words(self, words: str, *, excluded: bool) -> None:
        if excluded:
            self._is_plain = False
            if words:
                self._excluded[words] = None
        elif words:
            self._words.append(words)

    def _is_field(self, named: re.Match[str]) -> bool:
        """Return whether a name and a colon begin a filter, or would if there were such a field."""
        name, following = named[1], self.text[named.end() : named.end() + 1]
        has_value = bool(following.strip())
        if name.lower() in FIELDS:
            # `Name: ...` is a way to write; `name:` is not.
            return has_value or name.islower()
        looks_like_one = name.islower() or name.lower() in OTHER_NAMES
        return looks_like_one and has_value and (_SAID.match(following) is not None or following in _CLOSING)

    def _take_filter(self, named: re.Match[str], *, excluded: bool) -> None:
        self._is_plain = False
        name = named[1].lower()
        self.place = named.end()
        value = self._take_phrase() if self._opens_quote() else self._take_word()
        if name not in FIELDS:
            self._problems.append(_unknown(name))
            return
        known = FIELDS[name]
        if excluded and known.without is None:
            can = ", ".join(f"`{one}:`" for one, other in FIELDS.items() if other.without)
            self._problems.append(f"`{name}:` takes no minus; these do: {can}.")
            return
        if known.once and any(term.field == name for term in self._terms):
            self._problems.append(f"`{name}:` is given twice; it takes one value.")
            return
        try:
            parameters = known.read(value)
        except ValueError as error:
            given = f", not “{_shown(value)}”" if value else ", right behind the colon"
            self._problems.append(f"`{name}:` takes {error}{given}.")
            return
        if excluded and known.without is not None:
            [parameters] = [{known.without: values} for values in parameters.values()]
        self._terms.append(Term(name, value, excluded))
        self._parameters = join_parameters(self._parameters, parameters)


def _unknown(name: str) -> str:
    nearest = nearest_field(name)
    if nearest is not None:
        meant = f"did you mean `{nearest}:`?"
    else:
        meant = f"there are {', '.join(f'`{one}:`' for one in FIELDS)}."
    return f"There is no field `{name}:`; {meant} In quotes it is searched for as words."


def _shown(value: str) -> str:
    return value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}…"
