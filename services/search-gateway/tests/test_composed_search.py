from __future__ import annotations

import io
import json

import numpy as np
import pytest
from fakes import MODEL, vector_of
from PIL import Image as Pillow
from sightline_pictures.decoder_pool import Busy
from sightline_search_gateway.schemas.composed import MAX_PARTS, MAX_SENT_PICTURES
from sightline_search_gateway.search.diversity import diversified
from waiting import wait_for

from conftest import picture_bytes

URL = "/api/v1/search"
NOWHERE = "00000000-0000-0000-0000-000000000000"
LEFT, RIGHT = ({"x": x, "y": 0, "width": 0.5, "height": 1} for x in (0, 0.5))


def ask(world, *parts, **more):
    return world.client.post(URL, json={"parts": list(parts), **more})


def ask_with_files(world, query, **files):
    sent = {name: (io.BytesIO(data), f"{name}.jpg") for name, data in files.items()}
    data = {"query": json.dumps(query), **sent}
    return world.client.post(URL, data=data, content_type="multipart/form-data")


def ask_by_form(world, **fields):
    return world.client.post(URL, data=fields, content_type="multipart/form-data")


def keys_of(response):
    assert response.status_code == 200, response.json
    return [hit["key"] for hit in response.json["results"]]


def id_of(world, key):
    [found] = [image.id for image in world.collection.images.values() if image.key == key]
    return found


def two_halves(left, right):
    """Return a picture file whose halves are of two colours."""
    both = Pillow.new("RGB", (640, 480), left)
    both.paste(Pillow.new("RGB", (320, 480), right), (320, 0))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def looking(world):
    """Return a gateway whose pictures look like their groups: two numbers for each, what text finds and what it is."""

    def add(key, alike, looks):
        image = world.add(key, key.encode())
        row = np.zeros(MODEL.dimensions + MODEL.visual_dimensions, np.float32)
        text = vector_of("fruit")
        other = np.roll(text, 1) - text * float(text @ np.roll(text, 1))
        row[: MODEL.dimensions] = alike * text + np.sqrt(1 - alike**2) * other / np.linalg.norm(other)
        seen = np.array(looks, np.float32)
        row[MODEL.dimensions :] = seen / np.linalg.norm(seen)
        world.collection.upsert([image], [row])
        return image

    world.collection.images.clear()
    world.collection.stored_vectors.clear()
    for number in range(6):
        add(f"oranges/{number}.jpg", 0.9 - number / 100, [1, number / 30, 0, 0])
        add(f"plums/{number}.jpg", 0.8 - number / 100, [0, 0, 1, number / 30])
    world.add_looking = add
    return world


def test_texts_and_pictures_count_by_their_weights(world):
    dog, texts = id_of(world, "animals/dog.jpg"), {"a cat": 1.0, "a lawn": 0.5}
    found = ask(world, {"text": "a cat"}, {"text": "a lawn", "weight": 0.5}, {"id": dog, "weight": -0.2}).json
    kept = world.collection.stored_vectors
    wanted = sum(weight * vector_of(text) for text, weight in texts.items()) - 0.2 * kept[dog][: MODEL.dimensions]
    wanted /= np.linalg.norm(wanted)
    others = {one: float(row[: MODEL.dimensions] @ wanted) for one, row in kept.items() if one != dog}
    assert [hit["id"] for hit in found["results"]] == sorted(others, key=others.get, reverse=True)
    assert found["results"][0]["similarity"] == pytest.approx(max(others.values()), abs=1e-4)
    assert found["query"]["text"] == "a cat, a lawn"
    assert found["relevance"]["likely"] is None
    assert {hit["probability"] for hit in found["results"]} == {None}


def test_json_and_a_form_ask_the_same(world):
    dog = world.bucket.files["animals/dog.jpg"]
    cat = id_of(world, "animals/cat.jpg")
    plain = ask_by_form(world, q="a cat", q_weight="0.5", id=cat, limit="3")
    assert keys_of(ask(world, {"text": "a cat", "weight": 0.5}, {"id": cat}, limit=3)) == keys_of(plain)
    query = {"parts": [{"file": "mine"}]}
    alone = ask_by_form(world, file=(io.BytesIO(dog), "a.jpg"))
    assert keys_of(ask_with_files(world, query, mine=dog)) == keys_of(alone)
    assert keys_of(ask(world, {"text": "a cat"}, label=["red"])) == ["fruits/red/apple.jpg"]


