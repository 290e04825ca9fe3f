"""Which disks are full."""

from __future__ import annotations

from dataclasses import dataclass

from sightline_bucket import ThumbnailStore
from sightline_service.disk_space import DATABASE, THUMBNAILS
from sightline_service.full_disks import QUEUE

from sightline_search_gateway.clients.watcher import WatcherClient

DISKS = (DATABASE, THUMBNAILS, QUEUE)


@dataclass(frozen=True)
class FullDisks:
    """Asks those who write to disks, and looks at that of thumbnails. Safe to use from several threads."""

    thumbnails: ThumbnailStore
    watcher: WatcherClient

    def by_name(self) -> dict[str, str]:
        """Return what is said of full disks, by their names, of DISKS."""
        found = self.watcher.full_disks()
        problem = self.thumbnails.disk.problem() if self.thumbnails.disk is not None else None
        return found | ({THUMBNAILS: problem} if problem is not None else {})

    def message(self) -> str | None:
        """Return which disks are full, as a sentence; None while none is, or where it is not known."""
        return "; ".join(self.by_name().values()) or None
