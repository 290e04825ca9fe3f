"""Errors at start; those of calls are in `sightline.encoder.errors`."""

from __future__ import annotations


class StartupError(Exception):
    """The service cannot start.

    Attributes:
        message: What was wrong and what to do, fit to show to a person.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelError(StartupError):
    """A model cannot be served: its name is wrong, or its files are missing or have another hash."""


class ConversionFailed(ModelError):
    """OpenVINO cannot run this model; torch can."""
