"""Fakes of the bucket, the thumbnails, the decoders, the encoder and the catalogue: what tests of services run on.

`tests/contract` runs one suite over each fake and the real thing.
"""

from fakes.bucket import FakeBucket
from fakes.catalogue import FakeCatalogue
from fakes.collection import FakeCollection
from fakes.decoders import FakeDecoderPool
from fakes.encoder import (
    MODEL,
    PREPROCESSING,
    FakeEncoder,
    picture_row,
    picture_vector,
    vector_of,
    visual_vector_of,
)
from fakes.thumbnails import FakeThumbnailStore

__all__ = [
    "MODEL",
    "PREPROCESSING",
    "FakeBucket",
    "FakeCatalogue",
    "FakeCollection",
    "FakeDecoderPool",
    "FakeEncoder",
    "FakeThumbnailStore",
    "picture_row",
    "picture_vector",
    "vector_of",
    "visual_vector_of",
]
