"""Counts over HTTP."""

from __future__ import annotations

from datetime import datetime

import pytest
from sightline_catalogue import FACETS, NotDerived


def facets(world, **parameters):
    response = world.client.get("/api/v1/facets", query_string=parameters)
    assert response.status_code == 200, response.text
    return {
        one["field"]: {value["value"]: value["count"] for value in one["values"]} for one in response.json["facets"]
    }


def test_each_field_is_counted(world):
    world.add("animals/wolf.png", camera="NIKON D70", format="PNG", rating=4, taken_at=datetime(2019, 12, 31, 23))
    assert facets(world, field=["label", "camera", "year"]) == {
        "label": {"animals": 4, "red": 1},
        "camera": {"NIKON D70": 1},
        "year": {"2024": 5, "2019": 1},
    }
    everything = facets(world)
    assert list(everything) == list(FACETS)
    assert everything["format"] == {"JPEG": 5, "PNG": 1}
    assert everything["folder"] == {"animals": 4, "fruits": 1, "fruits/red": 1}
    assert everything["rating"] == {"4": 1}
    assert everything["shape"] == {"landscape": 6}


def test_fields_come_in_the_order_asked_for_and_once(world):
    assert list(facets(world, field=["shape", "label", "shape"])) == ["shape", "label"]


def test_only_what_the_filters_let_through_is_counted(world):
    assert facets(world, field="label", folder="fruits") == {"label": {"red": 1}}
    assert facets(world, field="label", not_folder="fruits", name="c") == {"label": {"animals": 2}}
    assert facets(world, field="label", camera="none") == {"label": {}}


def test_only_indexed_pictures_are_counted(world):
    world.add("animals/broken.jpg", state="failed", reason="not an image")
    assert facets(world, field="label") == {"label": {"animals": 3, "red": 1}}


def test_the_most_frequent_values_are_kept(world):
    assert facets(world, field="label", limit=1) == {"label": {"animals": 3}}


def test_nothing_is_counted_where_nothing_is_indexed(world):
    world.catalogue.collection = None
    assert facets(world, field=["label", "year"]) == {"label": {}, "year": {}}


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({"field": "colour"}, "field.0"),
        ({"field": ["label"] * 9}, "field"),
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"near": "berlin"}, "near"),
    ],
)
def test_what_makes_no_sense_is_named(world, parameters, name, problem):
    body = problem(world.client.get("/api/v1/facets", query_string=parameters), 422, "invalid-request")
    assert [error["name"] for error in body["errors"]] == [name]


def test_counts_of_what_is_still_prepared_come_later(world, problem):
    world.collection.errors.append(NotDerived("2 images lack fields"))
    problem(world.client.get("/api/v1/facets?field=year"), 503, "not-ready")
