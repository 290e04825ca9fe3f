"""The schema of a collection: its name, vectors and indexes, and the metadata that names its model."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qdrant_client import grpc as api

from sightline_catalogue.derived import CAMERA_WORDS, DERIVED, LENS_WORDS, NAME, PIXELS, SHAPE, WORDS, YEAR
from sightline_catalogue.errors import CatalogueError, WrongFingerprint
from sightline_catalogue.payload import ORDER, SEARCHABLE
from sightline_catalogue.settings import CatalogueSettings
from sightline_catalogue.vectors import VECTOR, VISUAL

PREFIX = "images-"
VERSION = 1
"""The version of the schema."""
HNSW_M = 16
HNSW_EF_CONSTRUCT = 128
FULL_SCAN_POINTS = 12_000
"""Up to so many points of a segment that pass a filter are all compared: that is faster than the graph, and exact."""
_FLOAT_BYTES = 4

INDEXES: dict[str, api.FieldType.ValueType] = {
    "bucket": api.FieldType.FieldTypeKeyword,
    "state": api.FieldType.FieldTypeKeyword,
    SEARCHABLE: api.FieldType.FieldTypeKeyword,
    "label": api.FieldType.FieldTypeKeyword,
    "folders": api.FieldType.FieldTypeKeyword,
    "format": api.FieldType.FieldTypeKeyword,
    "sha256": api.FieldType.FieldTypeKeyword,
    "copy_of": api.FieldType.FieldTypeKeyword,
    "copy_kind": api.FieldType.FieldTypeKeyword,
    "burst": api.FieldType.FieldTypeKeyword,
    "taken_at": api.FieldType.FieldTypeDatetime,
    "modified_at": api.FieldType.FieldTypeDatetime,
    "missing_since": api.FieldType.FieldTypeDatetime,
    ORDER: api.FieldType.FieldTypeInteger,
    "added_at": api.FieldType.FieldTypeDatetime,
    "camera": api.FieldType.FieldTypeKeyword,
    "lens": api.FieldType.FieldTypeKeyword,
    "place": api.FieldType.FieldTypeGeo,
    "bytes": api.FieldType.FieldTypeInteger,
    "rating": api.FieldType.FieldTypeInteger,
    NAME: api.FieldType.FieldTypeText,
    WORDS: api.FieldType.FieldTypeText,
    CAMERA_WORDS: api.FieldType.FieldTypeText,
    LENS_WORDS: api.FieldType.FieldTypeText,
    PIXELS: api.FieldType.FieldTypeInteger,
    SHAPE: api.FieldType.FieldTypeKeyword,
    YEAR: api.FieldType.FieldTypeInteger,
    DERIVED: api.FieldType.FieldTypeInteger,
}
"""The payload fields that filters, counts and pages use, each with the type of its index."""

LONGEST_PREFIX = 20
"""Characters of a word by whose beginning it is found."""
HNSW_PAYLOAD_FIELDS = frozenset({"label", "folders", "taken_at"})
"""The fields for each of whose values the HNSW graph has additional links, so that a search whose filter matches few
images stays accurate. The others either match nearly every image or are not searched by; links for them would double
the time to build the graph."""


@dataclass(frozen=True)
class ModelRef:
    """The model whose vectors a collection holds.

    Attributes:
        id: As the encoder names it.
        fingerprint: SHA-256 in hexadecimal; vectors may be compared only if theirs are equal.
        dimensions: The length of a vector.
        visual_dimensions: The length of a visual vector; 0 where the model has none, whose vector serves for both.
    """

    id: str
    fingerprint: str
    dimensions: int
    visual_dimensions: int = 0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9A-Za-z]+", self.fingerprint):
            raise ValueError(f"{self.fingerprint!r} is not a fingerprint: letters and digits only")
        for least, dimensions in ((1, self.dimensions), (0, self.visual_dimensions)):
            if not least <= dimensions <= 65_536:
                raise ValueError(f"a vector of {dimensions} dimensions cannot be stored; 1 to 65,536 can")

    def vector_name(self, *, visual: bool) -> str:
        """Return the name of the vector to compare: the visual one where it is wanted and the model has one."""
        return VISUAL if visual and self.visual_dimensions else VECTOR

    @property
    def vectors(self) -> dict[str, int]:
        """The dimensions of a point's vectors by name, in the order of a row that holds all of them side by side."""
        return {VECTOR: self.dimensions} | ({VISUAL: self.visual_dimensions} if self.visual_dimensions else {})


def collection_name(model: ModelRef) -> str:
    """Return the name of a model's collection: `images-<slug>-<first 12 of the fingerprint>`."""
    slug = re.sub(r"[^a-z0-9]+", "-", model.id.lower()).strip("-")[:100].strip("-")
    return f"{PREFIX}{slug or 'model'}-{model.fingerprint[:12]}"


