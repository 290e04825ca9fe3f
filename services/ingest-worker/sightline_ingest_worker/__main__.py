"""Entry point of `sightline-ingest-worker`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile


def main() -> None:
    """Parse the command line, read the settings, work."""
    parser = argparse.ArgumentParser(
        prog="sightline-ingest-worker",
        description="Takes keys from the queue and brings their pictures into the catalogue.",
        epilog="Settings are environment variables; services/ingest-worker/README.md lists them.",
    )
    parser.add_argument("--ping", action="store_true", help="ask the running worker of this name; exit 0 if it is well")
    if parser.parse_args().ping:
        sys.exit(_ping())
    with tempfile.TemporaryDirectory(prefix="sightline-ingest-metrics-") as folder:
        # prometheus_client looks at this when it is imported: the processes' counts are added up in that folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder

        from sightline_service import load_settings

        from sightline_ingest_worker.settings import WorkerSettings
        from sightline_ingest_worker.worker import run

        sys.exit(run(load_settings(WorkerSettings)))


def _ping() -> int:
    # Every few seconds for as long as the worker lives: it loads nothing of what reads and indexes pictures.
    from sightline_service import load_settings
    from sightline_service.queues import QueueSettings, ping

    from sightline_ingest_worker.node import NodeSettings

    return ping(load_settings(QueueSettings), load_settings(NodeSettings).node)


if __name__ == "__main__":
    main()
