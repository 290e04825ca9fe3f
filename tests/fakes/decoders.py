"""Decoders without processes: pictures are decoded where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sightline_pictures.decoder_pool import Patience


class FakeDecoderPool:
    """Decodes at once. `error`, where it is set, is raised instead; `errors` by the bytes of files."""

    error: Exception | None = None

    def __init__(self) -> None:
        self.errors: dict[bytes, Exception] = {}

    def run(
        self, work: Callable[..., Any], patience: Patience, read: Callable[[], bytes], *args: Any, **kwargs: Any
    ) -> tuple[bytes, Any]:
        """Return what is read, and what the function makes of it."""
        if self.error is not None:
            raise self.error
        data = read()
        if data in self.errors:
            raise self.errors[data]
        return data, work(data, *args, **kwargs)

    def close(self) -> None:
        """Do nothing."""
