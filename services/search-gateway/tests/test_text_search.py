"""The search box over HTTP: words, what is left out, filters, and what is found by name."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from sightline_catalogue import NotDerived


def search(world, q, **parameters):
    return world.client.get("/api/v1/search", query_string={"q": q, **parameters})


def keys(response):
    assert response.status_code == 200, response.text
    return {hit["key"] for hit in response.json["results"]}


def named(response):
    assert response.status_code == 200, response.text
    return [image["key"] for image in response.json["named"]["results"]]


@pytest.fixture
def varied(make_world, picture):
    """Return a gateway with three pictures that differ in everything filters go by."""
    made = make_world()
    made.add(
        "animals/big cat.jpg",
        picture("red"),
        taken_at=datetime(2020, 5, 31, 23),
        camera="NIKON D70",
        lens="Nikkor 50mm",
        rating=5,
        place=(52.52, 13.40),
        keywords=["garden"],
        width=6000,
        height=4000,
        added_at=datetime(2024, 5, 2, tzinfo=UTC),
    )
    made.add(
        "animals/pets/dog.png",
        picture("blue"),
        taken_at=datetime(2021, 1, 1),
        camera="Canon EOS R6",
        format="PNG",
        rating=2,
        place=(-17.7, 178.0),
        width=400,
        height=600,
        added_at=datetime(2024, 6, 1, tzinfo=UTC),
    )
    made.add("fruits/orange.jpg", picture("green"), width=900, height=300, added_at=datetime(2024, 5, 3, tzinfo=UTC))
    return made


CAT, DOG, ORANGE = "animals/big cat.jpg", "animals/pets/dog.png", "fruits/orange.jpg"
ALL = {CAT, DOG, ORANGE}
FILTERS = [
    ({"folder": "animals"}, {CAT, DOG}),
    ({"not_folder": "animals/pets"}, {CAT, ORANGE}),
    ({"label": ["animals", "fruits"]}, {CAT, ORANGE}),
    ({"not_label": "fruits"}, {CAT, DOG}),
    ({"name": "DO"}, {DOG}),
    ({"name": ["do", "oran"]}, {DOG, ORANGE}),
    ({"not_name": "dog"}, {CAT, ORANGE}),
    ({"words": "garden"}, {CAT}),
    ({"words": "animals cat"}, {CAT}),
    ({"not_words": "animals"}, {ORANGE}),
    ({"camera": "nikon"}, {CAT}),
    ({"not_camera": "nikon"}, {DOG, ORANGE}),
    ({"lens": "50mm"}, {CAT}),
    ({"not_lens": "50mm"}, {DOG, ORANGE}),
    ({"format": "png"}, {DOG}),
    ({"not_format": "PNG"}, {CAT, ORANGE}),
    ({"shape": "panorama"}, {ORANGE}),
    ({"not_shape": ["panorama", "portrait"]}, {CAT}),
    ({"rating": 3}, {CAT}),
    ({"min_pixels": 24_000_000}, {CAT}),
    ({"max_pixels": 270_000}, {DOG, ORANGE}),
    ({"min_bytes": 1, "max_bytes": 10**9}, ALL),
    ({"max_bytes": 1}, set()),
    ({"near": "52.5,13.4,10"}, {CAT}),
    ({"box": "-30,170,0,-170"}, {DOG}),
    ({"added_after": "2024-06-01"}, {DOG}),
    ({"added_before": "2024-06-01"}, {CAT, ORANGE}),
    ({"after": "2020-05-31", "before": "2020-06-01"}, {CAT}),
    ({"folder": "animals", "not_camera": "canon", "rating": 1}, {CAT}),
]
TEXTS = [
    ("folder:animals", {CAT, DOG}),
    ("-folder:animals", {ORANGE}),
    ('name:"big cat"', {CAT}),
    ("name:dog name:orange", {DOG, ORANGE}),
    ("words:garden", {CAT}),
    ("camera:nikon", {CAT}),
    ("-camera:nikon", {DOG, ORANGE}),
    ("type:png", {DOG}),
    ("-type:png", {CAT, ORANGE}),
    ("shape:portrait", {DOG}),
    ("rating:4", {CAT}),
    ("size:>2mp", {CAT}),
    ("date:2020-05", {CAT}),
    ("date:2020", {CAT}),
    ("after:2020-05 before:2021", {CAT}),
    ("near:52.5,13.4,10km", {CAT}),
    ("added:2024-06", {DOG}),
    ("folder:animals type:png", {DOG}),
    ("folder:fruits type:png", set()),
]


@pytest.mark.parametrize(("parameters", "found"), FILTERS)
def test_each_filter_is_a_parameter_of_searches_and_of_the_collection(varied, parameters, found):
    assert keys(search(varied, "a cat", **parameters)) == found
    browsed = varied.client.get("/api/v1/images", query_string=parameters)
    assert {image["key"] for image in browsed.json["images"]} == found
    form = varied.client.post("/api/v1/search", data={"q": "a cat", **parameters}, content_type="multipart/form-data")
    assert keys(form) == found


@pytest.mark.parametrize(("text", "found"), TEXTS)
def test_each_filter_is_a_term_of_the_search_box(varied, text, found):
    with_words = search(varied, f"a cat {text}")
    assert keys(with_words) == found
    assert with_words.json["query"]["text"] == "a cat"
    assert varied.encoder.texts == ["a cat"]
    assert keys(search(varied, text)) == found


def test_terms_and_parameters_hold_together(varied):
    assert keys(search(varied, "a cat label:animals", label="fruits")) == {CAT, ORANGE}
    assert keys(search(varied, "a cat label:animals", camera="canon")) == set()
    assert keys(search(varied, "a cat rating:1", rating=3)) == {CAT}


def test_what_is_in_the_text_and_a_parameter_and_takes_one_value_is_refused(varied, problem):
    body = problem(search(varied, "near:1,1,1", near="2,2,2"), 422, "invalid-request")
    assert "`near` is in the text and a parameter" in body["detail"]
    assert keys(search(varied, "near:52.5,13.4,10km", near="52.5,13.4,10")) == {CAT}


@pytest.mark.parametrize(
    ("parameters", "name", "told"),
    [
        ({"near": "berlin"}, "near", "such as 52.5,13.4,10km"),
        ({"near": "91,0,1"}, "near", "such as 52.5,13.4,10km"),
        ({"box": "1,2,3"}, "box", "such as 47.3,5.9,55.1,15.0"),
        ({"format": "movie"}, "format.0", "or an ending such as jpg"),
        ({"not_format": ["png", "?"]}, "not_format.1", "or an ending such as jpg"),
        ({"shape": "round"}, "shape.0", "Not landscape, portrait, square or panorama."),
        ({"rating": 6}, "rating", "less than or equal to 5"),
        ({"min_pixels": -1}, "min_pixels", "greater than or equal to 0"),
        ({"max_bytes": "1kb"}, "max_bytes", "Not a valid integer."),
        ({"added_after": "yesterday"}, "added_after", "such as 2024-05-31"),
        ({"not_folder": "/"}, "not_folder.0", "nothing would be left"),
        ({"name": ["x"] * 51}, "name", "50"),
        ({"syntax": "sql"}, "syntax", "plain"),
    ],
)
def test_a_wrong_parameter_is_explained(varied, problem, parameters, name, told):
    body = problem(search(varied, "a cat", **parameters), 422, "invalid-request")
    assert [error["name"] for error in body["errors"]] == [name]
    assert told in body["errors"][0]["detail"]


def test_a_wrong_text_is_explained(varied, problem):
    body = problem(search(varied, "cat after:yesterday filename:x"), 422, "invalid-request")
    assert [(error["in"], error["name"]) for error in body["errors"]] == [("query", "q")] * 2
    assert "such as 2020, 2020-05 or 2020-05-31" in body["errors"][0]["detail"]
    assert "did you mean `name:`" in body["errors"][1]["detail"]
    assert body["detail"] == " ".join(error["detail"] for error in body["errors"])


@pytest.mark.parametrize("text", ["-orange", "-orange folder:fruits", '-"a b"'])
def test_words_that_are_left_out_need_others(varied, problem, text):
    assert "fruit -orange" in problem(search(varied, text), 422, "invalid-request")["detail"]


@pytest.mark.parametrize("text", ["-", '""', " - "])
def test_a_text_that_says_nothing_is_refused(varied, problem, text):
    assert problem(search(varied, text), 422, "invalid-request")["errors"][0]["name"] == "q"


def test_the_answer_says_how_the_text_was_understood(varied):
    query = search(varied, 'big "cat" -dog -folder:fruits rating:>=2', limit=7).json["query"]
    assert query == {
        "text": "big cat",
        "image_id": None,
        "limit": 7,
        "offset": 0,
        "excluded": ["dog"],
        "filters": [
            {"field": "folder", "value": "fruits", "excluded": True},
            {"field": "rating", "value": ">=2", "excluded": False},
        ],
    }


def test_words_that_are_left_out_are_what_a_composed_query_does_not_want(varied):
    text = search(varied, 'animals -dog -"big cat"').json
    parts = [{"text": "animals"}, {"text": "dog", "not": True}, {"text": "big cat", "not": True}]
    composed = varied.client.post("/api/v1/search", json={"parts": parts}).json
    assert sorted(varied.encoder.texts) == ["animals", "big cat", "dog"]
    assert [hit["id"] for hit in text["results"]] == [hit["id"] for hit in composed["results"]]
    assert text["query"]["excluded"] == composed["query"]["excluded"] == ["dog", "big cat"]


def test_a_plain_text_is_searched_for_as_it_is(varied):
    text = 'colour:red -"orange" folder:x'
    response = search(varied, text, syntax="plain")
    assert keys(response) == ALL
    assert response.json["query"]["text"] == text
    assert response.json["query"]["filters"] == response.json["query"]["excluded"] == []
    assert varied.encoder.texts == [text]


def test_filters_alone_list_the_newest_first(varied):
    body = search(varied, "-folder:nowhere").json
    assert [hit["key"] for hit in body["results"]] == [ORANGE, DOG, CAT]
    assert body["query"]["text"] is None
    for hit in body["results"]:
        assert hit["similarity"] is hit["probability"] is hit["relevance"] is hit["cluster"] is None
        assert hit["copies"] == 0
    assert body["clusters"] == body["edges"] == []
    assert body["relevance"] is body["named"] is None
    assert varied.encoder.texts == []


def test_filters_alone_are_paged_and_leave_out_what_is_not_indexed(varied, picture):
    varied.add("fruits/broken.jpg", state="failed", reason="not an image")
    varied.add("fruits/copy.jpg", picture("green"))
    assert [hit["key"] for hit in search(varied, "-folder:x", limit=2, offset=1).json["results"]] == [DOG, CAT]
    assert len(search(varied, "-folder:x", distinct="false").json["results"]) == 4
    assert search(varied, "-folder:x", offset=100).json["results"] == []


def test_filters_alone_go_as_deep_as_a_search(varied, problem):
    assert search(varied, "folder:fruits", offset=999, limit=1).status_code == 200
    problem(search(varied, "folder:fruits", offset=1000, limit=1), 422, "too-deep")


def test_filters_alone_find_nothing_where_nothing_is_indexed(varied):
    varied.catalogue.collection = None
    body = search(varied, "folder:fruits").json
    assert body["results"] == []
    assert body["model"] is None


@pytest.mark.parametrize("text", ["orange", "orange.jpg", "Orange fruits", "fruits"])
def test_words_find_by_name_too(varied, text):
    response = search(varied, text)
    assert response.json["named"]["total"] == 1
    assert named(response) == [ORANGE]
    assert keys(response) == ALL


def test_what_is_found_by_name_leaves_the_results_as_they_are(varied, monkeypatch):
    with_names = search(varied, "dog").json
    assert [image["key"] for image in with_names["named"]["results"]] == [DOG]
    monkeypatch.setattr(varied.collection, "browse", lambda *args, **options: pytest.fail("it was asked"))
    later = search(varied, "dog", offset=1).json
    assert later["named"] is None
    assert [hit["id"] for hit in later["results"]] == [hit["id"] for hit in with_names["results"]][1:]


def test_no_name_has_the_words(varied):
    assert search(varied, "zebra").json["named"] == {"total": 0, "results": []}
    assert varied.collection.calls["browse"] == 1


def test_of_few_those_whose_files_are_called_so_come_first(varied, picture):
    varied.add("cat/new.jpg", picture("white"), modified_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert named(search(varied, "cat")) == [CAT, "cat/new.jpg"]
    assert varied.collection.calls["browse"] == 1


def test_names_keep_to_the_filters_and_to_what_is_left_out(varied):
    assert named(search(varied, "animals")) == [DOG, CAT]
    assert named(search(varied, "animals -cat")) == [DOG]
    assert named(search(varied, "animals type:jpg")) == [CAT]
    assert named(search(varied, "animals words:garden")) == [CAT]
    assert named(search(varied, "animals name:dog name:orange")) == [DOG]
    assert named(search(varied, "animals", not_label="pets")) == [CAT]


def test_names_of_files_come_before_names_of_folders_and_there_are_twelve_at_most(varied, picture):
    for number in range(14):
        day = datetime(2022, 1, 1 + number, tzinfo=UTC)
        varied.add(f"cat/{number}.jpg", picture("white", (64, 64 + number)), modified_at=day)
    body = search(varied, "cat").json["named"]
    assert body["total"] == 15
    assert [image["key"] for image in body["results"]] == [CAT, *(f"cat/{number}.jpg" for number in range(13, 2, -1))]


def test_copies_are_named_once(varied, picture):
    varied.add("fruits/orange copy.jpg", picture("green"))
    response = search(varied, "orange")
    assert response.json["named"]["total"] == 2
    assert len(named(response)) == 1
    assert len(named(search(varied, "orange", distinct="false"))) == 2


def test_words_find_by_looks_while_older_pictures_cannot_be_found_by_name_yet(varied, monkeypatch, problem):
    def not_yet(*args, **options):
        raise NotDerived("2 images lack fields")

    monkeypatch.setattr(varied.collection, "browse", not_yet)
    response = search(varied, "cat")
    assert keys(response) == ALL
    assert response.json["named"] is None
    listed = search(varied, "name:cat")
    problem(listed, 503, "not-ready")
    assert listed.headers["Retry-After"] == "10"


def test_only_indexed_pictures_are_named(varied):
    varied.add("fruits/lemon.jpg", state="failed", reason="not an image")
    assert search(varied, "lemon").json["named"]["total"] == 0


def test_a_form_takes_the_language_beside_a_picture(varied, picture, problem):
    def ask(text, **more):
        data = {"q": text, "file": (io.BytesIO(picture("red")), "red.jpg"), **more}
        return varied.client.post("/api/v1/search", data=data, content_type="multipart/form-data")

    found = ask("-dog shape:landscape camera:nikon", syntax="language")
    assert keys(found) == {CAT}
    assert found.json["query"]["text"] is None
    assert found.json["query"]["excluded"] == ["dog"]
    assert [term["field"] for term in found.json["query"]["filters"]] == ["shape", "camera"]
    assert keys(ask("camera:nikon")) == ALL
    assert keys(ask("garden label:animals", syntax="language", camera="nikon")) == {CAT}
    body = problem(ask("after:yesterday", syntax="language"), 422, "invalid-request")
    assert [(error["in"], error["name"]) for error in body["errors"]] == [("body", "q")]
    problem(ask("   "), 422, "invalid-request")


def test_other_searches_name_nothing(varied, picture):
    [image, *_] = search(varied, "cat").json["results"]
    assert varied.client.get(f"/api/v1/images/{image['id']}/similar").json["named"] is None
    form = varied.client.post("/api/v1/search", data={"q": "cat -dog"}, content_type="multipart/form-data")
    assert form.json["named"] is None
    assert form.json["query"]["text"] == "cat -dog"
