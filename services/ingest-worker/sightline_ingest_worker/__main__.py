"""Entry point of `sightline-ingest-worker`."""

from __future__ import annotations

from sightline_service import load_settings
from sightline_service.worker_command import worker_command


def main() -> None:
    """Run the worker, or with --ping check that it answers."""
    worker_command(
        "sightline-ingest-worker",
        "Takes keys from the queue and indexes their images in the catalogue.",
        readme="services/ingest-worker/README.md",
        node=_node,
        run=_run,
    )


def _node() -> str:
    from sightline_ingest_worker.worker_name import NodeSettings

    return load_settings(NodeSettings).node


def _run() -> int:
    # Imported late: prometheus_client reads PROMETHEUS_MULTIPROC_DIR, set by `worker_command`, when it is imported.
    from sightline_ingest_worker.settings import WorkerSettings
    from sightline_ingest_worker.worker.celery_app import run

    return run(load_settings(WorkerSettings))


if __name__ == "__main__":
    main()
