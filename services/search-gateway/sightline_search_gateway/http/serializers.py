"""A picture of the catalogue as it goes into an answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from sightline_catalogue import Image

PREFIX = "/api/v1"


def version_of(image: Image) -> str | None:
    """Return what changes in a picture's addresses when its bytes do."""
    return image.sha256[:16] if image.sha256 else None


def serialize_image(image: Image) -> dict[str, Any]:
    """Return the JSON shape of a picture; datetimes stay datetimes."""
    base = f"{PREFIX}/images/{image.id}/"
    version = version_of(image)
    query = f"?v={version}" if version else ""
    return {
        "id": image.id,
        "key": image.key,
        "name": image.key.rpartition("/")[2],
        "label": image.label,
        "folders": image.folders,
        "state": image.state,
        "reason": image.reason,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "bytes": image.bytes,
        "taken_at": image.taken_at,
        "camera": image.camera,
        "modified_at": image.modified_at,
        "indexed_at": image.indexed_at,
        "thumbnail_url": f"{base}thumbnail{query}",
        "preview_url": f"{base}preview{query}",
        "file_url": f"{base}file{query}",
    }


def serialize_hits(images: list[Image], similarities: list[float], clusters: Sequence[int]) -> list[dict[str, Any]]:
    """Return the JSON shapes of pictures that were found; of the first, the clusters are given."""
    hits = []
    for image, similarity, cluster in zip_longest(images, similarities, clusters):
        hit = serialize_image(image)
        hit["similarity"] = similarity
        hit["cluster"] = cluster
        hits.append(hit)
    return hits
