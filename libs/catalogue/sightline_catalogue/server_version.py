"""The version of a Qdrant server: what is too old to start with, and what an older one lacks."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import structlog
from qdrant_client import grpc as api

from sightline_catalogue.connection import Connection
from sightline_catalogue.errors import CatalogueError, OldServer
from sightline_catalogue.methods import HEALTH_CHECK
from sightline_catalogue.settings import CatalogueSettings

Version = tuple[int, int, int]
LEAST: Version = (1, 16, 0)
"""The first that keeps a collection's metadata."""
PRELOADS: Version = (1, 19, 0)
"""The first that knows `memory`, and so reads full vectors and payloads ahead."""
CHECK_SECONDS = 2.0

log = structlog.get_logger()


def read_version(connection: Connection) -> Version:
    """Return the version of the oldest node that answers; qdrant-edge says which Qdrant it equals.

    Raises:
        OldServer: It is too old.
        CatalogueUnavailable: No node answers.
        CatalogueError: A node says no version.
    """
    replies = connection.call_each(HEALTH_CHECK, api.HealthCheckRequest(), seconds=CHECK_SECONDS)
    versions = [_parsed(reply.version) for reply in replies.values() if not isinstance(reply, CatalogueError)]
    if not versions:
        # None answers now; one that restarts does in a moment.
        versions = [_parsed(connection.call(HEALTH_CHECK, api.HealthCheckRequest()).version)]
    oldest = min(versions)
    if oldest < LEAST:
        raise OldServer(f"Qdrant {_shown(oldest)} is too old: Sightline needs {_shown(LEAST)} or newer")
    return oldest


def exit_if_too_old(settings: CatalogueSettings) -> None:
    """End the process with one line if Qdrant is too old; log a line for what an older one lacks.

    A server that does not answer now may do so later: a service waits for it by itself. The question is asked from a
    child, so that gRPC has not been used where a service forks afterwards.

    Raises:
        SystemExit: Qdrant is too old.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as child:
        found = child.submit(_version_or_problem, settings).result()
    if isinstance(found, str):
        sys.exit(f"{settings.url} (QDRANT_URL): {found}")
    if found is not None and found < PRELOADS and settings.preload:
        log.warning(
            f"Qdrant {_shown(found)} reads nothing ahead (QDRANT_PRELOAD): that came with {_shown(PRELOADS)}; "
            "the first searches after a start are slower"
        )


def _version_or_problem(settings: CatalogueSettings) -> Version | str | None:
    connection = Connection(settings.model_copy(update={"timeout_seconds": CHECK_SECONDS}))
    try:
        return read_version(connection)
    except OldServer as error:
        return str(error)
    except CatalogueError:
        return None
    finally:
        connection.close()


def _parsed(text: str) -> Version:
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", text, re.ASCII)
    if match is None:
        raise CatalogueError(f"Qdrant says that its version is {text!r}, which is none")
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)


def _shown(version: Version) -> str:
    return ".".join(map(str, version)).removesuffix(".0")
