"""What one request may hold."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXTS = 256
MAX_IMAGES = 64
MAX_TEXT_BYTES = 16_384
"""Of one text."""


@dataclass(frozen=True)
class Limits:
    """What one request may hold; as the message of the same name."""

    max_texts: int
    max_images: int
    max_text_bytes: int
    max_image_bytes: int
    max_image_pixels: int
    max_message_bytes: int
