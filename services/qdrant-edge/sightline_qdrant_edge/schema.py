"""A collection's schema: the request that created it, the engine's configuration, and the description in `Get`."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any, Literal, Protocol

import qdrant_edge as engine
from google.protobuf import json_format
from qdrant_client import grpc as api
from sightline_service.atomic_write import atomic_write

from sightline_qdrant_edge.errors import Unimplemented, WrongInput

_MEMORY = {
    api.Memory.Cold: engine.Memory.Cold,
    api.Memory.Cached: engine.Memory.Cached,
    api.Memory.Pinned: engine.Memory.Pinned,
}
_MAX_DIMENSIONS = 65_536

_REQUEST_FILE = "collection.json"
_FLOAT_BYTES = 4
SEGMENT_MB = 4096
"""Vectors of a segment, in MB of 2^20 bytes; what EDGE_SEGMENT_MB is unless set."""

# Qdrant's own defaults, reported where a request does not set them.
_M, _EF_CONSTRUCT, _FULL_SCAN_KB = 16, 100, 10_000


def vector_params(request: api.CreateCollection) -> dict[str, api.VectorParams]:
    """Return the parameters of each vector by name.

    Raises:
        Unimplemented: There is a vector without a name.
    """
    if request.vectors_config.WhichOneof("config") == "params":
        raise Unimplemented("qdrant-edge serves named vectors only")
    return dict(request.vectors_config.params_map.map)


def read_request(folder: Path) -> api.CreateCollection:
    """Return the request that created the collection in a folder.

    Raises:
        OSError, ValueError: It is not there, or damaged.
    """
    try:
        return json_format.Parse((folder / _REQUEST_FILE).read_bytes(), api.CreateCollection())
    except json_format.ParseError as error:
        raise ValueError(str(error)) from None


def write_request(folder: Path, request: api.CreateCollection) -> None:
    """Store the request that creates the collection in a folder."""
    atomic_write(folder / _REQUEST_FILE, json_format.MessageToJson(request).encode(), durable=True)


def segment_points(request: api.CreateCollection, segment_mb: int) -> int:
    """Return about how many points of a collection are a full segment."""
    numbers = sum(params.size for params in vector_params(request).values())
    return segment_mb * 2**20 // (_FLOAT_BYTES * numbers)


def engine_config(request: api.CreateCollection, segment_mb: int = SEGMENT_MB) -> engine.EdgeConfig:
    """Return the engine's configuration for a collection.

    Args:
        request: The request that created it.
        segment_mb: An index is built over all segments together, as long as their vectors are no more than this.

    Raises:
        WrongInput: No vectors, or a size or distance that cannot be.
        Unimplemented: Sparse or multi-vectors, or a quantization other than int8.
    """
    params = vector_params(request)
    if request.HasField("sparse_vectors_config") and request.sparse_vectors_config.map:
        raise Unimplemented("qdrant-edge does not serve sparse vectors")
    if not params:
        raise WrongInput("Wrong input: a collection needs at least one vector configuration")
    return engine.EdgeConfig(
        vectors={name: _vector(name, message) for name, message in params.items()},
        on_disk_payload=request.on_disk_payload if request.HasField("on_disk_payload") else None,
        hnsw_config=_hnsw(request.hnsw_config),
        quantization_config=(
            _quantization(request.quantization_config) if request.HasField("quantization_config") else None
        ),
        # Only the child process optimizes, when an index is due: everything, into as few segments as possible.
        optimizers=engine.EdgeOptimizersConfig(
            indexing_threshold=1, default_segment_number=1, max_segment_size=segment_mb * 1024
        ),
        payload_memory=_memory(request.payload),
        id_tracker_memory=_memory(request.id_tracker),
    )


def _vector(name: str, message: api.VectorParams) -> engine.EdgeVectorParams:
    if not 0 < message.size <= _MAX_DIMENSIONS:
        raise WrongInput(f"Wrong input: vector `{name}` has size {message.size}; allowed is 1 to {_MAX_DIMENSIONS}")
    if message.distance != api.Distance.Cosine:
        raise Unimplemented("qdrant-edge serves cosine distance only")
    if message.HasField("multivector_config"):
        raise Unimplemented("qdrant-edge does not serve multi-vectors")
    if message.datatype not in (api.Datatype.Default, api.Datatype.Float32):
        raise Unimplemented("qdrant-edge serves the datatype float32 only")
    return engine.EdgeVectorParams(
        size=message.size,
        distance=engine.Distance.Cosine,
        on_disk=message.on_disk if message.HasField("on_disk") else None,
        quantization_config=(
            _quantization(message.quantization_config) if message.HasField("quantization_config") else None
        ),
        hnsw_config=_hnsw(message.hnsw_config) if message.HasField("hnsw_config") else None,
        memory=_memory(message),
    )


def _hnsw(message: api.HnswConfigDiff) -> engine.HnswIndexConfig:
    fields = {field.name: value for field, value in message.ListFields()}
    return engine.HnswIndexConfig(
        m=fields.get("m", _M),
        ef_construct=fields.get("ef_construct", _EF_CONSTRUCT),
        full_scan_threshold=fields.get("full_scan_threshold", _FULL_SCAN_KB),
        max_indexing_threads=fields.get("max_indexing_threads", 0),
        on_disk=fields.get("on_disk"),
        payload_m=fields.get("payload_m"),
        memory=_memory(message),
    )


def _quantization(message: api.QuantizationConfig) -> engine.ScalarQuantizationConfig:
    if message.WhichOneof("quantization") != "scalar":
        raise Unimplemented("qdrant-edge serves scalar int8 quantization only")
    scalar = message.scalar
    return engine.ScalarQuantizationConfig(
        type=engine.ScalarType.Int8,
        quantile=scalar.quantile if scalar.HasField("quantile") else None,
        always_ram=scalar.always_ram if scalar.HasField("always_ram") else None,
        memory=_memory(scalar),
    )


class _HasMemory(Protocol):
    @property
    def memory(self) -> api.Memory.ValueType: ...

    def HasField(self, field_name: Literal["memory"], /) -> bool: ...


def _memory(message: _HasMemory) -> engine.Memory | None:
    return _MEMORY.get(message.memory) if message.HasField("memory") else None


def collection_config(request: api.CreateCollection, index_threshold: int) -> api.CollectionConfig:
    """Return the configuration of a collection for `Get`: the request's, with Qdrant's defaults."""
    config = api.CollectionConfig(
        params=api.CollectionParams(
            shard_number=1,
            on_disk_payload=request.on_disk_payload if request.HasField("on_disk_payload") else True,
            vectors_config=request.vectors_config,
            replication_factor=1,
            write_consistency_factor=1,
        ),
        hnsw_config=api.HnswConfigDiff(
            m=_M, ef_construct=_EF_CONSTRUCT, full_scan_threshold=_FULL_SCAN_KB, max_indexing_threads=0, on_disk=False
        ),
        optimizer_config=api.OptimizersConfigDiff(
            deleted_threshold=0.2,
            vacuum_min_vector_number=1000,
            default_segment_number=1,
            # In points here; Qdrant's is in kilobytes.
            indexing_threshold=index_threshold,
        ),
        wal_config=api.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0),
    )
    config.hnsw_config.MergeFrom(request.hnsw_config)
    if request.HasField("quantization_config"):
        config.quantization_config.CopyFrom(request.quantization_config)
    for key, item in request.metadata.items():
        config.metadata[key].CopyFrom(item)
    return config


_FIELD_TYPES = {
    api.FieldType.FieldTypeKeyword: engine.PayloadSchemaType.Keyword,
    api.FieldType.FieldTypeInteger: engine.PayloadSchemaType.Integer,
    api.FieldType.FieldTypeDatetime: engine.PayloadSchemaType.Datetime,
    api.FieldType.FieldTypeGeo: engine.PayloadSchemaType.Geo,
    api.FieldType.FieldTypeText: engine.PayloadSchemaType.Text,
}
_TOKENIZERS = {
    api.TokenizerType.Prefix: engine.TokenizerType.Prefix,
    api.TokenizerType.Whitespace: engine.TokenizerType.Whitespace,
    api.TokenizerType.Word: engine.TokenizerType.Word,
    api.TokenizerType.Multilingual: engine.TokenizerType.Multilingual,
}
_OPTIONS = frozenset({"on_disk", "enable_hnsw", "memory"})
_TEXT_OPTIONS = frozenset({"min_token_len", "max_token_len", "lowercase", "ascii_folding"})

_Index = (
    engine.KeywordIndexParams
    | engine.IntegerIndexParams
    | engine.DatetimeIndexParams
    | engine.GeoIndexParams
    | engine.TextIndexParams
)


def field_index(message: api.CreateFieldIndexCollection) -> engine.PayloadSchemaType | _Index:
    """Return the engine's schema of a payload index.

    Raises:
        WrongInput: Neither a type nor parameters.
        Unimplemented: A type other than keyword, integer, datetime, geo and text, or options that this service does not
            translate.
    """
    given = message.field_index_params
    kind = given.WhichOneof("index_params") if message.HasField("field_index_params") else None
    if kind == "keyword_index_params":
        return engine.KeywordIndexParams(**_index_options(given.keyword_index_params))
    if kind == "integer_index_params":
        return engine.IntegerIndexParams(**_index_options(given.integer_index_params))
    if kind == "datetime_index_params":
        return engine.DatetimeIndexParams(**_index_options(given.datetime_index_params))
    if kind == "geo_index_params":
        return engine.GeoIndexParams(**_index_options(given.geo_index_params))
    if kind == "text_index_params":
        return _text_index(given.text_index_params)
    if kind is None and not message.HasField("field_type"):
        raise WrongInput(f"Wrong input: the index on `{message.field_name}` has no type")
    if kind is not None or message.field_type not in _FIELD_TYPES:
        raise Unimplemented("qdrant-edge serves indexes of keywords, integers, datetimes, places and texts only")
    return _FIELD_TYPES[message.field_type]


def _text_index(message: api.TextIndexParams) -> engine.TextIndexParams:
    if message.tokenizer not in _TOKENIZERS:
        raise Unimplemented("qdrant-edge does not serve this tokenizer")
    own = {field.name: value for field, value in message.ListFields() if field.name in _TEXT_OPTIONS}
    return engine.TextIndexParams(
        tokenizer=_TOKENIZERS[message.tokenizer],
        **own,
        **_index_options(message, _TEXT_OPTIONS | {"tokenizer"}),
    )


def _index_options(message: Any, others: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the options that indexes of every kind have; `others` are those of its own that are served."""
    given = {field.name: value for field, value in message.ListFields()}
    if unserved := given.keys() - _OPTIONS - others:
        raise Unimplemented(f"qdrant-edge does not serve the options {', '.join(sorted(unserved))} of an index")
    return {"on_disk": given.get("on_disk"), "enable_hnsw": given.get("enable_hnsw"), "memory": _memory(message)}


def write_payload_schema(
    schema: MutableMapping[str, api.PayloadSchemaInfo], stored: Mapping[str, engine.PayloadIndexInfo]
) -> None:
    """Write the engine's payload indexes into a collection's description."""
    for name, index in stored.items():
        entry = schema[name]
        entry.data_type = api.PayloadSchemaType.Value(str(index.data_type).rpartition(".")[2])
        entry.points = index.points
