"""Reads, from Qdrant's messages to the engine's requests and its answers back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qdrant_edge as engine
from qdrant_client import grpc as api

from sightline_qdrant_edge.errors import Unserved, WrongInput
from sightline_qdrant_edge.filters import excluding, point_filter
from sightline_qdrant_edge.values import PointId, point_id, write_id, write_payload, write_vectors

QUERY_LIMIT = 10
SCROLL_LIMIT = 10
FACET_LIMIT = 10

_DIRECTIONS = {api.Direction.Asc: engine.Direction.Asc, api.Direction.Desc: engine.Direction.Desc}


def with_payload(message: Any, default: bool = False) -> Any:
    """Return which payload fields to give; `message` is the request that holds the selector."""
    if not message.HasField("with_payload"):
        return default
    selector = message.with_payload
    kind = selector.WhichOneof("selector_options")
    if kind == "include":
        return engine.PayloadSelector.Include(list(selector.include.fields))
    if kind == "exclude":
        return engine.PayloadSelector.Exclude(list(selector.exclude.fields))
    return selector.enable


def with_vectors(message: Any) -> Any:
    """Return which vectors to give; `message` is the request that holds the selector."""
    if not message.HasField("with_vectors"):
        return False
    selector = message.with_vectors
    if selector.WhichOneof("selector_options") == "include":
        return list(selector.include.names)
    return selector.enable


def optional_filter(message: Any) -> engine.Filter | None:
    """Return the filter of a request, if it has one."""
    return point_filter(message.filter) if message.HasField("filter") else None


def wanted_id(message: api.QueryPoints) -> PointId | None:
    """Return the id of the point whose neighbours a query asks for, or None where it brings a vector."""
    if message.HasField("query") and message.query.WhichOneof("variant") == "nearest":
        nearest = message.query.nearest
        if nearest.WhichOneof("variant") == "id":
            return point_id(nearest.id)
    return None


def query_request(message: api.QueryPoints, known: tuple[PointId, list[float], bool] | None) -> engine.QueryRequest:
    """Return the engine's request for a query.

    Args:
        message: The query.
        known: For a query by id: the id, its vector, and whether to leave that point out, as Qdrant does.

    Raises:
        WrongInput: A limit of 0, or a query without a vector.
        Unserved: Prefetches and the kinds of query other than nearest and order_by.
    """
    if message.prefetch:
        raise Unserved("qdrant-edge does not serve prefetch")
    limit = message.limit if message.HasField("limit") else QUERY_LIMIT
    if limit < 1:
        raise WrongInput("Wrong input: limit: value 0 invalid, must be 1 or larger")
    found = optional_filter(message)
    if known is not None and known[2]:
        found = excluding(found, known[0])
    return engine.QueryRequest(
        limit=limit,
        offset=message.offset,
        query=_query(message, known[1] if known else None),
        filter=found,
        score_threshold=message.score_threshold if message.HasField("score_threshold") else None,
        params=_params(message.params) if message.HasField("params") else None,
        with_vector=with_vectors(message),
        with_payload=with_payload(message),
    )


def _query(message: api.QueryPoints, known: list[float] | None) -> Any:
    kind = message.query.WhichOneof("variant") if message.HasField("query") else None
    if kind is None:
        return None
    if kind == "order_by":
        return order_by(message.query.order_by)
    if kind != "nearest":
        raise Unserved(f"qdrant-edge does not serve the query `{kind}`")
    if known is None:
        nearest = message.query.nearest
        variant = nearest.WhichOneof("variant")
        if variant != "dense":
            raise Unserved(f"qdrant-edge does not serve a query by {variant or 'nothing'}")
        known = nearest.dense.data[:]
    return engine.Query.Nearest(known, using=message.using or None)


def _params(message: api.SearchParams) -> engine.SearchParams:
    if message.HasField("idf"):
        raise Unserved("qdrant-edge does not serve idf")
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
    start: Any = None
    if message.HasField("start_from"):
        kind = message.start_from.WhichOneof("value")
        if kind is not None:
            start = getattr(message.start_from, kind)
            if kind == "timestamp":
                start = start.ToJsonString()
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
    """Return the engine's request for a count; exact unless told otherwise."""
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


def write_records(result: Any, records: Iterable[Any]) -> None:
    """Write points without a score into a repeated field of `RetrievedPoint`."""
    for record in records:
        _write_point(result.add(), record)


def write_scored(result: Any, points: Iterable[Any]) -> None:
    """Write points with a score into a repeated field of `ScoredPoint`."""
    for point in points:
        message = result.add()
        message.score = point.score
        message.version = point.version
        _write_point(message, point)


def _write_point(message: Any, point: Any) -> None:
    write_id(message.id, point.id)
    fields = point.payload
    if fields:
        write_payload(message.payload, fields)
    stored = point.vector
    if stored is not None:
        write_vectors(message.vectors, stored)
    order = point.order_value
    if order is not None:
        if isinstance(order, int):
            message.order_value.int = order
        else:
            message.order_value.float = order


def write_facet(hits: Any, found: Iterable[Any]) -> None:
    """Write facet hits into a repeated field of `FacetHit`."""
    for hit in found:
        message = hits.add(count=hit.count)
        value = hit.value
        if isinstance(value, bool):
            message.value.bool_value = value
        elif isinstance(value, int):
            message.value.integer_value = value
        else:
            message.value.string_value = str(value)
