"""The page of all figures: one file, opened from disk, with nothing to fetch."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).resolve().parent
TYPES = {b"\x89PNG": "image/png", b"RIFF": "image/webp"}


def image(source: Path | bytes) -> str:
    """Return a picture, or a file of one, as an address that holds it: PNG or WebP."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    return f"data:{TYPES[data[:4]]};base64,{base64.b64encode(data).decode()}"


def render(content: dict[str, Any]) -> str:
    """Return the page; what is said of folders and pictures is escaped.

    Args:
        content: All names that the template uses; a missing one raises.
    """
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["image"] = image
    return environment.get_template("page.html").render(content)
