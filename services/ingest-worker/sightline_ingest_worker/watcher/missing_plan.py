"""What becomes of the records whose objects are missing: moved, held, removed. Does no I/O."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sightline_catalogue import REMOVED, Image, State

SAME_SIZE_SECONDS = 3600.0
"""For so long a record waits for a pending image of the same size, which may be its object, moved; for one that also
has the same modification time it waits until that has been read."""
EARLIER, LATER = timedelta(seconds=10), timedelta(seconds=3)
"""Events come in any order: an image with its bytes may be indexed so much before an object is known to be missing, if
that is so much after its record was indexed: of equal files that are new, all are indexed at about the same time."""
CHANGED_SECONDS = 60.0
"""For so long it waits for images that changed: their new sizes are not known."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MissingRecord:
    """A record whose object is missing, with the fields that decide what becomes of it; see `Image`."""

    id: str
    key: str
    state: State
    since: datetime
    sha256: str | None = None
    bytes: int | None = None
    modified_at: datetime | None = None
    indexed_at: datetime | None = None
    held_of: int | None = None

    @classmethod
    def of(cls, image: Image, since: datetime) -> MissingRecord:
        """Return an image as a record that is missing since a moment."""
        return cls(
            id=image.id,
            key=image.key,
            state=image.state,
            since=since,
            sha256=image.sha256,
            bytes=image.bytes,
            modified_at=image.modified_at,
            indexed_at=image.indexed_at,
            held_of=image.held_of,
        )

    @property
    def is_removed(self) -> bool:
        """Whether it is removed already."""
        return self.state == REMOVED

    @property
    def is_confirmed(self) -> bool:
        """Whether an owner has said that its object is really gone."""
        return self.held_of == 0


@dataclass(frozen=True)
class LossRule:
    """When so much is missing at once that it may be a disk that is not mounted.

    Attributes:
        share: Of the images that are known, at least so large a part.
        least: And at least so many.
        window: What goes missing within this time counts together.
    """

    share: float
    least: int
    window: timedelta

    def is_loss(self, missing: int, known: int) -> bool:
        """Return whether so many, of so many, are a suspected loss."""
        return missing >= max(self.least, 1) and missing >= self.share * known

    def suspected(self, records: Iterable[MissingRecord], known: int) -> set[str]:
        """Return the ids of the records that are part of a suspected loss.

        Args:
            records: Those that are missing, and those that were removed lately.
            known: How many images there are, without the removed ones.
        """
        ordered = sorted(records, key=lambda record: record.since)
        suspected: set[str] = set()
        first = marked = removed = 0
        for last, record in enumerate(ordered):
            removed += record.is_removed
            while record.since - ordered[first].since > self.window:
                removed -= ordered[first].is_removed
                first += 1
            if self.is_loss(last - first + 1, known + removed):
                suspected.update(one.id for one in ordered[max(first, marked) : last + 1])
                marked = last + 1
        return suspected


@dataclass(frozen=True)
class PendingFiles:
    """What is known of the pending images, of which each may be a missing object, moved.

    Attributes:
        sizes: Their sizes in bytes.
        stamps: Their sizes, each with the time of modification.
        has_changed: Whether there are some that were indexed before and changed, and whose sizes now are not known.
    """

    sizes: Collection[int | None] = frozenset()
    stamps: Collection[tuple[int | None, datetime | None]] = frozenset()
    has_changed: bool = False

    @classmethod
    def of(
        cls, pending: Sequence[Image], listed: Mapping[str, tuple[int, datetime]] = MappingProxyType({})
    ) -> PendingFiles:
        """Return what is known of some pending images.

        Args:
            pending: Their records.
            listed: Sizes and times of modification that differ from those of their records, by id.
        """
        known = {image.id: (image.bytes, image.modified_at) for image in pending if image.indexed_at is None}
        known |= {image.id: listed[image.id] for image in pending if image.id in listed}
        return cls(
            sizes={size for size, _ in known.values()},
            stamps=frozenset(known.values()),
            has_changed=len(known) < len(pending),
        )

    def may_have(self, record: MissingRecord, waited: timedelta) -> bool:
        """Return whether one of them may be the object of a record, moved, that has been waited for so long."""
        if record.sha256 is None:
            # It was never read, so that there is nothing to take over from it.
            return False
        if (record.bytes, record.modified_at) in self.stamps:
            return True
        seconds = waited.total_seconds()
        is_of_a_size = record.bytes in self.sizes and seconds < SAME_SIZE_SECONDS
        return is_of_a_size or (self.has_changed and seconds < CHANGED_SECONDS)


