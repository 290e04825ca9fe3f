"""Entry point of `sightline-qdrant-edge`."""

from __future__ import annotations

import argparse
import faulthandler
import sys

import structlog
from sightline_service import configure_logging, load_settings
from sightline_service.metrics import serve_metrics
from sightline_service.signals import stop_event

from sightline_qdrant_edge.bootstrap import Edge
from sightline_qdrant_edge.errors import EdgeError
from sightline_qdrant_edge.lock import DataFolderBusy
from sightline_qdrant_edge.settings import EdgeSettings


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    argparse.ArgumentParser(
        prog="sightline-qdrant-edge",
        description="Qdrant's engine behind Qdrant's own gRPC API, in one process over one data folder.",
        epilog="Settings are environment variables (EDGE_...); services/qdrant-edge/README.md lists them.",
    ).parse_args()
    settings = load_settings(EdgeSettings)
    configure_logging(settings.log, "qdrant-edge")
    # An engine that meets a full disk, or a damaged one, in a mapped file ends the process: so there is a line of it.
    faulthandler.enable()
    stopping = stop_event()
    try:
        edge = Edge(settings)
        serve_metrics(settings.address, settings.metrics_port)
    except (DataFolderBusy, EdgeError, OSError, RuntimeError) as error:
        sys.exit(f"sightline-qdrant-edge: {error}")
    edge.start()
    log = structlog.get_logger()
    log.info("serving", address=settings.address, port=edge.port, data_dir=str(settings.data_dir))
    stopping.wait()
    log.info("stopping")
    edge.stop()


if __name__ == "__main__":
    main()
