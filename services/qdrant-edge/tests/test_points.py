from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest
from qdrant_client import grpc as grpc_api
from qdrant_client import models

IDS = [str(UUID(int=number + 1)) for number in range(6)]
LABELS = ["cat", "dog", "cat", "bird", "cat", "dog"]
WORDS = ["old cat", "Übung", "a catalogue", "straße", "黒い猫が走る", "img 1234"]
ANGLES = np.linspace(0, 1.2, 6)
VECTORS = [[float(np.cos(angle)), float(np.sin(angle)), 0.0, 0.0] for angle in ANGLES]


def payload(number):
    return {
        "label": LABELS[number],
        "number": number,
        "taken_at": f"2026-01-0{number + 1}T12:00:00Z",
        "folders": ["all", LABELS[number]],
        "size": number + 0.5,
        "indexed": number % 2 == 0,
        "camera": None,
        "words": WORDS[number],
        "place": {"lat": 48.0, "lon": 10.0 * number},
        "exif": {"iso": 100 * number, "lens": ["a", 2, 2.5, None, False, {}]},
    }


def match(key, value):
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def has_words(text):
    return models.FieldCondition(key="words", match=models.MatchText(text=text))


def within(area):
    if isinstance(area, models.GeoRadius):
        return models.FieldCondition(key="place", geo_radius=area)
    return models.FieldCondition(key="place", geo_bounding_box=area)


@pytest.fixture
def points(shared, name, create):
    """A collection of six pictures whose vectors turn away from the first one, step by step."""
    create(shared, name)
    for field, kind in (
        ("label", models.PayloadSchemaType.KEYWORD),
        ("folders", models.PayloadSchemaType.KEYWORD),
        ("number", models.PayloadSchemaType.INTEGER),
        ("taken_at", models.PayloadSchemaType.DATETIME),
        ("place", models.PayloadSchemaType.GEO),
        ("words", models.TextIndexParams(type="text", tokenizer="multilingual", lowercase=True, ascii_folding=True)),
    ):
        shared.create_payload_index(name, field, kind)
    shared.upsert(
        name,
        [
            models.PointStruct(id=IDS[number], vector={"image": VECTORS[number]}, payload=payload(number))
            for number in range(6)
        ],
    )
    return name


def ids(found):
    return [IDS.index(point.id) for point in found]


def nearest(client, name, query=VECTORS[0], **options):
    return client.query_points(name, query, using="image", **options).points


def test_points_are_returned_as_stored_and_in_order(shared, points):
    found = shared.retrieve(points, [IDS[4], IDS[1], str(UUID(int=99)), IDS[0]], with_vectors=True)
    assert ids(found) == [4, 1, 0]
    assert found[0].payload == payload(4)
    assert found[0].vector["image"] == pytest.approx(VECTORS[4], abs=1e-6)


def test_fields_that_are_not_requested_are_not_sent(shared, points):
    (bare,) = shared.retrieve(points, [IDS[0]], with_payload=False)
    assert not bare.payload
    assert bare.vector is None
    (some,) = shared.retrieve(points, [IDS[0]], with_payload=["label", "exif.iso"])
    assert some.payload == {"label": "cat", "exif": {"iso": 0}}
    (named,) = shared.retrieve(points, [IDS[0]], with_vectors=["image"])
    assert set(named.vector) == {"image"}


def test_an_upsert_replaces_the_whole_point(shared, points):
    shared.upsert(points, [models.PointStruct(id=IDS[0], vector={"image": [0, 0, 1, 0]}, payload={"a": 1})])
    (found,) = shared.retrieve(points, [IDS[0]], with_vectors=True)
    assert found.payload == {"a": 1}
    assert found.vector == {"image": [0, 0, 1, 0]}
    assert shared.count(points).count == 6


def test_the_nearest_come_first_with_their_cosine(shared, points):
    found = nearest(shared, points, limit=3)
    assert ids(found) == [0, 1, 2]
    assert [point.score for point in found] == pytest.approx(np.cos(ANGLES[:3]), abs=1e-5)
    assert ids(nearest(shared, points, limit=2, offset=1)) == [1, 2]
    assert [len(point.vector["image"]) for point in nearest(shared, points, with_vectors=True)] == [4] * 6
    precise = models.SearchParams(
        hnsw_ef=64, exact=True, quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0)
    )
    assert ids(nearest(shared, points, search_params=precise)) == [0, 1, 2, 3, 4, 5]