def match_moved(
    missing: Iterable[MissingRecord],
    copies: Iterable[Image],
    window: timedelta,
    is_waited_for: Callable[[MissingRecord], bool],
) -> dict[str, str]:
    """Return for each record that moved the id of the image that has its bytes now, each for one record alone.

    An image counts if it appeared after the record's object went, or a little before, as where files are copied first
    and deleted afterwards. A copy that was there all along does not count.

    Args:
        missing: The records; those that are removed are skipped.
        copies: The indexed images with their bytes.
        window: How long before an image may have appeared.
        is_waited_for: Whether an object of a record may still be pending. Of equal records none moved as long as there
            are fewer new images than records, and more may come.
    """
    by_content: dict[str, list[MissingRecord]] = defaultdict(list)
    for record in missing:
        if record.sha256 is not None and not record.is_removed:
            by_content[record.sha256].append(record)
    new: dict[str, list[Image]] = defaultdict(list)
    for image in copies:
        if image.missing_since is None and image.sha256 in by_content:
            new[image.sha256].append(image)
    moved: dict[str, str] = {}
    for sha256, records in by_content.items():
        pairs: dict[str, str] = {}
        free = sorted(new[sha256], key=lambda image: image.id)
        for record in sorted(records, key=lambda record: (record.since, record.id)):
            found = next((image for image in free if _appeared(image, record, window)), None)
            if found is not None:
                free.remove(found)
                pairs[record.id] = found.id
        if len(pairs) == len(records) or not any(map(is_waited_for, records)):
            moved |= pairs
    return moved


def _appeared(image: Image, record: MissingRecord, window: timedelta) -> bool:
    """Return whether an image appeared about when a record's object went."""
    if image.id == record.id or image.indexed_at is None:
        return False
    known_since = record.indexed_at or _LONG_AGO
    if image.indexed_at >= record.since:
        return True
    if image.indexed_at >= record.since - EARLIER and image.indexed_at >= known_since + LATER:
        return True
    is_newer = image.indexed_at >= known_since + window or (image.modified_at or _LONG_AGO) > known_since
    return is_newer and image.indexed_at >= record.since - window


@dataclass(frozen=True)
class Facts:
    """What a plan depends on, besides the records.

    Attributes:
        known: How many images there are, without the removed ones.
        moved: The ids of records whose bytes are found under a new key.
        waited_for: The ids of records whose object may be pending under a new key.
        waited_for_since_held: Likewise, of records that were held once, of which each waits from the end of that on.
        unsure: The ids of records that are missing only just now, or by one listing alone.
        is_empty: Whether the whole bucket is a folder without any file, as that of a disk that is not mounted.
    """

    known: int
    moved: Collection[str] = frozenset()
    waited_for: Collection[str] = frozenset()
    waited_for_since_held: Collection[str] = frozenset()
    unsure: Collection[str] = frozenset()
    is_empty: bool = False


@dataclass
class MissingPlan:
    """What to do about missing records.

    Attributes:
        moved: Ids of records to delete, since another has their bytes.
        gone: Ids of records to remove from search.
        newly_held: Ids of records to hold from now on.
        bring_back: Ids of records that were removed before the loss of which they are part was seen.
        held: The records that are held.
        of: Of how many images.
        waiting: How many are neither held nor decided.
    """

    moved: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    newly_held: list[str] = field(default_factory=list)
    bring_back: list[str] = field(default_factory=list)
    held: list[MissingRecord] = field(default_factory=list)
    of: int = 0
    waiting: int = 0


def make_plan(records: Collection[MissingRecord], facts: Facts, rule: LossRule) -> MissingPlan:
    """Return what to do about the records that are missing, and those that were removed lately.

    A record moved where its bytes are found under a new key; it waits while they may yet be. What is left is removed,
    unless it is part of a suspected loss: then it is held, until its object is there again, its bytes are found under
    a new key, an owner confirms the loss, or most of the loss has come back.
    """
    lost = [record for record in records if record.id not in facts.moved and record.id not in facts.waited_for]
    suspected = rule.suspected([record for record in lost if not record.is_confirmed], facts.known)
    held_before = {record.id: record.held_of for record in records if record.held_of and not record.is_removed}
    if rule.is_loss(len(held_before.keys() - set(facts.moved)), max(held_before.values(), default=0)):
        suspected |= held_before.keys()
    plan = MissingPlan()
    for record in records:
        if record.is_removed:
            if record.id in suspected:
                plan.bring_back.append(record.id)
        elif record.id in facts.moved:
            plan.moved.append(record.id)
        elif record.id in facts.waited_for or (record.id in facts.unsure and record.held_of is None):
            plan.waiting += 1
        elif not record.is_confirmed and (facts.is_empty or record.id in suspected):
            plan.held.append(record)
            if record.id in suspected and not record.held_of:
                plan.newly_held.append(record.id)
        elif record.id in facts.waited_for_since_held:
            plan.waiting += 1
        else:
            plan.gone.append(record.id)
    plan.newly_held += plan.bring_back
    plan.of = max(facts.known + len(plan.bring_back), max(held_before.values(), default=0))
    return plan
