"""Decoders without processes: pictures are decoded where they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FakeDecoderPool:
    """Decodes at once. `error`, where it is set, is raised instead."""

    error: Exception | None = None

    def run(
        self, work: Callable[..., Any], wait_seconds: float, read: Callable[[], bytes], *args: Any
    ) -> tuple[bytes, Any]:
        """Return what is read, and what the function makes of it."""
        if self.error is not None:
            raise self.error
        data = read()
        return data, work(data, *args)

    def close(self) -> None:
        """Do nothing."""
