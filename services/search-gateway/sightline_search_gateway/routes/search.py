"""Searches."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from apiflask import APIBlueprint
from flask import Response, g
from numpy.typing import NDArray
from sightline_catalogue import Collection, Filter, Nearest, SearchParams, UnknownImage
from werkzeug.datastructures import FileStorage

from sightline_search_gateway import schemas
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.problems import Problem
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_hits
from sightline_search_gateway.search.query_encoder import combine
from sightline_search_gateway.search.relevance import Relevance, assess
from sightline_search_gateway.search.result_graph import ResultGraph, build_result_graph

blueprint = APIBlueprint("search", __name__, tag="Search", url_prefix=PREFIX)
NOTHING = Nearest([], np.empty(0, np.float32))


@dataclass
class Clock:
    """Seconds of a search's steps."""

    encode: float = 0.0
    search: float = 0.0
    cluster: float = 0.0


def filter_of(query: dict[str, Any]) -> Filter:
    """Return the catalogue's filter for validated parameters."""
    return Filter(
        labels=tuple(query.get("label", ())),
        folders=tuple(query.get("folder", ())),
        after=query.get("after"),
        before=query.get("before"),
        states=tuple(query.get("state", ())),
    )


def search_params(query: dict[str, Any], exclude: list[str] | None = None) -> SearchParams:
    """Return the catalogue's search parameters for validated ones, some images left out."""
    return SearchParams(
        limit=query["limit"],
        offset=query["offset"],
        filter=filter_of(query),
        exclude=tuple(exclude or ()),
        with_vectors=query["clusters"],
    )


@blueprint.get("/search")
@blueprint.input(schemas.TextQuery, location="query", arg_name="query")
@blueprint.output(schemas.SearchResults, description="What was found.")
@blueprint.doc(operation_id="searchByText", responses=problem_answers(422, 429, 503))
def search_by_text(query: dict[str, Any]) -> Response:
    """Search by text."""
    text = _stripped(query["q"])
    collection = current().catalogue.current_if_any()
    clock = Clock()
    asked = _asked(query, text=text)
    if collection is None:
        return _answer(asked, query, None, NOTHING, clock)
    began = time.perf_counter()
    vector = current().query_encoder.encode_text(text, collection.model)
    clock.encode = time.perf_counter() - began
    began = time.perf_counter()
    found = collection.nearest(vector, search_params(query))
    clock.search = time.perf_counter() - began
    return _answer(asked, query, collection, found, clock)


@blueprint.post("/search")
@blueprint.input(schemas.ComposedQuery, location="form_and_files", arg_name="query")
@blueprint.output(schemas.SearchResults, description="What was found.")
@blueprint.doc(operation_id="search", responses=problem_answers(404, 409, 413, 415, 422, 429, 503))
def search(query: dict[str, Any]) -> Response:
    """Search by a picture, a text, pictures of the collection, or several of them.

    The query's vector is the normalised sum of the parts' vectors, each times its weight.
    """
    text = _stripped(query["q"]) if "q" in query else None
    picture = _read(query["file"]) if "file" in query else None
    ids = list(dict.fromkeys(str(one) for one in query.get("id", ())))
    if text is None and picture is None and not ids:
        raise Problem("invalid-request", "Give a `file`, a text `q`, or an `id`.")
    collection = current().catalogue.current_if_any()
    clock = Clock()
    asked = _asked(query, text=text, image_id=ids[0] if len(ids) == 1 else None)
    if collection is None:
        return _answer(asked, query, None, NOTHING, clock)
    began = time.perf_counter()
    weighted = []
    if picture is not None:
        weighted.append((query["file_weight"], current().query_encoder.encode_image(picture, collection.model)))
    if text is not None:
        weighted.append((query["q_weight"], current().query_encoder.encode_text(text, collection.model)))
    clock.encode = time.perf_counter() - began
    began = time.perf_counter()
    weighted += [(query["id_weight"], vector) for vector in _vectors(collection, ids)]
    vector = combine(weighted)
    found = collection.nearest(vector, search_params(query, exclude=ids))
    clock.search = time.perf_counter() - began
    return _answer(asked, query, collection, found, clock)


@blueprint.get("/images/<uuid:image_id>/similar")
@blueprint.input(schemas.Window, location="query", arg_name="query")
@blueprint.output(schemas.SearchResults, description="The most similar pictures, without itself.")
@blueprint.doc(operation_id="searchSimilar", responses=problem_answers(404, 409, 422, 503))
def search_similar(image_id: str, query: dict[str, Any]) -> Response:
    """Find pictures that are like one of the collection."""
    wanted = str(image_id)
    collection = current().catalogue.current()
    clock = Clock()
    began = time.perf_counter()
    try:
        found = collection.similar(wanted, search_params(query))
    except UnknownImage:
        # One without a vector is as unknown to the database as one that is not there.
        _vectors(collection, [wanted])
        raise
    clock.search = time.perf_counter() - began
    asked = _asked(query, image_id=wanted)
    return _answer(asked, query, collection, found, clock)


