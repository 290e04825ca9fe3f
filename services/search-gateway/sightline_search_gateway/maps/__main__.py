"""Entry point of `sightline-map-worker`."""

from __future__ import annotations

import argparse
import os
import sys


def main() -> None:
    """Parse the command line, read the settings, work."""
    parser = argparse.ArgumentParser(
        prog="sightline-map-worker",
        description="Computes maps of the collection, one at a time.",
        epilog="Settings are environment variables; services/search-gateway/README.md lists them.",
    )
    parser.add_argument(
        "--ping", action="store_true", help="ask Redis whether the worker of this name is running; exit 0 if so"
    )
    if parser.parse_args().ping:
        sys.exit(_ping())
    # OpenMP's threads would wait for each other by turning in circles, which makes maps five times slower on a machine
    # that has something else to do; read when openTSNE is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")

    from sightline_service import load_settings

    from sightline_search_gateway.maps.worker.runner import run
    from sightline_search_gateway.maps.worker.settings import MapWorkerSettings

    sys.exit(run(load_settings(MapWorkerSettings)))


def _ping() -> int:
    # A health check runs every few seconds: it loads nothing of what computes maps.
    import redis
    from sightline_service import load_settings
    from sightline_service.queues import QueueSettings, redis_client
    from sightline_service.redaction import redact_url

    from sightline_search_gateway.maps.settings import MapSettings
    from sightline_search_gateway.maps.worker_presence import is_there

    queue, name = load_settings(QueueSettings), load_settings(MapSettings).name
    try:
        found = is_there(redis_client(queue), name)
    except redis.RedisError as error:
        print(f"{name}: Redis at {redact_url(queue.redis_url)} does not answer: {error}", file=sys.stderr)
        return 1
    print(f"{name} {'is there' if found else 'is not there'}", file=sys.stdout if found else sys.stderr)
    return 0 if found else 1


if __name__ == "__main__":
    main()
