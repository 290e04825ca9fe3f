"""Pages that open from disk: one file each, with all that it shows inside."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).resolve().parents[1]


def embedded_image(source: Path | bytes) -> str:
    """Return a picture, or a file of one, as an address that holds it: PNG or WebP."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/webp"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def render(template: str, content: Mapping[str, Any]) -> str:
    """Return the page; what is said of folders and pictures is escaped, and a name that is missing raises."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters["image"] = embedded_image
    return environment.get_template(template).render(content)
