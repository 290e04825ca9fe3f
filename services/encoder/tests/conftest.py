"""A tiny model, and the real service around it on a free port."""

from __future__ import annotations

import pytest
from fakes.encoder_server import TinyModel, serve


@pytest.fixture
def make_model():
    """Return the tiny model's class: an id and a fingerprint make another one."""
    return TinyModel


@pytest.fixture
def tiny():
    return TinyModel()


@pytest.fixture
def serving(tiny):
    """Return a context manager that runs the service with changed settings around the tiny model."""

    def run(warm=True, models=(tiny,), **changes):
        return serve(*models, warm=warm, **changes)

    return run
