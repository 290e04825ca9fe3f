from __future__ import annotations

from sightline_ingest_worker.watcher.pending_deletions import MOVED_SECONDS, PendingDeletions


def test_a_deletion_is_due_at_once_unless_the_file_may_have_moved():
    now = [100.0]
    deletions = PendingDeletions(lambda: now[0])
    deletions.add(["gone"], may_have_moved=False)
    deletions.add(["moved"], may_have_moved=True)
    assert deletions.due(settled=False) == ["gone"]
    deletions.forget(["gone"])
    now[0] += MOVED_SECONDS - 1
    assert deletions.due(settled=False) == []
    now[0] += 1
    assert deletions.due(settled=False) == ["moved"]


def test_all_deletions_are_due_once_nothing_is_pending():
    deletions = PendingDeletions(lambda: 100.0)
    deletions.add(["a", "b"], may_have_moved=True)
    assert deletions.due(settled=True) == ["a", "b"]
    deletions.forget(["a"])
    assert deletions.due(settled=True) == ["b"]
