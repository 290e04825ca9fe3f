"""Random sequences of changes: at rest, catalogue and bucket are equal."""

from __future__ import annotations

import os
import time

from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from random_changes.on_fakes import OnFakes

STEPS_AT_ONCE = 50
STEPS = int(os.environ.get("RANDOM_STEPS", "2000"))
"""`make random-changes` sets another number."""


def test_catalogue_and_bucket_are_equal_after_random_changes(make_scene_at, redis_server, monkeypatch):
    monkeypatch.setattr("sightline_ingest_worker.watcher.loop.wait_for_hint", lambda client, seconds: ())
    monkeypatch.setattr(OnFakes, "make_scene", staticmethod(make_scene_at))
    monkeypatch.setattr(OnFakes, "client", redis_server.client)
    began = time.monotonic()
    run_state_machine_as_test(
        OnFakes,
        settings=settings(
            max_examples=STEPS // STEPS_AT_ONCE,
            stateful_step_count=STEPS_AT_ONCE,
            derandomize="RANDOM_STEPS" not in os.environ,
            database=None,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
    print(OnFakes.steps, time.monotonic() - began)
