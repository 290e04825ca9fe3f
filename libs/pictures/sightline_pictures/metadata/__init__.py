"""What is known about a picture beside its pixels: when and where it was taken, by what, and what people noted.

A source (EXIF, XMP, a file beside the picture, its name) gives `Tags`; `combine` makes `Metadata` of those of all.
"""

from sightline_pictures.metadata.combine import Metadata, combine
from sightline_pictures.metadata.embedded import read_embedded
from sightline_pictures.metadata.names import read_name
from sightline_pictures.metadata.sidecars import LARGEST_SIDECAR, is_sidecar, read_sidecar, sidecar_keys, stamp_of
from sightline_pictures.metadata.values import NO_TAGS, Date, DateSource, Place, Tags

__all__ = [
    "LARGEST_SIDECAR",
    "NO_TAGS",
    "Date",
    "DateSource",
    "Metadata",
    "Place",
    "Tags",
    "combine",
    "is_sidecar",
    "read_embedded",
    "read_name",
    "read_sidecar",
    "sidecar_keys",
    "stamp_of",
]