def test_the_nearest_to_a_point_are_others(shared, points, refused):
    assert ids(nearest(shared, points, IDS[2], limit=2)) in ([1, 3], [3, 1])
    only_cats = models.Filter(must=[match("label", "cat")])
    assert sorted(ids(nearest(shared, points, IDS[2], query_filter=only_cats))) == [0, 4]
    assert "No point with id" in refused("NOT_FOUND", nearest, shared, points, str(UUID(int=99)))


def test_several_queries_in_one_call(shared, points):
    found = shared.query_batch_points(
        points,
        [
            models.QueryRequest(query=VECTORS[0], using="image", limit=2, with_payload=["label"]),
            models.QueryRequest(query=IDS[5], using="image", limit=1),
            models.QueryRequest(
                query=VECTORS[5], using="image", limit=1, filter=models.Filter(must_not=[match("label", "dog")])
            ),
        ],
    )
    assert [ids(response.points) for response in found] == [[0, 1], [4], [4]]
    assert found[0].points[0].payload == {"label": "cat"}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"must": [match("label", "cat")]}, [0, 2, 4]),
        ({"must": [match("folders", "dog")]}, [1, 5]),
        ({"must_not": [match("label", "cat")]}, [1, 3, 5]),
        ({"should": [match("label", "bird"), match("folders", "dog")]}, [1, 3, 5]),
        ({"must": [models.Filter(should=[match("label", "bird"), match("label", "dog")])]}, [1, 3, 5]),
        ({"must": [models.FieldCondition(key="label", match=models.MatchAny(any=["bird", "dog"]))]}, [1, 3, 5]),
        (
            {
                "must": [
                    models.FieldCondition(
                        key="taken_at",
                        range=models.DatetimeRange(
                            gte=datetime(2026, 1, 2, tzinfo=UTC), lt=datetime(2026, 1, 4, 12, tzinfo=UTC)
                        ),
                    )
                ]
            },
            [1, 2],
        ),
        ({"must": [models.HasIdCondition(has_id=[IDS[1], IDS[3]])]}, [1, 3]),
        ({"must": [models.HasIdCondition(has_id=[])]}, []),
        ({"must": [match("number", 3)]}, [3]),
        ({"must": [models.FieldCondition(key="number", range=models.Range(gt=1, lte=4))]}, [2, 3, 4]),
        ({"must": [models.FieldCondition(key="number", range=models.Range(lt=0))]}, []),
        ({"must": [has_words("cat")]}, [0]),
        ({"must": [has_words("CAT old")]}, [0]),
        ({"must": [has_words("ubung")]}, [1]),
        ({"must": [has_words("Strasse")]}, [3]),
        ({"must": [has_words("\N{CJK UNIFIED IDEOGRAPH-732B}")]}, [4]),
        ({"must": [has_words("!")]}, []),
        ({"must": [within(models.GeoRadius(center=models.GeoPoint(lat=48, lon=10), radius=800_000))]}, [0, 1, 2]),
        (
            {
                "must": [
                    within(
                        models.GeoBoundingBox(
                            top_left=models.GeoPoint(lat=50, lon=15), bottom_right=models.GeoPoint(lat=40, lon=41)
                        )
                    )
                ]
            },
            [2, 3, 4],
        ),
        ({"must": [models.HasVectorCondition(has_vector="image")]}, [0, 1, 2, 3, 4, 5]),
        ({"must": [models.IsEmptyCondition(is_empty=models.PayloadField(key="label"))]}, []),
    ],
)
def test_filters(shared, points, conditions, expected):
    wanted = models.Filter(**conditions)
    assert sorted(ids(shared.scroll(points, wanted)[0])) == expected
    assert sorted(ids(nearest(shared, points, query_filter=wanted))) == expected
    assert shared.count(points, wanted).count == len(expected)


