"""Finds the copies of pictures that have been stored, and the bursts that they are of.

The nearest by their visual vectors are looked at, and how two pictures agree decides (`near_copies` in libs/pictures).
Of a group of copies each names the first, which was indexed before the others, and is a copy of that very one: no chain
of pictures, each a little different, makes a group. A picture is looked for after it was stored, behind everything else
that is to be indexed: of two workers that do so at a time one sees the other's, and since the order is that of the
records, both see the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sightline_catalogue import EQUAL, NEAR, Collection, CopyKind, Image, SearchParams
from sightline_catalogue.copy_groups import CopyGroups
from sightline_pictures.near_copies import COMPARISON_VERSION, Agreement, Sketch, compare

from sightline_ingest_worker.worker.metrics import step
from sightline_ingest_worker.worker.sketches import Sketches

CANDIDATES = 8
"""So many of the nearest pictures, copies left out, are compared with a new one."""
BURST_SECONDS = 2.0
"""Between two pictures of a burst."""
MOST_TRIES = 3


def is_compared(image: Image) -> bool:
    """Return whether an image's copies have been looked for, by this version of the code."""
    return (image.compared or 0) >= COMPARISON_VERSION


def group(collection: Collection, sketches: Sketches, images: Sequence[Image]) -> None:
    """Record of which groups some images are that are stored; those that were compared are left out.

    Args:
        collection: Where they are.
        sketches: Of all that is there.
        images: All of them indexed.

    Raises:
        CatalogueError, BucketUnavailable: A service does not answer. The call may be repeated; the watcher has those
            that were not compared queued again.
    """
    images = [image for image in images if not is_compared(image)]
    found = collection.vectors([image.id for image in images], visual=True) if images else []
    vectors = {
        image.sha256: vector
        for image, vector in zip(images, found, strict=True)
        if image.sha256 is not None and vector is not None
    }
    if not vectors:
        return
    with step("group"):
        grouper = _Grouper(collection.copy_groups, sketches)
        records = collection.copy_groups.of_contents(list(vectors))
        for image in images:
            known = records.setdefault(image.sha256 or "", []) if image.sha256 in vectors else []
            if image.id not in {one.id for one in known}:
                # Of very many of the same bytes some are read.
                known.append(image)
        new = []
        for sha256, same in records.items():
            if any(map(is_compared, same)):
                grouper.join_equal(sha256, same)
            else:
                new.append(sha256)
        if new:
            params = SearchParams(limit=CANDIDATES + 1, distinct=True, visual=True)
            nearest = collection.nearest_batch([vectors[sha256] for sha256 in new], params)
            for sha256, around in zip(new, nearest, strict=True):
                grouper.place(records[sha256], around.images)
        collection.copy_groups.set_compared([one.id for found in records.values() for one in found], COMPARISON_VERSION)


@dataclass(frozen=True)
class _Match:
    """A group that a picture is of: the SHA-256 of its first, that one's record, None if it is gone, and how alike."""

    copy_of: str
    first: Image | None
    kind: CopyKind
    agreement: Agreement

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """The larger, the better: an export lies exactly over its own shot of a burst, and not over the next one."""
        return self.kind == EQUAL, not self.agreement.is_moved, self.agreement.share


