"""The command line of a Celery worker. Imports nothing that `--ping` or `--help` does not need.

Needs the `queue` extra.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from typing import NoReturn


def worker_command(
    program: str, description: str, *, readme: str, node: Callable[[], str], run: Callable[[], int]
) -> NoReturn:
    """Parse the command line; run the worker, or with --ping ping the one that runs, and exit.

    Args:
        program: The command's name.
        description: What the worker does, for `--help`.
        readme: The file that lists its settings.
        node: Returns Celery's name of the worker's node. A health check calls it every few seconds in a process of
            its own, so that it should import little.
        run: Runs the worker until SIGTERM, and returns the exit status.
    """
    parser = argparse.ArgumentParser(
        prog=program, description=description, epilog=f"Settings are environment variables; {readme} lists them."
    )
    parser.add_argument(
        "--ping", action="store_true", help="ping the running worker of this name; exit 0 if it answers"
    )
    if parser.parse_args().ping:
        from sightline_service.queues import QueueSettings, ping
        from sightline_service.settings import load_settings

        sys.exit(ping(load_settings(QueueSettings), node()))
    with tempfile.TemporaryDirectory(prefix=f"{program}-metrics-") as folder:
        # prometheus_client reads this when it is imported: the processes share their counts in that folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        sys.exit(run())
