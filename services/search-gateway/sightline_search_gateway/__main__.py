"""Starts the gateway."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="sightline-search-gateway",
        description="Sightline over HTTP. It takes no arguments: its settings are environment variables, described in "
        "services/search-gateway/README.md and in .env.example.",
    )
    parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sightline-gateway-metrics-")
    # prometheus_client decides when it is imported whether several processes share their metrics.
    os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
    from sightline_service import configure_logging, load_settings

    from sightline_search_gateway.server import serve
    from sightline_search_gateway.settings import Settings

    master = os.getpid()
    try:
        settings = load_settings(Settings)
        configure_logging(settings.log, "search-gateway")
        serve(settings)
    finally:
        # A worker that ends comes by here too, and its siblings still write there.
        if os.getpid() == master:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
