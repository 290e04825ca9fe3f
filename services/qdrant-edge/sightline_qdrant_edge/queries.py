"""Translates reads: Qdrant's messages to the engine's requests, and its answers back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import qdrant_edge as engine
from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from qdrant_client import grpc as api

from sightline_qdrant_edge.collection import Serving
from sightline_qdrant_edge.errors import Unimplemented, WrongInput, engine_errors
from sightline_qdrant_edge.filters import excluding, point_filter
from sightline_qdrant_edge.values import PointId, named_vectors, point_id, vector_bytes, write_id, write_payload

QUERY_LIMIT = 10
SCROLL_LIMIT = 10
FACET_LIMIT = 10

_DIRECTIONS = {api.Direction.Asc: engine.Direction.Asc, api.Direction.Desc: engine.Direction.Desc}


def with_payload(
    message: api.GetPoints | api.QueryPoints | api.ScrollPoints, default: bool = False
) -> bool | engine.PayloadSelector:
    """Return which payload fields a request asks for.

    Raises:
        Unimplemented: It names the fields to leave out.
    """
    if not message.HasField("with_payload"):
        return default
    selector = message.with_payload
    kind = selector.WhichOneof("selector_options")
    if kind == "include":
        return engine.PayloadSelector.Include(list(selector.include.fields))
    if kind == "exclude":
        raise Unimplemented("qdrant-edge does not serve `exclude` for payloads; use `include`")
    return selector.enable


def with_vectors(message: api.GetPoints | api.QueryPoints | api.ScrollPoints) -> bool | list[str]:
    """Return which vectors a request asks for."""
    if not message.HasField("with_vectors"):
        return False
    selector = message.with_vectors
    if selector.WhichOneof("selector_options") == "include":
        return list(selector.include.names)
    return selector.enable


def optional_filter(
    message: api.QueryPoints | api.ScrollPoints | api.CountPoints | api.FacetCounts,
) -> engine.Filter | None:
    """Return the filter of a request, if it has one."""
    return point_filter(message.filter) if message.HasField("filter") else None


def query_point_id(message: api.QueryPoints) -> PointId | None:
    """Return the id of the point whose neighbours a query asks for; None where it holds a vector."""
    if message.HasField("query") and message.query.WhichOneof("variant") == "nearest":
        nearest = message.query.nearest
        if nearest.WhichOneof("variant") == "id":
            return point_id(nearest.id)
    return None


def query_request(message: api.QueryPoints, origin: tuple[PointId, list[float]] | None) -> engine.QueryRequest:
    """Return the engine's request for a query.

    It asks for ids, versions and scores alone; what else is wanted of the points, `write_found` adds.

    Args:
        message: The query.
        origin: For a query by id: the id, which is left out of the answer as Qdrant does, and its vector.

    Raises:
        WrongInput: A limit of 0, or a query without a vector.
        Unimplemented: Prefetches, thresholds, and the kinds of query other than nearest.
    """
    if message.prefetch or message.HasField("score_threshold") or message.HasField("lookup_from"):
        raise Unimplemented("qdrant-edge does not serve prefetch, score_threshold and lookup_from")
    limit = message.limit if message.HasField("limit") else QUERY_LIMIT
    if limit < 1:
        raise WrongInput("Wrong input: limit: value 0 invalid, must be 1 or larger")
    condition = optional_filter(message)
    if origin is not None:
        condition = excluding(condition, origin[0])
    return engine.QueryRequest(
        limit=limit,
        offset=message.offset,
        query=_query(message, origin[1] if origin else None),
        filter=condition,
        params=_params(message.params) if message.HasField("params") else None,
    )


def _query(message: api.QueryPoints, vector: list[float] | None) -> engine.Query:
    kind = message.query.WhichOneof("variant") if message.HasField("query") else None
    if kind != "nearest":
        raise Unimplemented(f"qdrant-edge does not serve the query `{kind}`")
    if vector is None:
        nearest = message.query.nearest
        variant = nearest.WhichOneof("variant")
        if variant != "dense":
            raise Unimplemented(f"qdrant-edge does not serve a query by {variant or 'nothing'}")
        vector = nearest.dense.data[:]
    return engine.Query.Nearest(vector, using=message.using or None)


def _params(message: api.SearchParams) -> engine.SearchParams:
    if message.HasField("idf"):
        raise Unimplemented("qdrant-edge does not serve idf")
    quantization = acorn = None
    if message.HasField("quantization"):
        given = message.quantization
        quantization = engine.QuantizationSearchParams(
            ignore=given.ignore,
            rescore=given.rescore if given.HasField("rescore") else None,
            oversampling=given.oversampling if given.HasField("oversampling") else None,
        )
    if message.HasField("acorn"):
        acorn = engine.AcornSearchParams(
            enable=message.acorn.enable,
            max_selectivity=message.acorn.max_selectivity if message.acorn.HasField("max_selectivity") else None,
        )
    return engine.SearchParams(
        hnsw_ef=message.hnsw_ef if message.HasField("hnsw_ef") else None,
        exact=message.exact,
        indexed_only=message.indexed_only,
        quantization=quantization,
        acorn=acorn,
    )


def order_by(message: api.OrderBy) -> engine.OrderBy:
    """Return the engine's order by a payload field, which needs an index on that field."""
    start = None
    if message.HasField("start_from"):
        if message.start_from.WhichOneof("value") != "integer":
            raise Unimplemented("qdrant-edge starts an order from an integer only")
        start = message.start_from.integer
    direction = _DIRECTIONS[message.direction] if message.HasField("direction") else None
    return engine.OrderBy(message.key, direction=direction, start_from=start)


