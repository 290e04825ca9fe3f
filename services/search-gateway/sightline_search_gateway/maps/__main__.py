"""Entry point of `sightline-map-worker`."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> None:
    """Parse the command line, read the settings, work."""
    argparse.ArgumentParser(
        prog="sightline-map-worker",
        description="Computes maps of the collection, one at a time.",
        epilog="Settings are environment variables; services/search-gateway/README.md lists them.",
    ).parse_args()
    # OpenMP's threads would wait for each other by turning in circles, which makes maps five times slower on a machine
    # that has something else to do; read when openTSNE is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from sightline_service import load_settings

    from sightline_search_gateway.maps.worker.runner import run
    from sightline_search_gateway.maps.worker.settings import MapWorkerSettings

    sys.exit(run(load_settings(MapWorkerSettings)))


if __name__ == "__main__":
    main()
