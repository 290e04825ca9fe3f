"""What a part found, and how it joins what other parts found before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass
class Outcome:
    """One part's findings.

    Attributes:
        figures: Flat names to numbers.
        details: Anything else worth keeping, every turn for one.
    """

    figures: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


def entry(outcome: Outcome, machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part as it is kept: with when and where it was measured."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        "figures": {name: round(float(value), 6) for name, value in outcome.figures.items()},
        "details": outcome.details,
    }


def read(path: Path) -> dict[str, Any]:
    """Return the parts of a file of results; none where it is not there or is something else."""
    try:
        parts = json.loads(path.read_text(encoding="utf-8"))["parts"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return parts if isinstance(parts, dict) else {}


def figures(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Return the figures of all parts in one flat object."""
    return {name: value for part in parts.values() for name, value in part["figures"].items()}