def scroll_request(message: api.ScrollPoints) -> engine.ScrollRequest:
    """Return the engine's request for a page of points."""
    limit = message.limit if message.HasField("limit") else SCROLL_LIMIT
    if limit < 1:
        raise WrongInput("Wrong input: limit: value 0 invalid, must be 1 or larger")
    if message.HasField("offset") and message.HasField("order_by"):
        raise WrongInput("Wrong input: cannot use an `offset` with `order_by`; use `start_from` instead")
    return engine.ScrollRequest(
        offset=point_id(message.offset) if message.HasField("offset") else None,
        limit=limit,
        filter=optional_filter(message),
        with_payload=with_payload(message, default=True),
        with_vector=with_vectors(message),
        order_by=order_by(message.order_by) if message.HasField("order_by") else None,
    )


def count_request(message: api.CountPoints) -> engine.CountRequest:
    """Return the engine's request for a count, exact by default."""
    return engine.CountRequest(
        exact=message.exact if message.HasField("exact") else True, filter=optional_filter(message)
    )


def facet_request(message: api.FacetCounts) -> engine.FacetRequest:
    """Return the engine's request for the values of a field and how often each occurs."""
    return engine.FacetRequest(
        message.key,
        limit=message.limit if message.HasField("limit") else FACET_LIMIT,
        exact=message.exact,
        filter=optional_filter(message),
    )


def write_records(
    result: RepeatedCompositeFieldContainer[api.RetrievedPoint], records: Iterable[engine.Record]
) -> None:
    """Write points without a score into a response."""
    for record in records:
        message = result.add()
        message.MergeFromString(_write_point(message, record))


def write_found(
    result: RepeatedCompositeFieldContainer[api.ScoredPoint],
    points: Sequence[engine.ScoredPoint],
    serving: Serving,
    request: api.QueryPoints,
) -> None:
    """Write what a query found into a response, with the payloads and vectors that it asks for.

    Points that are not in the cache are read in a call of their own; one that was deleted meanwhile is left out.
    """
    payload, named = with_payload(request), with_vectors(request)
    if not payload and not named:
        for point in points:
            write_id(result.add(score=point.score, version=point.version).id, point.id)
        return
    selectors = request.with_payload.SerializeToString() + b"/" + request.with_vectors.SerializeToString()
    ids = [point.id for point in points]
    versions = [point.version for point in points]
    kept = serving.cache.get(ids, versions, selectors)
    missing = {ids[place]: place for place, data in enumerate(kept) if data is None}
    if missing:
        with engine_errors():
            records = serving.shard.retrieve(list(missing), payload, named)
        read: dict[PointId, tuple[int, bytes]] = {}
        for record in records:
            found_id = record.id
            place = missing[found_id]
            whole = api.ScoredPoint()
            vectors = _write_point(whole, record)
            kept[place] = data = whole.SerializeToString() + vectors
            read[found_id] = versions[place], data
        serving.cache.put(read, selectors)
    for point, version, serialized in zip(points, versions, kept, strict=True):
        if serialized is not None:
            message = result.add(score=point.score, version=version)
            message.MergeFromString(serialized)


def _write_point(message: api.RetrievedPoint | api.ScoredPoint, point: engine.Record) -> bytes:
    """Write a point's id and payload into a message; return its vectors as they follow in the serialized message."""
    write_id(message.id, point.id)
    fields = point.payload
    if fields:
        write_payload(message.payload, fields)
    stored = point.vector
    if stored is None:
        return b""
    message.vectors.vectors.SetInParent()
    return vector_bytes(named_vectors(stored), scored=isinstance(message, api.ScoredPoint))


def write_facet(hits: RepeatedCompositeFieldContainer[api.FacetHit], found: Iterable[engine.FacetHit]) -> None:
    """Write a field's values and how often each occurs into a response."""
    for hit in found:
        value = hits.add(count=hit.count).value
        if isinstance(hit.value, int):
            value.integer_value = hit.value
        else:
            value.string_value = str(hit.value)
