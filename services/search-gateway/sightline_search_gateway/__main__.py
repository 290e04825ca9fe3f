"""Starts the gateway."""

from __future__ import annotations

import argparse
import os

from sightline_service.metrics_folder import metrics_folder


def main() -> int:
    """Serve until SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="sightline-search-gateway",
        description="Sightline over HTTP. It takes no arguments: its settings are environment variables, described in "
        "services/search-gateway/README.md and in .env.example.",
    )
    parser.parse_args()
    with metrics_folder("search-gateway") as folder:
        # prometheus_client decides when it is imported whether several processes share their metrics.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))
        from sightline_catalogue import exit_if_too_old
        from sightline_service import configure_logging, load_settings
        from sightline_service.queues import redis_client
        from sightline_service.service_starts import noted_start

        from sightline_search_gateway.settings import Settings
        from sightline_search_gateway.supervisor import serve

        settings = load_settings(Settings)
        configure_logging(settings.log, "search-gateway")
        exit_if_too_old(settings.catalogue)
        with noted_start(redis_client(settings.queue), "search-gateway"):
            return serve(settings)


if __name__ == "__main__":
    raise SystemExit(main())
