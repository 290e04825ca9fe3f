"""What the services share: settings, logs, metrics, queues, and how processes start and end.

Metrics are not imported here: prometheus_client reads PROMETHEUS_MULTIPROC_DIR when it is imported, which a service of
several processes sets first.
"""

from sightline_service.cores import available_cores
from sightline_service.logs import LogSettings, configure_logging
from sightline_service.settings import HeaderSecret, SettingsGroup, load_settings

__all__ = [
    "HeaderSecret",
    "LogSettings",
    "SettingsGroup",
    "available_cores",
    "configure_logging",
    "load_settings",
]