class _Grouper:
    def __init__(self, groups: CopyGroups, sketches: Sketches) -> None:
        self._groups = groups
        self._sketches = sketches

    def join_equal(self, sha256: str, records: Sequence[Image]) -> None:
        """Have images whose bytes have been compared already say what the others of these bytes say."""
        known = next(filter(is_compared, records))
        if known.burst is not None:
            self._groups.set_burst([sha256], known.burst)
        near = next((one for one in records if one.copy_of not in (None, sha256)), None)
        if near is not None:
            self._groups.set_copy(sha256, near.copy_of, near.copy_kind)
        else:
            self._mark_equal(records)

    def place(self, records: Sequence[Image], nearest: Sequence[Image]) -> None:
        """Find the group of images of the same bytes among the pictures that are nearest to them."""
        image = records[0]
        others = [one for one in nearest if one.sha256 != image.sha256]
        sketch = self._sketches.get(image.sha256 or "")
        if sketch is None:
            self._mark_equal(records)
            return
        # What is derived of it for the comparisons goes with them.
        sketch = replace(sketch)
        compared = [(one, self._agreement(sketch, one)) for one in others]
        self._place_in_burst(image, compared)
        matches = [match for one, agreement in compared if (match := self._match(image, one, agreement)) is not None]
        older = [match for match in matches if match.first is None or _age(match.first) < _age(image)]
        if older:
            best = max(older, key=lambda match: match.rank)
            self._join(image, best.copy_of, best.kind)
            return
        self._mark_equal(records)
        for match in matches:
            self._join(match.first or image, image.sha256 or "", match.kind)

    def _agreement(self, sketch: Sketch, other: Image) -> Agreement:
        # Where the first of a group is gone, what is left of it stands for it.
        theirs = (found for one in (other.copy_of, other.sha256) if one and (found := self._sketches.get(one)))
        first = next(theirs, None)
        return compare(sketch, first) if first is not None else Agreement()

    def _match(self, image: Image, other: Image, agreement: Agreement) -> _Match | None:
        """Return the group of another picture if an image is a copy of its first."""
        copy_of = other.copy_group
        if copy_of is None or not agreement.is_near_copy:
            return None
        first = next(iter(self._groups.of_contents([copy_of]).get(copy_of, ())), None)
        like = first or other
        if are_two_exposures(image, like, agreement):
            return None
        is_equal = image.input_sha256 is not None and image.input_sha256 == like.input_sha256
        return _Match(copy_of, first, EQUAL if is_equal else NEAR, agreement)

    def _join(self, image: Image, copy_of: str, kind: CopyKind) -> None:
        """Make images of some bytes copies of a picture, and have those that named them look whether they are, too."""
        sha256 = image.sha256 or ""
        for _ in range(MOST_TRIES):
            self._groups.set_copy(sha256, copy_of, kind)
            self._pass_on(sha256, copy_of)
            # Another worker may just have found that it is a copy itself.
            first = next(iter(self._groups.of_contents([copy_of]).get(copy_of, ())), None)
            if first is None or first.copy_of in (None, copy_of):
                return
            if not self._are_near(sha256, first.copy_of or ""):
                self._leave(sha256)
                return
            copy_of, kind = first.copy_of or "", NEAR

    def _pass_on(self, sha256: str, copy_of: str) -> None:
        """Have the copies of a picture, which is a copy of another now, join that one if they are copies of it."""
        for other in sorted({one.sha256 for one in self._groups.copies_of(sha256) if one.sha256 not in (None, sha256)}):
            if self._are_near(other or "", copy_of):
                self._groups.set_copy(other or "", copy_of, NEAR)
            else:
                self._leave(other or "")

    def _leave(self, sha256: str) -> None:
        self._groups.set_copy(sha256, None, None)
        self._mark_equal(self._groups.of_contents([sha256]).get(sha256, []))

    def _mark_equal(self, records: Sequence[Image]) -> None:
        """Have all images of some bytes name the first of them, but for that one."""
        if len(records) > 1:
            self._groups.set_equal([one.id for one in records[1:]], records[0].sha256 or "")

    def _are_near(self, sha256: str, other: str) -> bool:
        ours, theirs = self._sketches.get(sha256), self._sketches.get(other)
        return ours is not None and theirs is not None and compare(replace(ours), theirs).is_near_copy

    def _place_in_burst(self, image: Image, compared: Sequence[tuple[Image, Agreement]]) -> None:
        """Record the burst of a picture and those of its neighbours that are of it; bursts that meet become one."""
        of_burst = [one for one, agreement in compared if are_of_a_burst(image, one, agreement)]
        if not of_burst:
            return
        known = {one.burst for one in (image, *of_burst) if one.burst is not None}
        shas = sorted(one.sha256 for one in (image, *of_burst) if one.sha256 is not None)
        burst = min(known or shas)
        self._groups.set_burst(shas, burst)
        if others := sorted(known - {burst}):
            self._groups.merge_bursts(others, burst)


def are_two_exposures(image: Image, other: Image, agreement: Agreement) -> bool:
    """Return whether the camera's clock says that two pictures are not one, however alike they are.

    Two of one second and one size are one if they lie exactly over each other: shots of a burst do not.
    """
    if not image.camera or image.camera != other.camera or image.taken_at is None or other.taken_at is None:
        return False
    if image.taken_at != other.taken_at:
        return True
    return (image.width, image.height) == (other.width, other.height) and agreement.is_moved


def are_of_a_burst(image: Image, other: Image, agreement: Agreement) -> bool:
    """Return whether two pictures are two exposures of a burst: of one camera, seconds apart, and alike."""
    if image.taken_at is None or other.taken_at is None or agreement.correlation <= 0:
        return False
    is_close = abs(image.taken_at - other.taken_at) <= timedelta(seconds=BURST_SECONDS)
    return is_close and are_two_exposures(image, other, agreement)


def _age(image: Image) -> tuple[str, str]:
    return image.indexed_at.isoformat() if image.indexed_at else "", image.sha256 or ""
