"""Entry point of `sightline-watcher`."""

from __future__ import annotations

import argparse
import sys

from sightline_service import load_settings
from sightline_service.queues import QueueSettings

from sightline_ingest_worker.settings import WatcherSettings
from sightline_ingest_worker.watcher.bootstrap import run
from sightline_ingest_worker.watcher.confirmation import confirm_loss
from sightline_ingest_worker.watcher.rescan import request_rescan


def main() -> None:
    """Parse the command line, read the settings, and run the watcher."""
    parser = argparse.ArgumentParser(
        prog="sightline-watcher",
        description="Finds what is new, changed or gone in the bucket, and queues it for the workers.",
        epilog="Settings are environment variables; services/ingest-worker/README.md lists them.",
    )
    parser.add_argument(
        "--confirm-loss",
        action="store_true",
        help="tell the watcher that the pictures that it holds, since so many are missing, are really gone",
    )
    parser.add_argument(
        "--rescan",
        metavar="FOLDER",
        nargs="?",
        const="",
        help="tell the watcher to look at a folder, or at the whole bucket, now",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="with --rescan: have files read and compared whose size and times are the same, too",
    )
    chosen = parser.parse_args()
    if chosen.confirm_loss:
        sys.exit(confirm_loss(load_settings(QueueSettings)))
    if chosen.rescan is not None or chosen.verify:
        sys.exit(request_rescan(load_settings(QueueSettings), chosen.rescan or "", verify=chosen.verify))
    sys.exit(run(load_settings(WatcherSettings)))


if __name__ == "__main__":
    main()