def _stripped(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise Problem("invalid-request", "The text is empty.")
    return stripped


def _read(file: FileStorage) -> bytes:
    limit = current().settings.pictures.max_bytes
    data = file.stream.read(limit + 1)
    if len(data) > limit:
        raise Problem("too-large", f"The picture is larger than {limit:,} bytes (IMAGE_MAX_BYTES).")
    if not data:
        raise Problem("not-a-picture", "The file is empty.")
    return data


def _vectors(collection: Collection, ids: list[str]) -> list[NDArray[np.float32]]:
    """Return the vectors of pictures of the collection.

    Raises:
        Problem: 404 where one is not there, 409 where it has no vector.
    """
    if not ids:
        return []
    images = collection.get(ids)
    for wanted, image in zip(ids, images, strict=True):
        if image is None:
            raise Problem("image-not-found", f"There is no picture {wanted}; it may have been removed.")
    vectors = []
    known = collection.vectors(ids)
    for image, vector in zip(images, known, strict=True):
        if vector is None:
            why = f": {image.reason}" if image is not None and image.reason else ""
            state = image.state if image is not None else "gone"
            raise Problem("no-vector", f"This picture is {state}{why}; only indexed ones can be searched by.")
        vectors.append(vector)
    return vectors


def _asked(query: dict[str, Any], *, text: str | None = None, image_id: str | None = None) -> dict[str, Any]:
    return {"text": text, "image_id": image_id, "limit": query["limit"], "offset": query["offset"]}


def _relevance(
    asked: dict[str, Any], query: dict[str, Any], collection: Collection | None, found: Nearest
) -> dict[str, Any] | None:
    """Return whether a text was found; of one that is not alone, or whose best results are left out, not much."""
    text = asked["text"]
    if text is None:
        return None
    relevance = Relevance(relevant=len(found.images))
    is_alone = "file" not in query and not query.get("id")
    if is_alone and asked["offset"] == 0 and collection is not None:
        words = current().vocabulary.get(collection.model)
        scale = current().calibrator.calibration(collection, words) if words is not None else None
        if words is not None and scale is not None:
            relevance = assess(text, found.similarities, found.vectors, words, scale)
    return asdict(relevance)


def _answer(
    asked: dict[str, Any], query: dict[str, Any], collection: Collection | None, found: Nearest, clock: Clock
) -> Response:
    model = None
    if collection is not None:
        model = {"id": collection.model.id, "fingerprint": collection.model.fingerprint}
    graph = ResultGraph()
    if query["clusters"] and found.vectors is not None:
        began = time.perf_counter()
        words = current().vocabulary.get(collection.model) if collection is not None else None
        graph = build_result_graph(found.images, found.similarities, found.vectors, words, asked["text"])
        clock.cluster = time.perf_counter() - began
    hits = serialize_hits(found.images, np.round(found.similarities.astype(np.float64), 6).tolist(), graph.cluster_of)
    total = time.perf_counter() - g.began
    timings = {
        "encode_ms": round(clock.encode * 1000, 3),
        "search_ms": round(clock.search * 1000, 3),
        "cluster_ms": round(clock.cluster * 1000, 3),
        "total_ms": round(total * 1000, 3),
    }
    response = json_response(
        {
            "query": asked,
            "model": model,
            "results": hits,
            "clusters": graph.clusters,
            "edges": graph.edges,
            "relevance": _relevance(asked, query, collection, found),
            "timings": timings,
        }
    )
    total = time.perf_counter() - g.began
    response.headers["Server-Timing"] = (
        f"encode;dur={timings['encode_ms']}, search;dur={timings['search_ms']}, "
        f"cluster;dur={timings['cluster_ms']}, total;dur={total * 1000:.3f}"
    )
    telemetry = current().telemetry
    telemetry.step("encode", clock.encode)
    telemetry.step("search", clock.search)
    telemetry.step("cluster", clock.cluster)
    telemetry.step("rest", total - clock.encode - clock.search - clock.cluster)
    g.log_fields = {
        "results": len(hits),
        "encode_ms": timings["encode_ms"],
        "search_ms": timings["search_ms"],
        "cluster_ms": timings["cluster_ms"],
    }
    return response
