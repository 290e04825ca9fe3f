"""The settings that people choose for a run without Docker: in the environment and in `.env`, as Compose reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from sightline_local.stack import FETCHING, ROOT, external_qdrant

EXAMPLE = ROOT / ".env.example"
OWN = re.compile(
    r"(BUCKET|THUMBNAIL|REDIS)_URL|REDIS_PASSWORD|METRICS_ADDRESS|QDRANT_.*"
    r"|(ENCODER|EDGE|GATEWAY|WATCHER|WORKER|MAPS)_((METRICS_)?PORT|ADDRESS(ES)?|\w*_DIR|TLS_\w*|CA_FILE)"
)
"""What the launcher sets itself, or leaves out: addresses, ports and folders."""


@dataclass(frozen=True)
class ChosenSettings:
    """What was chosen.

    Attributes:
        values: For all services, by name.
        fetching: What the encoder fetches models by: tokens, proxies.
        notes: What was found and is not used, a line each.
    """

    values: dict[str, str]
    fetching: dict[str, str]
    notes: list[str]


def read_chosen_settings(environment: Mapping[str, str], env_file: Path, bucket: Path) -> ChosenSettings:
    """Return the settings of an environment, and of a `.env` file where the environment does not have them.

    Args:
        environment: What of it is a service's setting counts; the rest is none of our business.
        env_file: `.env`; it need not exist.
        bucket: The folder of pictures.
    """
    known, alone = _names(EXAMPLE)
    in_file = {name: value for name, value in dotenv_values(env_file, interpolate=False).items() if value}
    given = in_file | {name: environment[name] for name in known if environment.get(name)}
    qdrant = external_qdrant(given, bucket)
    values = {name: value for name, value in given.items() if name in known and not OWN.fullmatch(name)} | qdrant
    fetching = {name: value for name, value in (in_file | dict(environment)).items() if FETCHING.fullmatch(name)}
    notes = []
    if own := sorted(name for name in given if name in known and OWN.fullmatch(name) and name not in values):
        notes.append(f"not used here, where addresses, ports and folders are chosen by themselves: {', '.join(own)}")
    if unknown := sorted(name for name in set(in_file) - known - alone if not FETCHING.fullmatch(name)):
        notes.append(f"{env_file.name} has no setting of Sightline by the name {', '.join(unknown)}")
    return ChosenSettings(values, fetching, notes)


def _names(example: Path) -> tuple[set[str], set[str]]:
    """Return the names of all settings in `.env.example`, and of those that Compose alone reads."""
    services, _, compose = example.read_text(encoding="utf-8").partition("--- Docker Compose alone")
    name = re.compile(r"^#?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
    return set(name.findall(services)), set(name.findall(compose))