def test_a_crop_of_a_file_and_of_a_picture_of_the_collection(world):
    data = two_halves("black", "white")
    halves = world.add("halves.png", data)
    black, white = "top.jpg", world.add("white.jpg", picture_bytes("white")).key
    for crop, key in ((LEFT, black), (RIGHT, white)):
        of_file = ask_with_files(world, {"parts": [{"file": "it", "crop": crop}]}, it=data)
        of_image = ask(world, {"id": halves.id, "crop": crop})
        assert keys_of(of_image)[0] == keys_of(of_file)[0] == key
        assert halves.key not in keys_of(of_image)
    both = {"parts": [{"file": "it", "crop": LEFT}, {"file": "it", "crop": RIGHT}]}
    crops = {hit["key"]: hit["similarity"] for hit in ask_with_files(world, both, it=data).json["results"]}
    for hit in ask(world, {"id": id_of(world, black)}, {"id": id_of(world, white)}).json["results"]:
        assert hit["similarity"] == pytest.approx(crops[hit["key"]], abs=1e-4)


@pytest.mark.parametrize(
    ("crop", "name"),
    [
        ({"x": 0.6, "y": 0, "width": 0.5, "height": 1}, "query.parts.0.crop.width"),
        ({"x": 0, "y": 0, "width": 0, "height": 1}, "query.parts.0.crop.width"),
        ({"x": -0.1, "y": 0, "width": 0.5, "height": 1}, "query.parts.0.crop.x"),
        ({"x": 0, "y": 0, "width": 1}, "query.parts.0.crop.height"),
        ({"x": 0, "y": 0, "width": "wide", "height": 1}, "query.parts.0.crop.width"),
    ],
)
def test_crops_that_make_no_sense_are_named(world, crop, name, problem):
    found = problem(ask(world, {"id": id_of(world, "top.jpg"), "crop": crop}), 422, "invalid-request")
    assert found["errors"][0]["name"] == name


def test_crops_that_cannot_be_made(world, problem):
    tiny = {"x": 0, "y": 0, "width": 0.02, "height": 1}
    found = problem(ask(world, {"id": id_of(world, "top.jpg"), "crop": tiny}), 422, "not-a-picture")
    assert found["detail"] == "This picture cannot be cropped: the crop has 13 x 480 pixels; a side has at least 16."
    problem(ask_with_files(world, {"parts": [{"file": "it", "crop": LEFT}]}, it=b"text"), 422, "not-a-picture")
    world.decoders.error = Busy()
    problem(ask(world, {"id": id_of(world, "top.jpg"), "crop": LEFT}), 429, "overloaded")


def test_files_and_the_query_belong_together(world, problem):
    part = {"parts": [{"file": "mine"}]}
    problem(ask(world, *part["parts"]), 422, "invalid-request")
    problem(ask_with_files(world, part), 422, "invalid-request")
    found = problem(ask_with_files(world, part, mine=picture_bytes(), other=picture_bytes()), 422, "invalid-request")
    assert found["errors"] == [{"in": "body", "name": "other", "detail": "The query does not name this file."}]
    problem(ask_with_files(world, part, mine=b""), 422, "not-a-picture")
    query = json.dumps({"parts": [{"text": "a"}]})
    found = problem(ask_by_form(world, query=query, q="b"), 422, "invalid-request")
    assert [error["name"] for error in found["errors"]] == ["q"]
    problem(ask_by_form(world, query="{"), 400, "malformed")
    problem(ask_by_form(world, query="[]"), 422, "invalid-request")
    assert ask_by_form(world, query=query).status_code == 200


def test_composed_queries_that_make_no_sense(world, problem):
    top = id_of(world, "top.jpg")
    text = {"text": "a cat"}
    for parts, more in (
        ([], {}),
        ([{"text": "a", "not": True}], {}),
        ([{}], {}),
        ([{"text": "a", "id": top}], {}),
        ([{"text": "a", "crop": LEFT}], {}),
        ([{"text": "a", "weight": 11}], {}),
        ([text, {"text": "b", "not": True, "weight": 2}], {}),
        ([text, {"text": " "}], {}),
        ([text, {"text": "b", "wight": 2}], {}),
        ([text] * (MAX_PARTS + 1), {}),
        ([{"id": top, "crop": LEFT}] * (MAX_SENT_PICTURES + 1), {}),
        ([text], {"liked": [top] * 51}),
        ([text], {"liked": [top], "disliked": [top]}),
        ([text], {"diversity": 1.1}),
        ([], {"disliked": [top]}),
        ([{"text": "a", "weight": 1}, {"text": "a", "weight": -1}], {}),
        ([{"text": "a", "weight": 0}], {}),
        ([text, {"id": top}], {"sort": "date"}),
    ):
        problem(ask(world, *parts, **more), 422, "invalid-request")
    assert ask(world, *[text] * MAX_PARTS).status_code == 200


def test_pictures_that_are_not_there_or_have_no_vector(world, problem):
    waiting = world.add("waits.jpg", state="pending")
    text = {"text": "a cat"}
    for parts, more in (
        ([{"id": NOWHERE}], {}),
        ([text, {"id": NOWHERE, "not": True}], {}),
        ([{"id": NOWHERE, "crop": LEFT}], {}),
        ([text], {"liked": [NOWHERE]}),
        ([text], {"disliked": [NOWHERE]}),
    ):
        problem(ask(world, *parts, **more), 404, "image-not-found")
    for more in ({"liked": [waiting.id]}, {"disliked": [waiting.id]}):
        problem(ask(world, text, **more), 409, "no-vector")
    problem(ask(world, text, {"id": waiting.id, "not": True}), 409, "no-vector")


