"""Generates all copies of the settings: `.env.example`, the tables in READMEs, and what Compose passes on.

A setting is written once: a field of a `SettingsGroup` whose docstring says what it is. `make settings` writes the
rest, `make lint` checks that it is up to date (`--check`). In a README or a file of Compose, what is between two lines
that begin with `settings of CLASS ...` and `end of settings` is written here; in `.env.example`, all above what Compose
alone reads, and below that the defaults.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from sightline_bucket import BucketSettings, ThumbnailSettings
from sightline_catalogue import CatalogueSettings
from sightline_encoder.settings import EncoderSettings
from sightline_ingest_worker.settings import WatcherSettings, WorkerSettings
from sightline_pictures import PictureSettings
from sightline_qdrant_edge.settings import EdgeSettings
from sightline_search_gateway.maps.settings import MapSettings
from sightline_search_gateway.settings import GatewaySettings, Settings
from sightline_service import LogSettings
from sightline_service.disk_space import DiskSettings
from sightline_service.encoder_client import EncoderClientSettings
from sightline_service.metrics import MetricsSettings
from sightline_service.queues import QueueSettings
from sightline_service.settings import SettingsGroup, groups, variable_name
from sightline_service.tracing import TracingSettings

ROOT = Path(__file__).resolve().parents[1]
GROUPS: tuple[type[SettingsGroup], ...] = (
    *(BucketSettings, ThumbnailSettings, PictureSettings),
    *(CatalogueSettings, QueueSettings, EncoderClientSettings, DiskSettings),
    *(LogSettings, MetricsSettings, TracingSettings),
    *(EncoderSettings, WorkerSettings, WatcherSettings, GatewaySettings, MapSettings, EdgeSettings),
)
"""In the order of .env.example."""
CLASSES = {cls.__name__: cls for cls in GROUPS}
EXAMPLE = ".env.example"
COMPOSE = ["docker-compose.yml", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy").glob("*.yml"))]
READMES = sorted(
    str(path.relative_to(ROOT)) for parent in ("libs", "services") for path in ROOT.glob(f"{parent}/*/README.md")
)
COMPOSE_ALONE = "# --- Docker Compose alone "
OF_THE_IMAGE = {
    *("ENCODER_PORT", "ENCODER_METRICS_PORT", "ENCODER_CACHE_DIR", "ENCODER_TLS_CERT_FILE", "ENCODER_TLS_KEY_FILE"),
    *("GATEWAY_PAGE_DIR", "GATEWAY_DOCS_DIR", "WORKER_METRICS_PORT", "WATCHER_METRICS_PORT", "WORKER_NAME"),
    *("MAPS_METRICS_PORT", "MAPS_NAME", "EDGE_DATA_DIR", "EDGE_ADDRESS", "EDGE_PORT"),
}
"""Settings that the images set, so that Compose does not pass them on."""
PASSED_ON = r"^ +([A-Z][A-Z0-9_]+):"
"""A variable in a service's environment."""
HEADER = """\
# Every setting of every service, with its default. A line that is commented out shows the default; to change one, copy
# this file to .env and take the # away. A wrong value stops the service with one line that says what is allowed.
# `make demo` sets addresses, ports and folders by itself. Written by `make settings`, down to what Compose alone reads.
"""


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: The environment variable.
        default: As it would be written; empty where there is none, or where it depends on the machine.
        example: Where there is no default and one must be given.
        text: What it is.
    """

    name: str
    default: str
    example: str
    text: str

    @classmethod
    def of(cls, name: str, field: FieldInfo) -> Setting:
        """Return the setting that a field declares."""
        if not field.description:
            raise SystemExit(f"{name} has no docstring")
        default = field.default
        if default is None or default is PydanticUndefined:
            shown = ""
        elif isinstance(default, bool):
            shown = str(default).lower()
        else:
            shown = f"{default:g}" if isinstance(default, float) else str(default)
        example = str(field.examples[0]) if field.examples and field.is_required() else ""
        return cls(name, shown, example, " ".join(field.description.split()))


def own_settings(cls: type[SettingsGroup]) -> Iterator[Setting]:
    """Yield the settings of a class, without those of the groups in it."""
    nested = groups(cls)
    for field, info in cls.model_fields.items():
        if field not in nested and not info.exclude:
            yield Setting.of(variable_name(cls, field), info)


def example(old: str, compose: dict[str, str]) -> str:
    """Return .env.example: one section a class, and what Compose alone reads with the defaults of its files."""
    lines = [HEADER]
    seen: set[str] = set()
    for cls in GROUPS:
        title = f"# --- {(cls.__doc__ or '').splitlines()[0].rstrip('.')} "
        lines += [title.ljust(120, "-"), ""]
        for setting in own_settings(cls):
            if setting.name not in seen:
                seen.add(setting.name)
                lines += textwrap.wrap(
                    setting.text, 120, break_on_hyphens=False, initial_indent="# ", subsequent_indent="# "
                )
                lines.append(f"#{setting.name}={setting.example or setting.default}")
        lines.append("")
    _, heading, rest = old.partition(COMPOSE_ALONE)
    alone = re.findall(r"^#?([A-Z][A-Z0-9_]+)=", rest, re.MULTILINE)
    if set(alone) != set(compose) - seen:
        raise SystemExit(f"{EXAMPLE}, Compose alone: {sorted(set(alone) ^ (set(compose) - seen))} too much or missing")
    rest = re.sub(
        r"^(#?)([A-Z][A-Z0-9_]+)=.*$", lambda line: f"{line[1]}{line[2]}={compose[line[2]]}", rest, flags=re.M
    )
    return "\n".join(lines) + "\n" + heading + rest


def table(settings: list[Setting]) -> list[str]:
    """Return a table for a README."""
    rows = ["| setting | default | what it is |", "| --- | --- | --- |"]
    for one in settings:
        default = f"`{one.default}`" if one.default else ""
        rows.append(f"| `{one.name}` | {default} | {one.text} |")
    return rows


def regions(text: str, path: str) -> str:
    """Return a README or a file of Compose with its regions written anew."""
    region = re.compile(r"^( *)(<!--|#) settings of ([\w ]+)(.*)\n(?:.*\n)*?( *)(\2 end of settings)", re.MULTILINE)
    by_hand = set(re.findall(PASSED_ON, region.sub("", text), re.MULTILINE))

    def write(match: re.Match[str]) -> str:
        indent, mark, names, more, _, end = match.groups()
        settings = list({one.name: one for name in names.split() for one in own_settings(CLASSES[name])}.values())
        if path.endswith(".md"):
            lines = table(settings)
        else:
            lines = [f"{indent}{one.name}:" for one in settings if one.name not in by_hand | OF_THE_IMAGE]
        return "\n".join([f"{indent}{mark} settings of {names}{more}", *lines, indent + end])

    return region.sub(write, text)


def main() -> None:
    """Write the files, or with --check report which of them are not up to date."""
    read = {path: (ROOT / path).read_text(encoding="utf-8") for path in (EXAMPLE, *COMPOSE, *READMES)}
    # An overlay may have a default of its own for what docker-compose.yml reads: that of docker-compose.yml is shown.
    files = "".join(read[path] for path in reversed(COMPOSE))
    compose = dict.fromkeys(re.findall(r"\$\{([A-Z0-9_]+):[-+?]", files), "")
    # A default with `=` stands for a whole entry of an environment.
    compose |= dict(re.findall(r"\$\{([A-Z0-9_]+):-([^${}=]*)\}", files))
    # What is passed on as it is, and is no setting of ours.
    settings = {one.name for cls in GROUPS for one in own_settings(cls)}
    compose |= dict.fromkeys(set(re.findall(r"^ +([A-Z][A-Z0-9_]+):$", files, re.MULTILINE)) - settings, "")
    written = {path: regions(read[path], path) for path in (*COMPOSE, *READMES)}
    written[EXAMPLE] = example(read[EXAMPLE], compose)
    holders: tuple[type[SettingsGroup], ...] = (Settings, *GROUPS)
    if unknown := {group.__name__ for cls in holders for group in groups(cls).values()} - set(CLASSES):
        raise SystemExit(f"GROUPS lacks {', '.join(sorted(unknown))}")
    passed_on = {name for path in COMPOSE for name in re.findall(PASSED_ON, written[path], re.MULTILINE)}
    if missing := settings - passed_on - OF_THE_IMAGE:
        raise SystemExit(f"Compose passes on no {', '.join(sorted(missing))}")
    stale = [path for path in read if read[path] != written[path]]
    if "--check" in sys.argv[1:]:
        if stale:
            raise SystemExit(f"not up to date: {', '.join(stale)}; run `make settings`")
        return
    for path in stale:
        (ROOT / path).write_text(written[path], encoding="utf-8")
        print(path)
    print(f"{len(settings)} settings")


if __name__ == "__main__":
    main()
