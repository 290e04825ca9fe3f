"""The catalogue's filter of the parameters that the schema `Filters` loads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sightline_catalogue import Between, Filter, canonical_folder


def filter_of(query: dict[str, Any]) -> Filter:
    """Return the catalogue's filter."""
    excluded = _repeated(query, "not_")
    return replace(
        _repeated(query),
        after=query.get("after"),
        before=query.get("before"),
        states=tuple(query.get("state", ())),
        near=query.get("near"),
        inside=query.get("box"),
        bytes=_between(query, "bytes"),
        pixels=_between(query, "pixels"),
        rating=query.get("rating"),
        added_after=query.get("added_after"),
        added_before=query.get("added_before"),
        excluded=None if excluded == Filter() else excluded,
    )


def _repeated(query: dict[str, Any], prefix: str = "") -> Filter:
    """Return the filter of the parameters that may be given several times, with a prefix of their names."""

    def values(name: str) -> tuple[Any, ...]:
        return tuple(query.get(f"{prefix}{name}", ()))

    return Filter(
        labels=values("label"),
        folders=wanted_folders(values("folder")),
        names=values("name"),
        words=values("words"),
        cameras=values("camera"),
        lenses=values("lens"),
        formats=values("format"),
        shapes=values("shape"),
    )


def _between(query: dict[str, Any], what: str) -> Between | None:
    least, most = query.get(f"min_{what}"), query.get(f"max_{what}")
    return None if least is None and most is None else Between(least, most)


def wanted_folders(folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders of a filter by their paths; none, which means all, where the bucket itself is among them."""
    paths = tuple(map(canonical_folder, folders))
    return paths if all(paths) else ()