def test_a_body_of_json_is_bounded(world, problem):
    problem(world.client.post(URL, data=b"{" + b" " * 1_100_000, content_type="application/json"), 413, "too-large")
    problem(world.client.post(URL, data=b"", content_type="application/json"), 400, "blank")


def test_what_is_not_wanted_goes_behind_what_is(looking):
    assert keys_of(ask(looking, {"text": "fruit"}))[0].startswith("oranges/")
    orange = id_of(looking, "oranges/0.jpg")
    found = keys_of(ask(looking, {"text": "fruit"}, {"id": orange, "not": True}))
    assert [key.split("/")[0] for key in found] == ["plums"] * 6 + ["oranges"] * 5
    # By text: what looks like the best that it finds, which here is what "fruit" finds too.
    parts = [{"text": "fruit"}, {"text": "fruit", "not": True}]
    found = keys_of(ask(looking, *parts))
    assert found[0].startswith("plums/")
    pages = [keys_of(ask(looking, *parts, limit=4, offset=at)) for at in (0, 4, 8)]
    assert [key for page in pages for key in page] == found


def test_what_looks_like_a_right_result_goes_up_and_like_a_wrong_one_down(looking):
    plum, orange = id_of(looking, "plums/5.jpg"), id_of(looking, "oranges/0.jpg")
    for more in ({"liked": [plum]}, {"disliked": [orange]}, {"liked": [plum], "disliked": [orange]}):
        found = keys_of(ask(looking, {"text": "fruit"}, **more))
        assert {key.split("/")[0] for key in found[:5]} == {"plums"}, more
        assert ("oranges/0.jpg" in found) is ("disliked" not in more)
    assert "plums/5.jpg" in keys_of(ask(looking, {"text": "fruit"}, liked=[plum]))


def test_without_anything_else_what_is_liked_is_looked_for(looking):
    plums = [id_of(looking, f"plums/{number}.jpg") for number in (0, 1)]
    found = ask(looking, liked=plums).json
    assert [hit["label"] for hit in found["results"]][:4] == ["plums"] * 4
    assert not {hit["id"] for hit in found["results"]} & set(plums)


def test_what_is_not_wanted_is_not_likely_and_dates_sort_what_is_left(looking):
    wait_for(lambda: ask(looking, {"text": "fruit"}, sort="date").status_code == 200)
    orange = {"id": id_of(looking, "oranges/0.jpg"), "not": True}
    body = ask(looking, {"text": "fruit"}, orange).json
    unwanted = [hit["probability"] for hit in body["results"] if hit["label"] == "oranges"]
    assert unwanted == [0] * 5
    assert body["relevance"]["likely"] <= 6
    by_date = ask(looking, {"text": "fruit"}, orange, sort="date")
    assert by_date.status_code == 200
    assert {hit["label"] for hit in by_date.json["results"]} <= {"plums"}


def test_diversity_shows_more_kinds_first(looking):
    plain = ask(looking, {"text": "fruit"}).json["results"]
    mixed = ask(looking, {"text": "fruit"}, diversity=0.7).json["results"]
    assert {hit["label"] for hit in plain[:3]} == {"oranges"}
    assert {hit["label"] for hit in mixed[:3]} == {"oranges", "plums"}
    assert mixed[0]["id"] == plain[0]["id"]
    similarity = {hit["id"]: hit["similarity"] for hit in plain}
    assert {hit["id"]: hit["similarity"] for hit in mixed} == similarity
    pages = [ask(looking, {"text": "fruit"}, diversity=0.7, limit=5, offset=at).json["results"] for at in (0, 5, 10)]
    assert [hit["id"] for page in pages for hit in page] == [hit["id"] for hit in mixed]
    for address in (f"{URL}?q=fruit", f"/api/v1/images/{plain[-1]['id']}/similar?"):
        plain, mixed = (keys_of(looking.client.get(f"{address}&diversity={much}")) for much in (0, 1))
        assert plain != mixed
        assert sorted(plain) == sorted(mixed)


def test_diversified_of_few():
    assert diversified(np.empty((0, 4), np.float32), 0.5).tolist() == []
    visual = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert diversified(visual, 0).tolist() == [0, 1, 2]
    assert diversified(visual, 1).tolist() == [0, 2, 1]


def test_a_text_without_weight_beside_a_picture_is_not_encoded(world):
    body = ask(world, {"text": "a cat", "weight": 0}, {"id": id_of(world, "animals/dog.jpg")}).json
    alone = ask(world, {"id": id_of(world, "animals/dog.jpg")}).json
    assert [hit["similarity"] for hit in body["results"]] == [hit["similarity"] for hit in alone["results"]]
