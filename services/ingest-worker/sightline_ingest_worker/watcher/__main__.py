"""Entry point of `sightline-watcher`."""

from __future__ import annotations

import argparse
import sys

from sightline_service import load_settings

from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.watcher.bootstrap import run


def main() -> None:
    """Parse the command line, read the settings, and run the watcher."""
    parser = argparse.ArgumentParser(
        prog="sightline-watcher",
        description="Finds what is new, changed or gone in the bucket, and queues it for the workers.",
        epilog="Settings are environment variables; services/ingest-worker/README.md lists them.",
    )
    parser.parse_args()
    sys.exit(run(load_settings(WatcherSettings)))


if __name__ == "__main__":
    main()
