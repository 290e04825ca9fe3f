"""Reads IPTC's older form (IIM), as JPEG files and TIFFs hold it: date, title and keywords."""

from __future__ import annotations

from collections.abc import Iterator

from sightline_pictures.metadata.values import DateSource, Tags, date_of, keywords_of, title_of

_KEYWORD, _DATE, _TIME, _CHARSET = (2, 25), (2, 55), (2, 60), (1, 90)
_TITLES = ((2, 5), (2, 105), (2, 120))
"""Title, headline and caption."""
_UTF8 = b"\x1b%G"
_LONGEST = 1 << 16
_MOST = 10_000


def read_iptc(data: bytes) -> Tags:
    """Return what the records say."""
    charset, date, time = "latin-1", "", ""
    keywords: list[bytes] = []
    titles: dict[tuple[int, int], bytes] = {}
    for name, value in _records(data):
        if name == _CHARSET and value == _UTF8:
            charset = "utf-8"
        elif name == _DATE:
            date = value.decode("ascii", "replace")
        elif name == _TIME:
            time = value.decode("ascii", "replace")
        elif name == _KEYWORD:
            keywords.append(value)
        elif name in _TITLES:
            titles.setdefault(name, value)
    text = f"{date[:4]}-{date[4:6]}-{date[6:8]}"
    if len(time) >= 6:
        text += f"T{time[:2]}:{time[2:4]}:{time[4:6]}{time[6:]}"
    return Tags(
        dates=date_of(DateSource.IPTC, text) if len(date) == 8 else (),
        title=title_of(*(_decoded(titles[name], charset) for name in _TITLES if name in titles)),
        keywords=keywords_of(_decoded(one, charset) for one in keywords),
    )


def _decoded(value: bytes, charset: str) -> str:
    # Many write UTF-8 without saying so; hardly any other text happens to be valid UTF-8.
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode(charset, "replace")


def _records(data: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield record and number of each data set, with its value; ends at the first that is damaged."""
    at = 0
    for _ in range(_MOST):
        if data[at : at + 1] != b"\x1c" or at + 5 > len(data):
            return
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        start = at + 5
        if length & 0x8000:
            # A longer value: the number of bytes that hold its length.
            start += min(length & 0x7FFF, 8)
            length = int.from_bytes(data[at + 5 : start], "big")
        yield (data[at + 1], data[at + 2]), data[start : start + min(length, _LONGEST)]
        at = start + length
