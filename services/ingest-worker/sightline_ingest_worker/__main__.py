"""Entry point of `sightline-ingest-worker`."""

from __future__ import annotations

import argparse
import os
import sys

from sightline_service import load_settings
from sightline_service.metrics_folder import metrics_folder


def main() -> None:
    """Parse the command line, read the settings, and run the worker."""
    argparse.ArgumentParser(
        prog="sightline-ingest-worker",
        description="Takes keys from the queue and indexes their images in the catalogue.",
        epilog="Settings are environment variables; services/ingest-worker/README.md lists them.",
    ).parse_args()
    with metrics_folder("ingest-worker") as folder:
        # prometheus_client reads this when it is imported: the processes share their counts in that folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        from sightline_ingest_worker.settings import WorkerSettings
        from sightline_ingest_worker.worker.celery_app import run

        sys.exit(run(load_settings(WorkerSettings)))


if __name__ == "__main__":
    main()
