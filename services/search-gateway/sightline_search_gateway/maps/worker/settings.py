"""Everything that the map worker reads from the environment."""

from __future__ import annotations

from pydantic import Field
from sightline_catalogue import CatalogueSettings
from sightline_service import LogSettings, SettingsGroup
from sightline_service.metrics import MetricsSettings
from sightline_service.queues import QueueSettings

from sightline_search_gateway.maps.settings import MapSettings


class MapWorkerSettings(SettingsGroup):
    """Everything that the map worker reads from the environment."""

    log: LogSettings = Field(default_factory=LogSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    queue: QueueSettings = Field(default_factory=QueueSettings)
    catalogue: CatalogueSettings = Field(default_factory=CatalogueSettings)
    maps: MapSettings = Field(default_factory=MapSettings)
    bucket_id: str = Field(default="main", validation_alias="BUCKET_ID", exclude=True)
    """Of the bucket whose pictures are meant, as everywhere."""
