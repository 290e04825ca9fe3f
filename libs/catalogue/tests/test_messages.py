"""Vectors and filters as messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from qdrant_client import grpc as api
from sightline_catalogue import Between, Box, CatalogueSettings, Circle, Filter, ModelRef
from sightline_catalogue.filters import conditions
from sightline_catalogue.query_builder import QueryBuilder, SearchParams
from sightline_catalogue.schema import INDEXES, create_request, index_request
from sightline_catalogue.vectors import as_vector, read_vector, vector_message

vectors = arrays.arrays(np.float32, st.integers(1, 700), elements=st.floats(-1e6, 1e6, width=32))


@given(vectors)
def test_a_vector_survives_the_wire(vector):
    message = vector_message(vector)
    assert list(message.data) == vector.tolist()
    point = api.ScoredPoint()
    point.vectors.vectors.vectors["image"].dense.CopyFrom(message)
    found = read_vector(point.vectors)
    assert found.dtype == np.float32
    assert np.array_equal(found, vector)


def test_a_vector_of_an_older_server_is_read():
    point = api.ScoredPoint()
    point.vectors.vectors.vectors["image"].data.extend([0.5, 0.25])
    assert read_vector(point.vectors).tolist() == [0.5, 0.25]


def test_a_point_without_a_vector_has_none():
    assert read_vector(api.ScoredPoint().vectors) is None
    point = api.ScoredPoint()
    point.vectors.vectors.vectors["other"].dense.data.append(1)
    assert read_vector(point.vectors) is None


@pytest.mark.parametrize("vector", [[1.0], [[1.0, 2.0]], [], 1.0])
def test_a_vector_of_another_shape_is_refused(vector):
    with pytest.raises(ValueError, match=r"shape \(2,\) is needed"):
        as_vector(vector, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_vector_without_a_direction_is_refused(value):
    with pytest.raises(ValueError, match="not finite"):
        as_vector([1.0, value], 2)


def test_no_filter_has_no_conditions():
    assert conditions(None) == conditions(Filter()) == []


def fields_of(found) -> set[str]:
    """The fields that conditions, and those within them, are on."""
    fields = set()
    for condition in found:
        inner = condition.filter
        fields |= fields_of([*inner.must, *inner.should, *inner.must_not])
        if condition.HasField("field"):
            fields.add(condition.field.key)
    return fields


def test_every_field_that_filters_use_is_indexed():
    moment, aware, some = datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), Between(1, 2)
    chosen = Filter(("a",), ("a",), moment, moment, ("indexed",), ("PNG",), ("0" * 64,))
    chosen = replace(chosen, names=("a b",), words=("a1",), cameras=("a",), lenses=("a",), shapes=("square",), rating=1)
    chosen = replace(chosen, near=Circle(0, 0, 1), inside=Box(0, 170, 1, -170), bytes=some, pixels=some)
    everything = replace(chosen, added_after=aware, added_before=aware)
    fields = fields_of(conditions(everything))
    assert fields == {
        *("label", "folders", "taken_at", "modified_at", "state", "format", "sha256", "name", "words"),
        *("camera_words", "lens_words", "place", "bytes", "pixels", "shape", "rating", "added_at"),
    }
    assert fields <= set(INDEXES)
    assert fields_of(conditions(Filter(excluded=everything))) == fields


def test_what_no_text_can_mean_is_no_condition_that_everything_meets():
    [condition] = conditions(Filter(words=("!?",)))
    assert condition.HasField("has_id")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Circle(91, 0, 1),
        lambda: Circle(0, float("nan"), 1),
        lambda: Circle(0, 0, 0),
        lambda: Circle(0, 0, float("inf")),
        lambda: Box(2, 0, 1, 0),
        lambda: Box(0, -181, 1, 0),
    ],
)
def test_places_that_are_none_are_refused(make):
    with pytest.raises(ValueError, match=r"place|radius|upside down"):
        make()


def test_moments_of_a_filter_are_aware():
    with pytest.raises(ValueError, match="has no time zone"):
        conditions(Filter(added_after=datetime(2024, 1, 1)))


@pytest.mark.parametrize(
    ("wanted", "looks_further"),
    [
        (Filter(labels=("a",)), False),
        (Filter(folders=("a/b",)), False),
        (Filter(after=datetime(2024, 1, 1)), False),
        (Filter(labels=("a", "b")), True),
        (Filter(labels=("a",), before=datetime(2024, 1, 1)), True),
        (Filter(formats=("PNG",)), True),
        (Filter(labels=("a",), excluded=Filter(names=("b",))), True),
        (None, True),
    ],
)
def test_a_search_looks_at_neighbours_of_neighbours_where_the_graph_has_no_links(wanted, looks_further):
    queries = QueryBuilder("images", ModelRef("embedded", "a" * 64, 2), "main", CatalogueSettings())
    origin = api.VectorInput(dense=vector_message(np.ones(2, np.float32)))
    assert queries.page(origin, SearchParams(5, filter=wanted)).params.acorn.enable is looks_further
    assert not queries.page(origin, SearchParams(5), narrowed=False).params.HasField("acorn")


@pytest.mark.parametrize(
    ("segments", "of_images", "of_texts"), [(1, 256, 768), (3, 256, 768), (4, 128, 384), (40, 128, 384)]
)
def test_a_search_holds_more_candidates_for_texts_and_fewer_in_each_of_several_segments(segments, of_images, of_texts):
    model = ModelRef("embedded", "a" * 64, 2)
    origin = api.VectorInput(dense=vector_message(np.ones(2, np.float32)))

    def ef(settings, **kind):
        queries = QueryBuilder("images", model, "main", settings, lambda: segments)
        return queries.page(origin, SearchParams(5, **kind)).params.hnsw_ef

    assert ef(CatalogueSettings()) == of_images
    assert ef(CatalogueSettings(), by_text=True) == of_texts
    assert ef(CatalogueSettings(), filter=Filter(formats=("PNG",))) == of_images // 2
    assert ef(CatalogueSettings(), filter=Filter(labels=("a",))) == of_images
    assert ef(CatalogueSettings(hnsw_ef=64)) == ef(CatalogueSettings(hnsw_ef=64), by_text=True) == 64


@pytest.mark.parametrize("limit", range(1, 51))
def test_any_first_page_has_as_many_candidates_scored_again(limit):
    queries = QueryBuilder("images", ModelRef("embedded", "a" * 64, 2), "main", CatalogueSettings())
    query = queries.page(api.VectorInput(dense=vector_message(np.ones(2, np.float32))), SearchParams(limit))
    assert int(query.params.quantization.oversampling * query.limit) == 102


def test_a_wall_time_with_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="has a time zone"):
        conditions(Filter(after=datetime(2024, 1, 1, tzinfo=UTC)))


def test_names_match_in_both_forms_of_unicode_and_folders_with_slashes_at_their_ends():
    composed, decomposed = "\u00c9t\u00e9", "E\u0301te\u0301"
    for form in (composed, decomposed):
        [condition] = conditions(Filter(labels=(form,)))
        assert list(condition.field.match.keywords.strings) == [composed, decomposed]
    for folder in ("a/b", "a/b/", "/a/b", "a//b"):
        [condition] = conditions(Filter(folders=(folder,)))
        assert condition.field.match.keyword == "a/b"


@pytest.mark.parametrize(("preload", "expected"), [(True, api.Memory.Cached), (False, api.Memory.Cold)])
def test_vectors_and_payloads_are_preloaded_by_default(preload, expected):
    request = create_request(ModelRef("embedded", "a" * 64, 4), CatalogueSettings(preload=preload))
    assert request.vectors_config.params_map.map["image"].memory == expected
    assert request.payload.memory == expected


def test_the_graph_has_additional_links_for_filters_that_few_images_match():
    links = {field: index_request("images", field, CatalogueSettings()).field_index_params for field in INDEXES}
    kept = {field for field, params in links.items() if getattr(params, params.WhichOneof("index_params")).enable_hnsw}
    assert kept == {"label", "folders", "taken_at"}
