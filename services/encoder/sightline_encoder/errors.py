"""Errors at start; those of calls are in `sightline.encoder.errors`."""

from __future__ import annotations


class StartupError(Exception):
    """The service cannot start; the message says what was wrong and what to do."""


class ModelError(StartupError):
    """A model cannot be served: its name is wrong, or its files are missing or have another hash."""


class ConversionFailed(ModelError):
    """OpenVINO cannot run this model; torch can."""
