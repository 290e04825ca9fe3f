"""Settings of all Python tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test asserts a time, and Hypothesis would by default: on a busy machine an example may take long.
settings.register_profile("sightline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sightline")
