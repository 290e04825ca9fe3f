"""Entry point of `sightline-map-worker`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile


def main() -> None:
    """Parse the command line, read the settings, work."""
    parser = argparse.ArgumentParser(
        prog="sightline-map-worker",
        description="Computes maps of the collection, one at a time.",
        epilog="Settings are environment variables; services/search-gateway/README.md lists them.",
    )
    parser.add_argument("--ping", action="store_true", help="ask the running worker of this name; exit 0 if it is well")
    if parser.parse_args().ping:
        sys.exit(_ping())
    # OpenMP's threads would wait for each other by turning in circles, which makes maps five times slower on a machine
    # that has something else to do; read when openTSNE is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    with tempfile.TemporaryDirectory(prefix="sightline-map-metrics-") as folder:
        # prometheus_client looks at this when it is imported: the processes' counts are added up in that folder.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder

        from sightline_service import load_settings

        from sightline_search_gateway.maps.worker import MapWorkerSettings, run

        sys.exit(run(load_settings(MapWorkerSettings)))


def _ping() -> int:
    # Every few seconds for as long as the worker lives: it loads nothing of what computes maps.
    from sightline_service import load_settings
    from sightline_service.queues import QueueSettings, ping

    from sightline_search_gateway.maps.settings import MapSettings

    return ping(load_settings(QueueSettings), load_settings(MapSettings).node)


if __name__ == "__main__":
    main()