def create_request(model: ModelRef, settings: CatalogueSettings) -> api.CreateCollection:
    """Return the request that creates a model's collection."""
    request = api.CreateCollection(
        collection_name=collection_name(model),
        shard_number=settings.shard_number,
        replication_factor=settings.replication_factor,
        on_disk_payload=True,
        hnsw_config=api.HnswConfigDiff(
            m=HNSW_M,
            ef_construct=HNSW_EF_CONSTRUCT,
            # In kilobytes of vectors.
            full_scan_threshold=FULL_SCAN_POINTS * max(model.vectors.values()) * _FLOAT_BYTES // 1024,
        ),
        quantization_config=api.QuantizationConfig(
            scalar=api.ScalarQuantization(type=api.QuantizationType.Int8, always_ram=True)
        ),
    )
    # Servers that know `memory` go by it, others by `on_disk`. What is not preloaded is read a page at a time, when a
    # search first needs it.
    request.payload.memory = _memory(settings)
    for name, dimensions in model.vectors.items():
        vector = request.vectors_config.params_map.map[name]
        vector.size = dimensions
        vector.distance = api.Distance.Cosine
        vector.on_disk = True
        vector.memory = _memory(settings)
    request.metadata["schema"].integer_value = VERSION
    request.metadata["model"].string_value = model.id
    request.metadata["fingerprint"].string_value = model.fingerprint
    request.metadata["dimensions"].integer_value = model.dimensions
    request.metadata["visual_dimensions"].integer_value = model.visual_dimensions
    return request


def index_request(collection: str, field: str, settings: CatalogueSettings) -> api.CreateFieldIndexCollection:
    """Return the request that indexes a payload field of a collection."""
    return api.CreateFieldIndexCollection(
        collection_name=collection,
        wait=True,
        field_name=field,
        field_type=INDEXES[field],
        field_index_params=_index_params(field, field in HNSW_PAYLOAD_FIELDS, _memory(settings)),
    )


def _index_params(field: str, enable_hnsw: bool, memory: api.Memory.ValueType) -> api.PayloadIndexParams:
    kind = INDEXES[field]
    if kind == api.FieldType.FieldTypeText:
        # Words are taken apart in `words.py`.
        text = api.TextIndexParams(
            tokenizer=api.TokenizerType.Prefix if field == NAME else api.TokenizerType.Whitespace,
            min_token_len=1,
            max_token_len=LONGEST_PREFIX if field == NAME else None,
            lowercase=True,
            ascii_folding=True,
            enable_hnsw=enable_hnsw,
            on_disk=True,
            memory=memory,
        )
        return api.PayloadIndexParams(text_index_params=text)
    if kind == api.FieldType.FieldTypeGeo:
        place = api.GeoIndexParams(enable_hnsw=enable_hnsw, on_disk=True, memory=memory)
        return api.PayloadIndexParams(geo_index_params=place)
    if kind == api.FieldType.FieldTypeKeyword:
        keyword = api.KeywordIndexParams(enable_hnsw=enable_hnsw, on_disk=True, memory=memory)
        return api.PayloadIndexParams(keyword_index_params=keyword)
    if kind == api.FieldType.FieldTypeDatetime:
        moment = api.DatetimeIndexParams(enable_hnsw=enable_hnsw, on_disk=True, memory=memory)
        return api.PayloadIndexParams(datetime_index_params=moment)
    integer = api.IntegerIndexParams(enable_hnsw=enable_hnsw, on_disk=True, memory=memory)
    return api.PayloadIndexParams(integer_index_params=integer)


def _memory(settings: CatalogueSettings) -> api.Memory.ValueType:
    return api.Memory.Cached if settings.preload else api.Memory.Cold


def read_model(name: str, info: api.CollectionInfo) -> ModelRef:
    """Return the model that a collection's metadata names.

    Raises:
        CatalogueError: It names none: the collection is not Sightline's, or the server keeps no metadata.
    """
    metadata = info.config.metadata
    try:
        return ModelRef(
            id=metadata["model"].string_value,
            fingerprint=metadata["fingerprint"].string_value,
            dimensions=metadata["dimensions"].integer_value,
            # Collections made before there were visual vectors do not say.
            visual_dimensions=metadata["visual_dimensions"].integer_value if "visual_dimensions" in metadata else 0,
        )
    except (KeyError, ValueError):
        raise CatalogueError(
            f"the collection {name} does not say which model it is of: it is not Sightline's, or Qdrant is older "
            "than 1.16"
        ) from None


def check_model(name: str, found: ModelRef, expected: ModelRef) -> None:
    """Check that a collection is of the expected model.

    Raises:
        WrongFingerprint: It is not.
    """
    if found.fingerprint != expected.fingerprint or found.dimensions != expected.dimensions:
        raise WrongFingerprint(
            f"the collection {name} holds vectors of {found.id} ({found.fingerprint}, {found.dimensions} dimensions), "
            f"not of {expected.id} ({expected.fingerprint}, {expected.dimensions} dimensions)"
        )
