"""Entry point of `sightline-ingest-worker`. Imports are late, so that `--ping`, a health check, needs few."""

from __future__ import annotations

import argparse
import os
import sys

from sightline_service import load_settings
from sightline_service.metrics_folder import metrics_folder


def main() -> None:
    """Run the worker, or with --ping check that it answers."""
    parser = argparse.ArgumentParser(
        prog="sightline-ingest-worker",
        description="Takes keys from the queue and indexes their images in the catalogue.",
        epilog="Settings are environment variables; services/ingest-worker/README.md lists them.",
    )
    parser.add_argument(
        "--ping", action="store_true", help="ping the running worker of this name; exit 0 if it answers"
    )
    if parser.parse_args().ping:
        from sightline_service.queues import QueueSettings

        from sightline_ingest_worker.broker import NodeSettings, ping

        sys.exit(ping(load_settings(QueueSettings), load_settings(NodeSettings).node))
    with metrics_folder("ingest-worker") as folder:
        # prometheus_client reads this when it is imported: the processes share their counts in that folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from sightline_ingest_worker.settings import WorkerSettings
        from sightline_ingest_worker.worker.celery_app import run

        sys.exit(run(load_settings(WorkerSettings)))


if __name__ == "__main__":
    main()
