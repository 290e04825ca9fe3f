"""A request for a map: which images, and how they are laid out."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sightline_catalogue import Filter, canonical

from sightline_search_gateway.schemas.filters import Filters
from sightline_search_gateway.search.filter_parameters import filter_of, wanted_folders

FEWEST = 10
"""Pictures; of fewer, neighbourhoods say nothing."""
NEIGHBOURS_A_PERPLEXITY = 3
MAP_ID = r"m-[0-9a-f]{20}"
"""A map's id, as a regular expression."""


@dataclass(frozen=True)
class MapRequest:
    """Which pictures, how many of them, and how they are laid out.

    Attributes:
        labels, folders, after, before: A filter, as the catalogue's.
        filters: JSON of other filters by the names of their parameters, which must hold too; empty without any.
        ids: Exactly these, instead of a filter.
        upload: The digest of an upload whose pictures are meant, instead of a filter.
        per_label: At most so many of each label; 0 for no such bound.
        sample: At most so many.
        perplexity: t-SNE's: how many neighbours count, roughly.
    """

    labels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    ids: tuple[str, ...] = ()
    upload: str | None = None
    per_label: int = 0
    sample: int = 2000
    perplexity: float = 30.0
    filters: str = ""

    @classmethod
    def of(cls, body: dict[str, Any]) -> MapRequest:
        """Return the request of a validated body; equivalent bodies give equal requests."""
        return cls(
            labels=tuple(sorted(set(map(canonical, body.get("labels", ()))))),
            folders=tuple(sorted(set(wanted_folders(body.get("folders", ()))))),
            after=body.get("after"),
            before=body.get("before"),
            ids=tuple(sorted({str(one) for one in body.get("ids", ())})),
            upload=body.get("upload"),
            per_label=int(body.get("per_label", 0)),
            sample=int(body["sample"]),
            perplexity=float(body["perplexity"]),
            filters=_canonical_json(body.get("filters", {})),
        )

    @classmethod
    def load(cls, data: bytes) -> MapRequest:
        """Return the request that `dump` wrote."""
        fields = orjson.loads(data)
        for name in ("labels", "folders", "ids"):
            fields[name] = tuple(fields[name])
        for name in ("after", "before"):
            if fields[name] is not None:
                fields[name] = datetime.fromisoformat(fields[name]).replace(tzinfo=None)
        return cls(**fields)

    def dump(self) -> bytes:
        """Return it as JSON, equal for equal requests."""
        fields = asdict(self)
        if not self.filters:
            # Maps that were made before there was such a field keep their ids.
            del fields["filters"]
        return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)

    def map_id(self, fingerprint: str) -> str:
        """Return the id of this request's map of one model's vectors."""
        digest = hashlib.sha256(fingerprint.encode() + b"\n" + self.dump())
        return f"m-{digest.hexdigest()[:20]}"

    @property
    def filter(self) -> Filter:
        """The catalogue's filter."""
        own = Filter(labels=self.labels, folders=self.folders, after=self.after, before=self.before)
        if not self.filters:
            return own
        others = filter_of(Filters().load(self.given_filters))
        after, before = (
            [one for one in bounds if one is not None]
            for bounds in ((own.after, others.after), (own.before, others.before))
        )
        return replace(
            others,
            labels=(*own.labels, *others.labels),
            folders=(*own.folders, *others.folders),
            after=max(after, default=None),
            before=min(before, default=None),
        )

    @property
    def given_filters(self) -> dict[str, Any]:
        """The other filters, by the names of their parameters."""
        return orjson.loads(self.filters) if self.filters else {}

    @property
    def is_filtered(self) -> bool:
        """Whether it selects by a filter, so that its images may change."""
        return not self.ids and self.upload is None


def _canonical_json(filters: dict[str, Any]) -> str:
    """Return the filters of a request as JSON, equal for equal ones; empty where there are none."""
    given = {name: sorted(set(value)) if isinstance(value, list) else value for name, value in filters.items()}
    given = {name: value for name, value in given.items() if value not in ([], None)}
    return orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode() if given else ""


def too_few(count: int, verb: str = "match") -> str:
    """Return the message that so few images are not enough for a map."""
    if count == 1:
        return f"Only 1 picture {'matches' if verb == 'match' else verb}; a map needs {FEWEST}."
    return f"Only {count} pictures {verb}; a map needs {FEWEST}."


def fitting_perplexity(perplexity: float, count: int) -> float:
    """Return the perplexity, or a third of the neighbours that there are among so many images, if that is less."""
    return max(1.0, min(perplexity, (count - 1) // NEIGHBOURS_A_PERPLEXITY))
