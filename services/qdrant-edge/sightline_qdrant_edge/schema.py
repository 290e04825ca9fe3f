"""What a collection is made of: its request, the engine's configuration, and the description given back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qdrant_edge as engine
from google.protobuf import json_format
from qdrant_client import grpc as api
from sightline_service.atomic_write import atomic_write

from sightline_qdrant_edge.errors import Unserved, WrongInput

_DISTANCES = {
    api.Distance.Cosine: engine.Distance.Cosine,
    api.Distance.Euclid: engine.Distance.Euclid,
    api.Distance.Dot: engine.Distance.Dot,
    api.Distance.Manhattan: engine.Distance.Manhattan,
}
_DATATYPES = {
    api.Datatype.Float32: engine.VectorStorageDatatype.Float32,
    api.Datatype.Float16: engine.VectorStorageDatatype.Float16,
    api.Datatype.Uint8: engine.VectorStorageDatatype.Uint8,
}
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

# Qdrant's own defaults, reported where a request left them open.
_M, _EF_CONSTRUCT, _FULL_SCAN_KB = 16, 100, 10_000


def vector_params(request: api.CreateCollection) -> dict[str, api.VectorParams]:
    """Return the parameters of each vector by name; the unnamed vector has the name ""."""
    kind = request.vectors_config.WhichOneof("config")
    if kind == "params_map":
        return dict(request.vectors_config.params_map.map)
    if kind == "params":
        return {"": request.vectors_config.params}
    return {}


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
    """Keep the request that creates the collection in a folder."""
    atomic_write(folder / _REQUEST_FILE, json_format.MessageToJson(request).encode(), durable=True)


def segment_points(request: api.CreateCollection, segment_mb: int) -> int:
    """Return about how many points of a collection are a full segment."""
    numbers = sum(params.size for params in vector_params(request).values())
    return segment_mb * 2**20 // (_FLOAT_BYTES * numbers)


def engine_config(request: api.CreateCollection, segment_mb: int = SEGMENT_MB) -> engine.EdgeConfig:
    """Return the engine's configuration for a collection.

    Args:
        request: What created it.
        segment_mb: An index is built over all segments together, as long as their vectors are no more than this.

    Raises:
        WrongInput: No vectors, or a size or distance that cannot be.
        Unserved: Sparse or multi-vectors, or a quantization other than int8.
    """
    params = vector_params(request)
    if request.HasField("sparse_vectors_config") and request.sparse_vectors_config.map:
        raise Unserved("qdrant-edge does not serve sparse vectors")
    if not params:
        raise WrongInput("Wrong input: a collection needs at least one vector configuration")
    return engine.EdgeConfig(
        vectors={name: _vector(name, message) for name, message in params.items()},
        on_disk_payload=request.on_disk_payload if request.HasField("on_disk_payload") else None,
        hnsw_config=_hnsw(request.hnsw_config),
        quantization_config=(
            _quantization(request.quantization_config) if request.HasField("quantization_config") else None
        ),
        # Only the child process optimizes, once it was found to be time: everything, into as few segments as may be.
        optimizers=engine.EdgeOptimizersConfig(
            indexing_threshold=1, default_segment_number=1, max_segment_size=segment_mb * 1024
        ),
        payload_memory=_memory(request.payload),
        id_tracker_memory=_memory(request.id_tracker),
    )


def _vector(name: str, message: api.VectorParams) -> engine.EdgeVectorParams:
    if not 0 < message.size <= _MAX_DIMENSIONS:
        raise WrongInput(f"Wrong input: vector `{name}` has size {message.size}; allowed is 1 to {_MAX_DIMENSIONS}")
    if message.distance not in _DISTANCES:
        raise WrongInput(f"Wrong input: vector `{name}` has no known distance")
    if message.HasField("multivector_config"):
        raise Unserved("qdrant-edge does not serve multi-vectors")
    datatype = message.datatype
    if datatype not in (api.Datatype.Default, *_DATATYPES):
        raise Unserved(f"qdrant-edge does not serve the datatype {api.Datatype.Name(datatype)}")
    return engine.EdgeVectorParams(
        size=message.size,
        distance=_DISTANCES[message.distance],
        on_disk=message.on_disk if message.HasField("on_disk") else None,
        datatype=_DATATYPES.get(datatype),
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
        raise Unserved("qdrant-edge serves scalar int8 quantization only")
    scalar = message.scalar
    return engine.ScalarQuantizationConfig(
        type=engine.ScalarType.Int8,
        quantile=scalar.quantile if scalar.HasField("quantile") else None,
        always_ram=scalar.always_ram if scalar.HasField("always_ram") else None,
        memory=_memory(scalar),
    )


def _memory(message: Any) -> engine.Memory | None:
    return _MEMORY.get(message.memory) if message.HasField("memory") else None


def collection_config(request: api.CreateCollection, index_threshold: int) -> api.CollectionConfig:
    """Return what `Get` says of a collection: what was asked for, defaults filled in."""
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
    api.FieldType.FieldTypeFloat: engine.PayloadSchemaType.Float,
    api.FieldType.FieldTypeGeo: engine.PayloadSchemaType.Geo,
    api.FieldType.FieldTypeText: engine.PayloadSchemaType.Text,
    api.FieldType.FieldTypeBool: engine.PayloadSchemaType.Bool,
    api.FieldType.FieldTypeDatetime: engine.PayloadSchemaType.Datetime,
    api.FieldType.FieldTypeUuid: engine.PayloadSchemaType.Uuid,
}
_INDEX_PARAMS: dict[str, Any] = {
    "keyword_index_params": engine.KeywordIndexParams,
    "integer_index_params": engine.IntegerIndexParams,
    "float_index_params": engine.FloatIndexParams,
    "geo_index_params": engine.GeoIndexParams,
    "bool_index_params": engine.BoolIndexParams,
    "datetime_index_params": engine.DatetimeIndexParams,
    "uuid_index_params": engine.UuidIndexParams,
}
# Options of an index that the engine takes as they are.
_PLAIN_OPTIONS = ("is_tenant", "on_disk", "enable_hnsw", "lookup", "range", "is_principal", "nested")


def field_index(message: api.CreateFieldIndexCollection) -> Any:
    """Return the engine's schema of a payload index.

    Raises:
        WrongInput: Neither a type nor parameters.
        Unserved: Options of a text index.
    """
    kind = message.field_index_params.WhichOneof("index_params") if message.HasField("field_index_params") else None
    if kind is None:
        if not message.HasField("field_type"):
            raise WrongInput(f"Wrong input: the index on `{message.field_name}` has no type")
        return _FIELD_TYPES[message.field_type]
    if kind not in _INDEX_PARAMS:
        raise Unserved("qdrant-edge serves text indexes with default options only")
    options = getattr(message.field_index_params, kind)
    given = {field.name: value for field, value in options.ListFields() if field.name in _PLAIN_OPTIONS}
    if kind == "keyword_index_params" and options.HasField("prefix"):
        given["prefix"] = True
    return _INDEX_PARAMS[kind](memory=_memory(options), **given)


def write_payload_schema(schema: Any, stored: Mapping[str, Any]) -> None:
    """Write the engine's payload indexes into a collection's description."""
    for name, index in stored.items():
        entry = schema[name]
        entry.data_type = api.PayloadSchemaType.Value(str(index.data_type).rpartition(".")[2])
        entry.points = index.points
