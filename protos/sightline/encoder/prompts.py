"""Prompts at the start of a query: `a photo of`, an article."""

from __future__ import annotations

import re

_PROMPT = re.compile(
    r"^\s*(?:(?:an?|the|some|my)\s+)?(?:photo|photograph|picture|pic|image)s?\s+(?:of|with|showing)\s+(?=\S)",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^\s*(?:an?|the)\s+(?=\S)", re.IGNORECASE)


def strip_prompt(text: str) -> str:
    """Return a text without `a photo of`, `pictures with` and the like at its start."""
    return _PROMPT.sub("", text)


def strip_article(text: str) -> str:
    """Return a text without `a`, `an` or `the` at its start."""
    return _ARTICLE.sub("", text)
