"""A collection in memory; exact search."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sightline_catalogue import (
    BURST,
    EQUAL,
    INDEXED,
    NEAR,
    PENDING,
    REMOVED,
    Between,
    Box,
    CatalogueSettings,
    Circle,
    CopyKind,
    Counts,
    Facet,
    Filter,
    Group,
    GroupKind,
    GroupPage,
    Image,
    Labelled,
    ModelRef,
    Nearest,
    NotIndexed,
    Page,
    ScanState,
    SearchParams,
    State,
    TooDeep,
    UnknownImage,
    WrongCursor,
)
from sightline_catalogue.copies import first_of_each
from sightline_catalogue.cursor import read_cursor, write_cursor
from sightline_catalogue.derived import shape_of
from sightline_catalogue.identity import canonical, canonical_folder, storable
from sightline_catalogue.payload import order_of
from sightline_catalogue.words import asked_words, indexed_words, stem_of

from fakes.encoder import MODEL

Vector = NDArray[np.float32]
MAX_DEPTH = CatalogueSettings().max_depth


class FakeMissingImages:
    """The images of a fake collection whose objects are missing."""

    def __init__(self, collection: FakeCollection) -> None:
        self._collection = collection

    def mark(self, ids: Sequence[str], since: datetime) -> None:
        self._set(ids, missing_since=since)

    def unmark(self, ids: Sequence[str]) -> None:
        self._set(ids, missing_since=None, held_of=None)

    def hold(self, ids: Sequence[str], known: int | None) -> None:
        self._set(ids, held_of=known)

    def remove(self, ids: Sequence[str], at: datetime) -> None:
        self._set(ids, state=REMOVED, removed_at=at, reason=None, next_try_at=None)

    def scan(self, removed_after: datetime, batch: int = 1000) -> Iterator[Image]:
        self._collection._count("missing.scan")
        for image in list(self._collection.images.values()):
            if image.missing_since is not None and (image.state != REMOVED or image.missing_since > removed_after):
                yield image

    def removed_before(self, moment: datetime, batch: int = 1000) -> Iterator[Image]:
        for image in list(self._collection.images.values()):
            if image.state == REMOVED and image.removed_at is not None and image.removed_at < moment:
                yield image

    def scan_pending(self, batch: int = 1000) -> Iterator[Image]:
        self._collection._count("missing.scan_pending")
        yield from [image for image in self._collection.images.values() if image.state == PENDING]

    def copies(self, shas: Sequence[str], batch: int = 1000) -> Iterator[Image]:
        self._collection._count("missing.copies")
        wanted = set(shas)
        yield from [image for image in self._collection._indexed() if image.sha256 in wanted]

    def _set(self, ids: Sequence[str], **fields: Any) -> None:
        self._collection._count("missing.set")
        for one in ids:
            if one in self._collection.images:
                self._collection.images[one] = replace(self._collection.images[one], **fields)


class FakeDerivation:
    """Has nothing to do: a fake collection derives what it is asked for.

    Attributes:
        left: How often `fill` says that there is more.
    """

    def __init__(self) -> None:
        self.left = 0

    def fill(self, seconds: float) -> bool:
        self.left = max(self.left - 1, 0)
        return self.left > 0


class FakeCopyGroups:
    """The groups of a fake collection."""

    def __init__(self, collection: FakeCollection) -> None:
        self._collection = collection

    def of_contents(self, shas: Sequence[str]) -> dict[str, list[Image]]:
        self._collection._count("copy_groups.of_contents")
        images = _by_age(self._collection._indexed())
        return {one: found for one in set(shas) if (found := [image for image in images if image.sha256 == one])}

    def copies_of(self, sha256: str) -> list[Image]:
        return [image for image in self._collection._indexed() if image.copy_of == sha256]

    def set_copy(self, sha256: str, copy_of: str | None, kind: CopyKind | None) -> None:
        self._set(lambda image: image.sha256 == sha256, copy_of=copy_of, copy_kind=kind)

    def set_equal(self, ids: Sequence[str], sha256: str) -> None:
        self._set(lambda image: image.id in ids and image.sha256 == sha256, copy_of=sha256, copy_kind=EQUAL)

    def set_burst(self, shas: Sequence[str], burst: str) -> None:
        self._set(lambda image: image.sha256 in shas, burst=burst)

    def merge_bursts(self, bursts: Sequence[str], into: str) -> None:
        self._set(lambda image: image.burst in bursts, burst=into)

    def set_compared(self, ids: Sequence[str], version: int) -> None:
        self._set(lambda image: image.id in ids, compared=version)

    def page(
        self, kind: GroupKind | None, limit: int, cursor: str | None = None, filter: Filter | None = None
    ) -> GroupPage:
        by_group: dict[str, list[Image]] = {}
        for image in sorted(self._collection._indexed(filter), key=order_of, reverse=True):
            group = image.burst if kind == BURST else image.copy_group
            if group and not (kind == EQUAL and image.copy_kind == NEAR):
                by_group.setdefault(group, []).append(image)
        groups = [
            Group(
                kind or (NEAR if any(one.copy_kind == NEAR for one in images) else EQUAL), _by_age(images), len(images)
            )
            for images in by_group.values()
            if len(images) > 1 and (kind != NEAR or any(one.copy_kind == NEAR for one in images))
        ]
        if not (cursor or "0").isdecimal():
            raise WrongCursor("not from an earlier page")
        start = int(cursor or 0)
        return GroupPage(groups[start:][:limit], str(start + limit) if len(groups) > start + limit else None)

    def _set(self, fits: Callable[[Image], bool], **fields: Any) -> None:
        self._collection._count("copy_groups.set")
        for image in list(self._collection.images.values()):
            if fits(image):
                self._collection.images[image.id] = replace(image, **fields)


class FakeCollection:
    """A collection in memory, of one bucket.

    Attributes:
        images: By id, those that are removed too.
        stored_vectors: By id: rows of vectors of length one, the visual one beside where the model has one.
        errors: What the next calls raise, in order; None for one that is answered.
        calls: How often each method was called.
    """

    def __init__(self, model: ModelRef = MODEL, name: str = "images-embedded-ffffffffffff") -> None:
        self.name = name
        self.model = model
        self.images: dict[str, Image] = {}
        self.stored_vectors: dict[str, Vector] = {}
        self.errors: list[Exception | None] = []
        self.calls: Counter[str] = Counter()
        self.missing = FakeMissingImages(self)
        self.derivation = FakeDerivation()
        self.copy_groups = FakeCopyGroups(self)

    def by_key(self) -> dict[str, Image]:
        """Return the images that are not removed, by key."""
        return {image.key: image for image in self.images.values() if image.state != REMOVED}

    def nearest(self, vector: Vector, params: SearchParams) -> Nearest:
        self._count("nearest")
        if params.offset + params.limit > MAX_DEPTH:
            raise TooDeep(f"a search goes {MAX_DEPTH} deep (QDRANT_MAX_DEPTH)")
        dimensions = self.model.visual_dimensions if params.visual else 0
        if np.shape(vector) != (dimensions or self.model.dimensions,):
            raise ValueError(f"a vector of shape ({dimensions or self.model.dimensions},) is needed")
        unit = np.asarray(vector, np.float32) / np.linalg.norm(vector)
        found = [
            image
            for image in sorted(self._indexed(params.filter), key=lambda image: image.id)
            if image.id not in params.exclude and image.copy_group not in params.exclude_copies
        ]
        stored = dict(self._vectors(found, visual=params.visual))
        similarity = {image.id: np.float32(stored[image.id] @ unit) for image in found}
        found.sort(key=lambda image: -similarity[image.id])
        nearest = found
        if params.distinct:
            found = first_of_each(found, _copy_group_of)
        if params.reordering is not None:
            first = [image for image in nearest[: params.reordering.depth] if image in found]
            own, seen = (
                np.array([vector for _, vector in self._vectors(first, visual=visual)], dtype=np.float32)
                for visual in (False, True)
            )
            similarities = np.array([similarity[image.id] for image in first])
            places = params.reordering.order(similarities, own, seen) if first else []
            found = [first[place] for place in places] + found[len(first) :]
        page = found[params.offset : params.offset + params.limit]
        vectors, seen = (
            np.array([vector for _, vector in self._vectors(page, visual=visual)], dtype=np.float32)
            for visual in (False, True)
        )
        return Nearest(
            [
                replace(image, attempts=0, etag=None, stamp=None, reason=None, missing_since=None, held_of=None)
                for image in page
            ],
            np.array([similarity[image.id] for image in page], dtype=np.float32),
            vectors.reshape(-1, self.model.dimensions) if params.with_vectors else None,
            seen.reshape(-1, self.model.visual_dimensions or self.model.dimensions) if params.with_vectors else None,
            self._count_copies(page, params.filter) if params.distinct else None,
        )

    def nearest_batch(self, vectors: Sequence[Vector], params: SearchParams) -> list[Nearest]:
        return [self.nearest(vector, params) for vector in vectors]

    def similar(self, image_id: str, params: SearchParams) -> Nearest:
        image = self.images.get(image_id)
        if image is None or image.state == REMOVED:
            raise UnknownImage(f"there is no image {image_id}")
        if image_id not in self.stored_vectors:
            raise NotIndexed(f"{image.key} is {image.state} and has no vector to compare with")
        copies = (image.copy_group,) if params.distinct and image.copy_group else ()
        exclude_copies = (*params.exclude_copies, *copies)
        exclude = (*params.exclude, image_id)
        others = replace(params, exclude=exclude, exclude_copies=exclude_copies, visual=True)
        [(_, vector)] = self._vectors([image], visual=True)
        return self.nearest(vector, others)

    def get(self, ids: Sequence[str], *, removed: bool = False) -> list[Image | None]:
        self._count("get")
        found = [self.images.get(one) for one in ids]
        return [image if image is not None and (removed or image.state != REMOVED) else None for image in found]

    def vectors(self, ids: Sequence[str], *, visual: bool = False) -> list[Vector | None]:
        return [None if row is None else self._part(row, visual=visual) for row in self.rows(ids)]

    def rows(self, ids: Sequence[str]) -> list[Vector | None]:
        return [self.stored_vectors.get(one) for one in ids]

    def browse(self, filter: Filter | None, limit: int, cursor: str | None = None, *, distinct: bool = False) -> Page:
        self._count("browse")
        found = sorted((image for image in self.images.values() if _fits(image, filter)), key=order_of, reverse=True)
        if distinct:
            found = first_of_each(found, _copy_group_of)
        last, seen = read_cursor(cursor) if cursor is not None else (None, [])
        if last is not None:
            found = [image for image in found if order_of(image) <= last and image.id not in seen]
        page = found[:limit]
        copies = self._count_copies(page, filter) if distinct else None
        if len(found) <= limit:
            return Page(page, None, copies)
        end = order_of(page[-1])
        ties = [image.id for image in page if order_of(image) == end]
        return Page(page, write_cursor(end, [*seen, *ties] if end == last else ties), copies)

    def count_copies(self, images: Sequence[Image]) -> list[int]:
        return self._count_copies(images, None)

    def scan_states(self, batch: int = 1000) -> Iterator[ScanState]:
        self._count("scan_states")
        for image in list(self.images.values()):
            yield ScanState(*(getattr(image, name) for name in ScanState._fields))

    def scan_labels(self, filter: Filter | None = None, batch: int = 1000) -> Iterator[list[Labelled]]:
        found = [Labelled(image.id, image.label, image.copy_group) for image in self._indexed(filter)]
        found.sort(key=lambda one: one.id)
        for start in range(0, len(found), batch):
            yield found[start : start + batch]

    def count(self, filter: Filter | None = None, *, indexed_after: datetime | None = None) -> int:
        return sum(
            indexed_after is None or (image.indexed_at is not None and image.indexed_at > indexed_after)
            for image in self._indexed(filter)
        )

    def counts(self) -> Counts:
        self._count("counts")
        return Counts(**Counter(image.state for image in self.images.values() if image.state != REMOVED))

    def labels(self, filter: Filter | None = None) -> dict[str, int]:
        return dict(Counter(image.label for image in self._indexed(filter) if image.label).most_common())

    def folders(self) -> dict[str, int]:
        return dict(Counter(folder for image in self._indexed() for folder in image.folders).most_common())

    def facets(
        self, names: Sequence[Facet], filter: Filter | None = None, *, limit: int = 100
    ) -> dict[str, dict[str, int]]:
        self._count("facets")
        found = {}
        for name in names:
            values = Counter(value for image in self._indexed(filter) for value in _facet_values(image, name))
            counts = values.most_common(limit)
            found[name] = dict(sorted(counts, key=lambda one: -int(one[0])) if name in ("rating", "year") else counts)
        return found

    def by_sha256(self, shas: Iterable[str]) -> dict[str, tuple[Image, Vector]]:
        self._count("by_sha256")
        wanted = set(shas)
        return {
            image.sha256: (image, self.stored_vectors[image.id])
            for image in self.images.values()
            if image.sha256 in wanted and image.id in self.stored_vectors
        }

    def upsert(self, images: Sequence[Image], vectors: Sequence[Vector] | None) -> None:
        self._count("upsert")
        if any((image.state == INDEXED) != (vectors is not None) for image in images):
            raise ValueError("an image has a vector if it is indexed, and only then")
        for image in images:
            named = {"label": image.label and canonical(image.label), "folders": _canonical_folders(image.folders)}
            self.images[image.id] = replace(image, key=storable(image.key), **named)
            self.stored_vectors.pop(image.id, None)
        for image, vector in zip(images, vectors if vectors is not None else (), strict=vectors is not None):
            size = self.model.dimensions + self.model.visual_dimensions
            if np.shape(vector) != (size,):
                raise ValueError(f"a vector of shape ({size},) is needed")
            parts = np.split(np.asarray(vector, np.float32), [self.model.dimensions])
            self.stored_vectors[image.id] = np.concatenate([part / np.linalg.norm(part) for part in parts if len(part)])

    def set_state(
        self, ids: Sequence[str], state: State, *, reason: str | None = None, next_try_at: datetime | None = None
    ) -> None:
        self._count("set_state")
        for one in ids:
            if one in (self.stored_vectors if state == INDEXED else self.images):
                changed = {"state": state, "reason": reason, "next_try_at": next_try_at}
                absent = {"missing_since": None, "held_of": None, "removed_at": None}
                self.images[one] = replace(self.images[one], **changed, **absent)

    def set_added(self, moments: Mapping[str, datetime]) -> None:
        self._count("set_added")
        for one, moment in moments.items():
            if one in self.images:
                self.images[one] = replace(self.images[one], added_at=moment)

    def set_stamp(self, ids: Sequence[str], stamp: str | None) -> None:
        self._count("set_stamp")
        for one in ids:
            if one in self.images:
                self.images[one] = replace(self.images[one], stamp=stamp or None)

    def delete(self, ids: Sequence[str]) -> None:
        self._count("delete")
        for one in ids:
            self.images.pop(one, None)
            self.stored_vectors.pop(one, None)

    def _vectors(self, images: Iterable[Image], *, visual: bool) -> Iterator[tuple[str, Vector]]:
        for image in images:
            yield image.id, self._part(self.stored_vectors[image.id], visual=visual)

    def _part(self, row: Vector, *, visual: bool) -> Vector:
        dimensions = self.model.dimensions
        return row[dimensions:] if visual and self.model.visual_dimensions else row[:dimensions]

    def _indexed(self, filter: Filter | None = None) -> list[Image]:
        return [
            image
            for image in self.images.values()
            if image.state == INDEXED and image.id in self.stored_vectors and _fits(image, filter)
        ]

    def _count_copies(self, images: Sequence[Image], filter: Filter | None) -> list[int]:
        counts = Counter(image.copy_group for image in self._indexed(filter) if image.copy_group)
        return [max(counts[image.copy_group] - 1, 0) for image in images]

    def _count(self, method: str) -> None:
        self.calls[method] += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


def _by_age(images: Iterable[Image]) -> list[Image]:
    return sorted(images, key=lambda image: (str(image.indexed_at), image.id))


def _canonical_folders(folders: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, map(canonical_folder, folders))))


def _fits(image: Image, filter: Filter | None) -> bool:
    filter = filter or Filter()
    shown = image.state in filter.states if filter.states else image.state != REMOVED
    left_out = filter.excluded is not None and any(_conditions(image, filter.excluded))
    return shown and all(_conditions(image, filter)) and not left_out


def _conditions(image: Image, filter: Filter) -> Iterator[bool]:
    """Yield of each condition of a filter, but that on states, whether an image meets it."""
    named = (
        (filter.labels and map(canonical, filter.labels), [image.label]),
        (_canonical_folders(filter.folders), image.folders),
        (filter.formats, [image.format]),
        (filter.sha256, [image.sha256]),
        (filter.copy_groups, [image.copy_group]),
        (filter.shapes, [shape_of(image.width, image.height)]),
    )
    yield from (not set(values).isdisjoint(wanted) for wanted, values in named if wanted)
    moment = image.taken_at or (image.modified_at and image.modified_at.replace(tzinfo=None))
    periods = ((moment, filter.after, filter.before), (image.added_at, filter.added_after, filter.added_before))
    yield from (
        one is not None and (after is None or one >= after) and (before is None or one < before)
        for one, after, before in periods
        if (after, before) != (None, None)
    )
    pixels = image.width * image.height if image.width and image.height else None
    least = Between(filter.rating) if filter.rating is not None else None
    yield from (
        number is not None and (between.least or 0) <= number <= (between.most or number)
        for between, number in ((filter.bytes, image.bytes), (filter.pixels, pixels), (least, image.rating))
        if between is not None
    )
    if filter.near is not None:
        yield image.place is not None and _kilometres(image.place, filter.near) <= filter.near.kilometres
    if filter.inside is not None:
        yield image.place is not None and _is_inside(image.place, filter.inside)
    yield from _conditions_on_words(image, filter)


def _conditions_on_words(image: Image, filter: Filter) -> Iterator[bool]:
    name = stem_of(image.key.rpartition("/")[2])
    texts = [name, *image.folders[-1:], image.title or "", *image.keywords]
    if filter.names:
        words = _folded(indexed_words([name])).split()
        yield _has(filter.names, lambda one: any(word.startswith(one) for word in words))
    if filter.words:
        yield _has(filter.words, _folded(indexed_words(texts)).split().__contains__)
    for wanted, value in ((filter.cameras, image.camera), (filter.lenses, image.lens)):
        if wanted:
            words = indexed_words([value or ""]).split()
            yield any(set(form.split()) <= set(words) for text in wanted for form in asked_words(text)[:1])


def _facet_values(image: Image, name: Facet) -> list[str]:
    moment = image.taken_at or image.modified_at
    values = {
        "label": [image.label],
        "folder": image.folders,
        "format": [image.format],
        "camera": [image.camera],
        "lens": [image.lens],
        "shape": [shape_of(image.width, image.height)],
        "rating": [image.rating and str(image.rating)],
        "year": [moment and str(moment.year)],
    }
    return [value for value in values[name] if value]


def _has(texts: Iterable[str], is_there: Callable[[str], bool]) -> bool:
    forms = [form for text in texts for form in asked_words(stem_of(text))]
    return any(all(map(is_there, _folded(form).split())) for form in forms)


def _folded(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))


def _kilometres(place: tuple[float, float], circle: Circle) -> float:
    latitude, longitude, at, around = np.radians([*place, circle.latitude, circle.longitude])
    half = np.sin((latitude - at) / 2) ** 2 + np.cos(latitude) * np.cos(at) * np.sin((longitude - around) / 2) ** 2
    return float(2 * 6371.0 * np.arcsin(np.sqrt(half)))


def _is_inside(place: tuple[float, float], box: Box) -> bool:
    latitude, longitude = place
    spans = [(box.west, box.east)] if box.west <= box.east else [(box.west, 180.0), (-180.0, box.east)]
    return box.south <= latitude <= box.north and any(west <= longitude <= east for west, east in spans)


def _copy_group_of(image: Image) -> str:
    return image.copy_group or ""
