"""Random sequences of changes: at rest, catalogue and bucket are equal."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from random_changes.on_fakes import OnFakes

STEPS_AT_ONCE = 25
STEPS = os.environ.get("RANDOM_STEPS")
"""Set by `make random-changes`, which takes other sequences each time."""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_catalogue_and_bucket_are_equal_after_random_changes(make_scene_at, redis_server, monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.loop.wait_for_hint", lambda client, seconds: ())
    monkeypatch.setattr(OnFakes, "make_scene", staticmethod(make_scene_at))
    monkeypatch.setattr(OnFakes, "client", redis_server.client)
    sequences = int(STEPS or 2000) // STEPS_AT_ONCE
    chosen = settings(
        max_examples=sequences, stateful_step_count=STEPS_AT_ONCE, derandomize=STEPS is None, database=None
    )
    run_state_machine_as_test(OnFakes, settings=chosen)
