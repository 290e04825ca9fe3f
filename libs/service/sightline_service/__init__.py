"""What every Sightline service does alike: settings, logs, metrics, cores and the names of the queues."""

from sightline_service.cores import available_cores
from sightline_service.logs import LogSettings, configure_logging
from sightline_service.metrics import MetricsServer, serve_metrics
from sightline_service.settings import SettingsGroup, load_settings

__all__ = [
    "LogSettings",
    "MetricsServer",
    "SettingsGroup",
    "available_cores",
    "configure_logging",
    "load_settings",
    "serve_metrics",
]