@pytest.mark.parametrize(
    "condition",
    [
        models.FieldCondition(key="label", match=models.MatchExcept(**{"except": ["cat"]})),
        models.FieldCondition(key="number", match=models.MatchAny(any=[1, 2])),
        models.FieldCondition(key="words", match=models.MatchPhrase(phrase="old cat")),
        models.FieldCondition(key="folders", values_count=models.ValuesCount(gte=3)),
        models.IsNullCondition(is_null=models.PayloadField(key="camera")),
    ],
)
def test_other_conditions_are_not_served(shared, points, refused, condition):
    assert "does not serve" in refused("UNIMPLEMENTED", shared.count, points, models.Filter(must=[condition]))


def test_pages_by_id_hold_every_point_once(shared, points):
    seen, offset = [], None
    while True:
        page, offset = shared.scroll(points, limit=4, offset=offset)
        seen += ids(page)
        if offset is None:
            break
    assert seen == [0, 1, 2, 3, 4, 5]


def test_pages_in_the_order_of_a_field(shared, points, refused):
    last, _ = shared.scroll(points, limit=2, order_by=models.OrderBy(key="number", direction="desc"))
    assert ids(last) == [5, 4]
    early, _ = shared.scroll(points, order_by=models.OrderBy(key="number", direction="desc", start_from=1))
    assert ids(early) == [1, 0]
    refused("INVALID_ARGUMENT", shared.scroll, points, order_by=models.OrderBy(key="size"))


def test_counts_and_facets(shared, points, refused):
    assert shared.count(points).count == 6
    assert shared.count(points, exact=False).count == 6
    hits = {hit.value: hit.count for hit in shared.facet(points, "label", exact=True).hits}
    assert hits == {"cat": 3, "dog": 2, "bird": 1}
    assert len(shared.facet(points, "label", limit=1).hits) == 1
    dogs = models.Filter(must=[match("folders", "dog")])
    assert {hit.value: hit.count for hit in shared.facet(points, "label", dogs).hits} == {"dog": 2}
    assert {hit.value: hit.count for hit in shared.facet(points, "number", dogs).hits} == {1: 1, 5: 1}
    refused("INVALID_ARGUMENT", shared.facet, points, "size")


def test_a_place_off_the_earth_is_refused(shared, points, refused):
    circle = grpc_api.GeoRadius(center=grpc_api.GeoPoint(lat=91, lon=0), radius=1)
    condition = grpc_api.Condition(field=grpc_api.FieldCondition(key="place", geo_radius=circle))
    request = grpc_api.CountPoints(collection_name=points, filter=grpc_api.Filter(must=[condition]))
    assert "lat" in refused("INVALID_ARGUMENT", shared.grpc_points.Count, request)


def test_a_point_without_a_vector_is_counted_and_never_found(shared, points):
    shared.upsert(points, [models.PointStruct(id=7, vector={}, payload={"label": "failed"})])
    assert shared.count(points).count == 7
    assert {hit.value for hit in shared.facet(points, "label").hits} >= {"failed"}
    assert 7 not in [point.id for point in nearest(shared, points, limit=100)]
    (found,) = shared.retrieve(points, [7], with_vectors=True)
    assert found.payload == {"label": "failed"}
    assert found.vector == {}


def test_the_nearest_to_a_point_without_a_vector_are_not_found(shared, points, refused):
    shared.upsert(points, [models.PointStruct(id=7, vector={})])
    assert "has no vector" in refused("NOT_FOUND", nearest, shared, points, 7)


def test_payloads_are_merged(shared, points, refused):
    shared.set_payload(points, {"label": "lion", "new": [1]}, points=[IDS[0], IDS[2]])
    assert shared.retrieve(points, [IDS[0]])[0].payload == {**payload(0), "label": "lion", "new": [1]}
    shared.set_payload(points, {"label": "hound"}, points=models.Filter(must=[match("label", "dog")]))
    assert {hit.value: hit.count for hit in shared.facet(points, "label").hits} == {
        "lion": 2,
        "hound": 2,
        "cat": 1,
        "bird": 1,
    }
    refused("UNIMPLEMENTED", shared.set_payload, points, {"iso": 1}, points=[IDS[0]], key="exif")
    assert ids(nearest(shared, points, limit=1)) == [0]


