"""The limits of one request."""

from __future__ import annotations

MAX_TEXTS = 256
MAX_IMAGES = 64
MAX_TEXT_BYTES = 16_384
"""Of one text."""
