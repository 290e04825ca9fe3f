"""Why the service cannot start; what a call can end with is in `sightline.encoder.errors`."""

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
    """A model cannot be served as it was named: a wrong name, or files that are missing or not what they should be."""


class ConversionFailed(ModelError):
    """OpenVINO cannot run this model; torch can."""