def test_setting_the_payload_of_a_missing_point_says_so_and_changes_the_others(shared, points, refused):
    refused("NOT_FOUND", shared.set_payload, points, {"a": 1}, points=[IDS[0], str(UUID(int=99))])
    assert shared.retrieve(points, [IDS[0]])[0].payload["a"] == 1
    assert shared.count(points).count == 6


def test_points_are_deleted_by_id_and_by_filter(shared, points):
    shared.delete(points, [IDS[0], str(UUID(int=99))])
    shared.delete(points, models.FilterSelector(filter=models.Filter(must=[match("label", "dog")])))
    assert ids(shared.scroll(points)[0]) == [2, 3, 4]
    assert ids(nearest(shared, points)) == [2, 3, 4]


def test_an_upsert_with_one_wrong_vector_changes_nothing(shared, points, refused):
    right = models.PointStruct(id=10, vector={"image": VECTORS[0]})
    for wrong in ({"image": [1.0, 2.0]}, {"sound": VECTORS[0]}):
        points_sent = [right, models.PointStruct(id=11, vector=wrong)]
        refused("INVALID_ARGUMENT", shared.upsert, points, points_sent)
    assert shared.count(points).count == 6


def test_wrong_requests_are_refused_in_words(shared, points, refused):
    said = refused("INVALID_ARGUMENT", nearest, shared, points, [1.0, 2.0])
    assert "expected dim: 4, got 2" in said
    refused("INVALID_ARGUMENT", shared.query_points, points, VECTORS[0], using="sound")
    refused("INVALID_ARGUMENT", nearest, shared, points, limit=0)
    refused("INVALID_ARGUMENT", shared.scroll, points, limit=0)
    raw = shared.grpc_points
    bad_id = grpc_api.PointId(uuid="not-a-uuid")
    assert "not-a-uuid" in refused(
        "INVALID_ARGUMENT", raw.Get, grpc_api.GetPoints(collection_name=points, ids=[bad_id])
    )
    refused("INVALID_ARGUMENT", raw.Delete, grpc_api.DeletePoints(collection_name=points))
    refused("INVALID_ARGUMENT", raw.Upsert, grpc_api.UpsertPoints(collection_name=points))
    refused("NOT_FOUND", shared.count, "no such collection")
    refused("NOT_FOUND", shared.upsert, "no such collection", [models.PointStruct(id=1, vector={})])


def test_ids_are_numbers_or_uuids(shared, name, create):
    create(shared, name)
    largest = 2**64 - 1
    shared.upsert(name, [models.PointStruct(id=number, vector={}) for number in (0, largest, IDS[0])])
    assert [point.id for point in shared.retrieve(name, [IDS[0], largest, 0])] == [IDS[0], largest, 0]


def test_payload_values_keep_their_types(shared, name, create):
    create(shared, name)
    values = {
        "text": 'Übergröße "quoted" \n 日本語',
        "long": 2**62,
        "negative": -1,
        "float": 0.1,
        "whole": 3.0,
        "yes": True,
        "nothing": None,
        "empty": {},
        "none": [],
        "deep": [[{"a": [None, {"b": 1}]}]],
    }
    shared.upsert(name, [models.PointStruct(id=1, vector={}, payload=values)])
    stored = shared.retrieve(name, [1])[0].payload
    assert stored == values
    assert {key: type(value) for key, value in stored.items()} == {key: type(value) for key, value in values.items()}


def test_raw_requests_take_qdrants_defaults(shared, points):
    raw = shared.grpc_points
    query = grpc_api.QueryPoints(collection_name=points, using="image")
    query.query.nearest.dense.data.extend(VECTORS[0])
    assert len(raw.Query(query).result) == 6
    scrolled = raw.Scroll(grpc_api.ScrollPoints(collection_name=points)).result
    assert scrolled[0].payload["label"].string_value == "cat"
    got = raw.Get(grpc_api.GetPoints(collection_name=points, ids=[grpc_api.PointId(uuid=IDS[0])])).result
    assert not got[0].payload
    assert raw.Count(grpc_api.CountPoints(collection_name=points)).time > 0
