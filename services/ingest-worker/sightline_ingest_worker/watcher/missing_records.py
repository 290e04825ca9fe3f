"""The records whose objects are missing: what is known of them, and what is done about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sightline_bucket import Bucket, BucketObject, ThumbnailStore
from sightline_catalogue import INDEXED, REMOVED
from sightline_catalogue import Collection as ImageCollection
from sightline_service.batches import batched
from sightline_service.clock import SYSTEM_CLOCK, Clock
from sightline_service.queues import HeldLoss

from sightline_ingest_worker.removal import bring_back, mark_missing
from sightline_ingest_worker.watcher import metrics
from sightline_ingest_worker.watcher.candidates import Candidates
from sightline_ingest_worker.watcher.missing_changes import MissingChanges
from sightline_ingest_worker.watcher.missing_plan import (
    Facts,
    LossRule,
    MissingPlan,
    MissingRecord,
    PendingFiles,
    make_plan,
    match_moved,
)
from sightline_ingest_worker.watcher.reconciler import Reconciler

log = structlog.get_logger()

GRACE_SECONDS = 4.0
"""For so long a record stays in search however few are missing: its object may come by another name in a moment."""
AT_ONCE = 500
"""Records that are removed or deleted before the watcher looks at what else there is to do."""
CHECK_SECONDS = 0.5
IDLE_CHECK_SECONDS = 10.0
PURGE_SECONDS = 3600.0


class MissingRecords:
    """Decides what becomes of records whose objects are missing, and has the catalogue changed accordingly.

    Since when an object is missing, whether its record is held, and when it was removed, is kept in the catalogue: what
    is kept here is a copy, so that a watcher that starts anew goes on where the last one ended. While a new model's
    collection is filled, the same is decided for it and for the one that is searched: `collections` are both then, the
    one that is filled first.

    Args:
        bucket: To look whether an object is really gone.
        thumbnails: Those that no record uses any more are deleted.
        rule: What a suspected loss is.
        keep: For how long removed records are kept.
        reconciler: Knows the ids of objects' records, and how pending objects are listed.
        candidates: Says which objects could be images.
        grace_seconds: See GRACE_SECONDS.
        clock: Tells the time.
    """

    def __init__(
        self,
        bucket: Bucket,
        thumbnails: ThumbnailStore,
        rule: LossRule,
        keep: timedelta,
        reconciler: Reconciler,
        candidates: Candidates,
        grace_seconds: float = GRACE_SECONDS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._bucket = bucket
        self._thumbnails = thumbnails
        self._changes = MissingChanges(bucket, thumbnails, keep, candidates)
        self._rule = rule
        self._reconciler = reconciler
        self._clock = clock
        self._grace = timedelta(seconds=grace_seconds)
        self._records: dict[str, MissingRecord] = {}
        self._returned: dict[str, datetime] = {}
        """When objects were there again, by id: others may have moved there."""
        self._reported: set[str] = set()
        """Ids whose absence file events or hints reported, and not a listing alone."""
        self._held_until: dict[str, datetime] = {}
        """When records were held last, by id: what is held no longer may have moved meanwhile."""
        self._left_out: set[str] = set()
        """Ids of records that count as confirmed since the settings leave them out, and not by an owner's word."""
        self._listed_from: datetime | None = None
        self._is_empty = False
        self._check_due_at = 0.0
        self._purge_due_at = 0.0
        self.held: HeldLoss | None = None
        """What is held as a suspected loss; None where nothing is."""

    def load(self, collections: Sequence[ImageCollection]) -> None:
        """Read from the catalogue which records are missing, held or lately removed.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        self._records.clear()
        self._held_until.clear()
        for collection in reversed(collections):
            for image in collection.missing.scan(self._clock.now() - self._rule.window):
                if image.missing_since is not None:
                    self._records[image.id] = MissingRecord.of(image, image.missing_since)
                    if image.held_of:
                        self._held_until[image.id] = self._clock.now()
        self._check_due_at = 0.0

    def mark(self, collections: Sequence[ImageCollection], ids: Sequence[str], *, is_reported: bool) -> bool:
        """Record that objects are missing; return whether some were not known to be.

        Args:
            collections: Where their records are, if they have any.
            ids: Of the records.
            is_reported: Whether an event or a hint says so: what only a listing misses, another one has to confirm.

        Raises:
            CatalogueError: The catalogue does not answer; the call may be repeated.
        """
        now = self._clock.now()
        is_new = False
        reported = ids if is_reported else ()
        ids = [one for one in ids if one not in self._records or self._records[one].is_removed]
        for collection in reversed(collections):
            missing = mark_missing(collection, self._thumbnails, ids, now)
            # What the settings leave out now is no loss.
            if left_out := [image.id for image in missing if self._is_left_out(image.key)]:
                collection.missing.hold(left_out, 0)
                self._left_out.update(left_out)
                missing = [replace(image, held_of=0) if image.id in set(left_out) else image for image in missing]
            for image in missing:
                known = self._records.get(image.id)
                is_new = is_new or known is None or known.is_removed
                self._records[image.id] = MissingRecord.of(image, image.missing_since or now)
        self._reported.update(one for one in reported if one in self._records)
        if is_new:
            self._check_due_at = 0.0
        return is_new

    def _is_left_out(self, key: str) -> bool:
        if self._bucket.root is None:
            return self._bucket.selection.key(key.encode("utf-8", "surrogateescape")) is not None
        return self._bucket.excluded(key) is not None

    def note_present(self, ids: Iterable[str]) -> None:
        """Note that objects are there, as the catalogue has been told."""
        now = self._clock.now()
        returned = [one for one in ids if one in self._records]
        self._returned.update(dict.fromkeys(returned, now))
        self.forget(returned)

    def forget(self, ids: Iterable[str]) -> None:
        """Forget records: the catalogue has been told that their objects are there, or has them no more."""
        for image_id in ids:
            self._records.pop(image_id, None)
            self._reported.discard(image_id)
            self._held_until.pop(image_id, None)
            self._left_out.discard(image_id)

    def bring_back(self, collection: ImageCollection, objects: Sequence[BucketObject]) -> None:
        """Return to a collection the records of objects that are there again and unchanged.

        For the collection that is searched while another one is filled: in that one, `Reconciler` does it.

        Raises:
            CatalogueError: The catalogue does not answer; the call may be repeated.
        """
        by_id = {self._reconciler.identify(seen.raw_name): seen for seen in objects}
        found = [image for image in collection.get(list(by_id), removed=True) if image is not None]
        returned = [
            image
            for image in found
            if (image.etag == by_id[image.id].etag if image.state == REMOVED else image.missing_since is not None)
        ]
        bring_back(collection, returned)

    def note_listing(
        self, collections: Sequence[ImageCollection], began_at: datetime, missing: Iterable[str], *, is_empty: bool
    ) -> None:
        """Note a complete listing; forget what it found whose return nothing else told: a worker was first to see it.

        Args:
            collections: Where the records are.
            began_at: When it began.
            missing: The ids of the records whose objects were not listed.
            is_empty: Whether the bucket is a folder that held nothing at all.

        Raises:
            BucketUnavailable, CatalogueError: A service does not answer.
        """
        before = {one.id for one in self._records.values() if one.since < began_at and not one.is_removed}
        self._gone(collections, sorted(before.difference(missing)))
        self._listed_from = began_at
        self._is_empty = is_empty
        self._check_due_at = 0.0

    def delete(self, collections: Sequence[ImageCollection], ids: Sequence[str]) -> None:
        """Delete at once the records of objects that an owner has deleted.

        Raises:
            BucketUnavailable, CatalogueError: A service does not answer; the call may be repeated.
        """
        present = self._changes.find_present(collections, ids)
        metrics.DELETED.inc(self._changes.delete(collections, [one for one in ids if one not in present]))
        self.forget(ids)

    def confirm(self, collections: Sequence[ImageCollection], before: datetime) -> None:
        """Have the records removed that are held and went missing until a moment: an owner says that they are gone.

        What went missing just now is decided as ever: the owner has not seen it yet.

        Raises:
            CatalogueError: The catalogue does not answer; the call may be repeated.
        """
        now = self._clock.now()
        ids = [
            one.id
            for one in self._records.values()
            if not one.is_removed and one.since <= before
            if one.held_of is not None or not self._is_unsure(one, now)
        ]
        for collection in collections:
            collection.missing.hold(ids, 0)
        for image_id in ids:
            self._records[image_id] = replace(self._records[image_id], held_of=0)
        self._held_until |= dict.fromkeys(ids, now)
        self._left_out.difference_update(ids)
        log.info("the loss was confirmed", records=len(ids))
        self._check_due_at = 0.0

    def step(self, collections: Sequence[ImageCollection]) -> None:
        """Decide and carry out what is due, at most AT_ONCE records of each kind.

        Raises:
            BucketUnavailable, CatalogueError: A service does not answer; the call may be repeated.
        """
        now = self._clock.monotonic()
        if now >= self._purge_due_at:
            self._changes.purge(collections, self._clock.now())
            self._purge_due_at = now + PURGE_SECONDS
        if now < self._check_due_at:
            return
        self._forget_removed()
        if all(record.is_removed for record in self._records.values()):
            self._show(MissingPlan())
            self._check_due_at = now + CHECK_SECONDS
            return
        plan, matches = self._plan(collections)
        self._hold(collections, plan)
        moved = self._gone(collections, plan.moved[:AT_ONCE])
        # What has its bytes now may itself have changed a moment ago: then it is looked at anew.
        unchanged = self._changes.find_unchanged(collections[0], [matches[one] for one in moved])
        moved = [one for one in moved if matches[one] in unchanged]
        self._changes.delete_moved(collections, {one: matches[one] for one in moved})
        self.forget(moved)
        self._remove(collections, self._gone(collections, self._still_confirmed(collections, plan.gone[:AT_ONCE])))
        self._held_until |= dict.fromkeys((record.id for record in plan.held), self._clock.now())
        self._show(plan)
        took = self._clock.monotonic() - now
        is_at_rest = not (plan.waiting or plan.moved or plan.gone or plan.newly_held)
        # Where very many are missing, most of the time is left for what else there is to do.
        pause = max(IDLE_CHECK_SECONDS if is_at_rest else CHECK_SECONDS, 3 * took)
        self._check_due_at = self._clock.monotonic() + pause
        if len(plan.moved) > AT_ONCE or len(plan.gone) > AT_ONCE or plan.bring_back:
            self._check_due_at = 0.0

    def needed_by(self, searched: ImageCollection, filled: ImageCollection) -> int:
        """Return how many missing images are found in one collection, and have no vector in another.

        Raises:
            CatalogueError: The catalogue does not answer.
        """
        ids = [record.id for record in self._records.values() if record.state == INDEXED]
        count = 0
        for some in batched(ids, AT_ONCE):
            pairs = zip(searched.get(some), filled.get(some), strict=True)
            count += sum(
                old is not None and old.state == INDEXED and (new is None or new.state != INDEXED) for old, new in pairs
            )
        return count

    def _plan(self, collections: Sequence[ImageCollection]) -> tuple[MissingPlan, dict[str, str]]:
        now = self._clock.now()
        # Counted after the records of what is new were written: what may have moved is among the pending ones.
        counts = [collection.counts() for collection in collections]
        pending = self._pending_files(collections) if counts[0].pending else PendingFiles()
        shown = [record for record in self._records.values() if not record.is_removed]
        waited_for = {record.id for record in shown if pending.may_have(record, now - record.since)}
        until = self._held_until
        since_held = {
            record.id for record in shown if record.id in until and pending.may_have(record, now - until[record.id])
        }
        may_be_pending = waited_for | since_held
        shas = sorted({record.sha256 for record in shown if record.sha256 is not None})
        copies = [
            replace(image, indexed_at=self._returned.get(image.id, image.indexed_at))
            for image in collections[0].missing.copies(shas)
        ]
        matches = match_moved(shown, copies, self._rule.window, lambda record: record.id in may_be_pending)
        facts = Facts(
            known=max(each.pending + each.indexed + each.failed for each in counts),
            moved=matches.keys(),
            waited_for=waited_for - matches.keys(),
            waited_for_since_held=since_held - matches.keys(),
            unsure={record.id for record in shown if self._is_unsure(record, now)},
            is_empty=self._is_empty,
        )
        return make_plan(list(self._records.values()), facts, self._rule), matches

    def _pending_files(self, collections: Sequence[ImageCollection]) -> PendingFiles:
        """Return what is known of the pending files, without those that the collection that is searched has."""
        pending, listed = list(collections[0].missing.scan_pending()), self._reconciler.listed
        sizes = {record.bytes for record in self._records.values()}
        for collection in collections[1:]:
            alike = [image.id for image in pending if sizes & {image.bytes, listed.get(image.id, (None,))[0]}]
            known = {image.id for image in collection.get(alike) if image is not None and image.state == INDEXED}
            pending = [image for image in pending if image.id not in known]
        return PendingFiles.of(pending, listed)

    def _is_unsure(self, record: MissingRecord, now: datetime) -> bool:
        if now - record.since < self._grace:
            return True
        is_reported = record.id in self._reported and self._bucket.root is not None
        return not is_reported and (self._listed_from is None or self._listed_from <= record.since)

    def _forget_removed(self) -> None:
        """Forget the records that were removed so long ago that they are part of no loss any more."""
        earliest = self._clock.now() - self._rule.window
        self._returned = {one: moment for one, moment in self._returned.items() if moment >= earliest}
        self.forget([one.id for one in self._records.values() if one.is_removed and one.since < earliest])

    def _gone(self, collections: Sequence[ImageCollection], ids: Sequence[str]) -> list[str]:
        """Return those of some ids whose objects are really gone; forget the others."""
        present = self._changes.find_present(collections, ids)
        self.forget(present)
        return [one for one in ids if one not in present]

    def _still_confirmed(self, collections: Sequence[ImageCollection], ids: Sequence[str]) -> list[str]:
        """Return ids without those whose objects were left out, and are so no longer: they are decided as ever."""
        back = [one for one in ids if one in self._left_out and not self._is_left_out(self._records[one].key)]
        if back:
            for collection in collections:
                collection.missing.hold(back, None)
            self._left_out.difference_update(back)
            self._records |= {one: replace(self._records[one], held_of=None) for one in back}
        return [one for one in ids if one not in back]

    def _hold(self, collections: Sequence[ImageCollection], plan: MissingPlan) -> None:
        since = {image_id: self._records[image_id].since for image_id in plan.bring_back}
        self._changes.return_to_search(collections, since)
        self._changes.hold(collections, plan.newly_held, plan.of)
        for image_id in plan.bring_back:
            self._records[image_id] = replace(self._records[image_id], state=INDEXED)
        for image_id in plan.newly_held:
            self._records[image_id] = replace(self._records[image_id], held_of=plan.of)

    def _remove(self, collections: Sequence[ImageCollection], ids: Sequence[str]) -> None:
        self._changes.remove(collections, ids, self._clock.now())
        for image_id in ids:
            record = self._records[image_id]
            self.forget([image_id])
            # One that an owner has confirmed is part of no loss any more.
            if not record.is_confirmed:
                self._records[image_id] = replace(record, state=REMOVED, held_of=None)

    def _show(self, plan: MissingPlan) -> None:
        held = None
        if plan.held:
            held = HeldLoss.of_keys([one.key for one in plan.held], plan.of, min(one.since for one in plan.held))
        if held is not None and (self.held is None or self.held.count != held.count):
            log.warning("held back", held=held.count, of=held.of, examples=held.examples)
        elif held is None and self.held is not None:
            log.info("nothing is held back any more")
        self.held = held
        metrics.HELD.set(0 if held is None else held.count)
