from __future__ import annotations

from sightline_ingest_worker.leaving import MOVED_SECONDS, Leaving


def test_what_is_gone_goes_at_once_unless_it_may_have_moved():
    now = [100.0]
    leaving = Leaving(lambda: now[0])
    leaving.add(["gone"], may_have_moved=False)
    leaving.add(["moved"], may_have_moved=True)
    assert leaving.due(settled=False) == ["gone"]
    leaving.forget(["gone"])
    now[0] += MOVED_SECONDS - 1
    assert leaving.due(settled=False) == []
    now[0] += 1
    assert leaving.due(settled=False) == ["moved"]


def test_once_nothing_is_pending_nothing_is_kept():
    leaving = Leaving(lambda: 100.0)
    leaving.add(["a", "b"], may_have_moved=True)
    assert leaving.due(settled=True) == ["a", "b"]
    leaving.forget(["a"])
    assert leaving.due(settled=True) == ["b"]
