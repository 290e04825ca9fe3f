from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from fakes import MODEL, vector_of
from sightline.encoder.client import EncoderError, InvalidItem, InvalidRequest, ItemError, Overloaded, Unavailable
from sightline_catalogue import CatalogueUnavailable, NotDerived
from sightline_search_gateway.search import query_encoder


def search(world, **parameters):
    return world.client.get("/api/v1/search", query_string=parameters)


def held(encoder):
    """Hold every call of an encoder; returns what each releases when it comes, and what lets all go on."""
    entered, go = threading.Semaphore(0), threading.Event()

    def wait():
        entered.release()
        assert go.wait(20)

    encoder.before = wait
    return entered, go


def test_a_text_finds_pictures_most_similar_first(world):
    response = search(world, q="a cat")
    assert response.status_code == 200
    body = response.json
    asked = {"text": "a cat", "image_id": None, "limit": 50, "offset": 0}
    assert body["query"] == asked | {"excluded": [], "filters": []}
    assert body["model"] == {"id": "embedded", "fingerprint": "f" * 64}
    similarities = [hit["similarity"] for hit in body["results"]]
    assert len(similarities) == 5
    assert similarities == sorted(similarities, reverse=True)
    hit = next(hit for hit in body["results"] if hit["key"] == "fruits/red/apple.jpg")
    assert hit["name"] == "apple.jpg"
    assert hit["label"] == "red"
    assert hit["folders"] == ["fruits", "fruits/red"]
    assert hit["modified_at"] == "2024-05-01T00:00:00Z"
    for size in ("thumbnail", "preview", "file"):
        assert world.client.get(hit[f"{size}_url"]).status_code == 200


def test_timings_are_in_the_body_and_for_the_browser(world):
    response = search(world, q="a cat")
    timings = response.json["timings"]
    assert search(world, q="a cat", clusters="false").json["timings"]["cluster_ms"] == 0
    assert timings["total_ms"] >= timings["encode_ms"] + timings["search_ms"] + timings["named_ms"]
    assert search(world, q="a cat", offset=1).json["timings"]["named_ms"] == 0
    assert {part.split(";")[0].strip() for part in response.headers["Server-Timing"].split(",")} == {
        "encode",
        "search",
        "named",
        "cluster",
        "total",
    }


def test_a_window_of_the_results(world):
    everything = [hit["id"] for hit in search(world, q="a cat").json["results"]]
    window = search(world, q="a cat", limit=2, offset=1).json
    assert [hit["id"] for hit in window["results"]] == everything[1:3]
    assert window["query"]["limit"] == 2


def test_the_catalogue_is_told_whether_a_query_has_a_text(world, picture, monkeypatch):
    asked = []
    nearest = world.collection.nearest

    def note(vector, params):
        # Not what is searched for to calibrate the collection.
        if params.limit == 50:
            asked.append(params.by_text)
        return nearest(vector, params)

    monkeypatch.setattr(world.collection, "nearest", note)
    search(world, q="a cat")
    post(world, file=file_of(picture("red")))
    post(world, file=file_of(picture("red")), q="a cat")
    assert asked == [True, False, True]


def test_pages_of_a_search_show_every_picture_once(world):
    everything = [hit["id"] for hit in search(world, q="a cat").json["results"]]
    pages = [search(world, q="a cat", limit=3, offset=start).json["results"] for start in range(0, 12, 3)]
    assert [hit["id"] for page in pages for hit in page] == everything[:12]


def test_a_page_that_is_too_deep_is_refused_with_the_reason(world, problem):
    assert search(world, q="a cat", limit=200, offset=800).json["results"] == []
    body = problem(search(world, q="a cat", limit=200, offset=801), 422, "too-deep")
    assert "QDRANT_MAX_DEPTH" in body["detail"]
    shown = search(world, q="a cat").json["results"][0]["id"]
    problem(world.client.get(f"/api/v1/images/{shown}/similar?offset=1000"), 422, "too-deep")
    problem(post(world, q="a cat", offset="1000"), 422, "too-deep")


def test_a_filter_that_cannot_be_answered_yet_is_refused_with_the_reason(world, problem):
    world.collection.errors = [NotDerived("Names can be asked for once they are noted of 7 more pictures.")]
    answer = search(world, q="a cat")
    assert "7 more pictures" in problem(answer, 503, "not-ready")["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def test_filters(world):
    def keys(**filters):
        return {hit["key"] for hit in search(world, q="x", **filters).json["results"]}

    assert keys(label=["animals", "red"]) == {
        "animals/cat.jpg",
        "animals/dog.jpg",
        "animals/cow.jpg",
        "fruits/red/apple.jpg",
    }
    assert keys(folder="fruits") == {"fruits/red/apple.jpg"}
    assert keys(after="2024-05-01") != set()
    assert keys(before="2024-05-01") == set()
    assert keys(before="2024-05-01T00:00:01+00:00") != set()
    assert keys(after="2024-05-01T03:00:00+01:00") == set()


def test_equal_queries_are_encoded_once(world):
    search(world, q="a cat")
    search(world, q=" a cat ")
    search(world, q="a dog")
    assert world.encoder.texts == ["a cat", "a dog"]


def test_vectors_of_another_model_are_not_taken_from_the_cache(world):
    search(world, q="a cat")
    world.collection.model = type(world.collection.model)(id="embedded", fingerprint="1" * 64, dimensions=8)
    world.encoder.fingerprint = "1" * 64
    assert search(world, q="a cat").status_code == 200
    assert world.encoder.texts == ["a cat", "a cat"]


def test_no_cache_where_it_is_switched_off(make_world):
    world = make_world(query_cache_size=0)
    world.add("a/b.jpg")
    search(world, q="a cat")
    search(world, q="a cat")
    assert world.encoder.texts == ["a cat", "a cat"]


def test_a_model_is_found_by_its_fingerprint_under_another_name(world):
    world.encoder.name = "path:/elsewhere"
    assert search(world, q="a cat").status_code == 200
    assert search(world, q="a dog").status_code == 200


def test_nothing_indexed_yet_finds_nothing(world):
    world.catalogue.collection = None
    body = search(world, q="a cat").json
    assert body["results"] == []
    assert body["model"] is None


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": "x" * 501}, "q"),
        ({"q": "a\x00b"}, "q"),
        ({"q": "a\nb"}, "q"),
        ({"q": "a", "limit": 0}, "limit"),
        ({"q": "a", "limit": 201}, "limit"),
        ({"q": "a", "limit": "many"}, "limit"),
        ({"q": "a", "limit": "1e2"}, "limit"),
        ({"q": "a", "offset": -1}, "offset"),
        ({"q": "a", "offset": 10**30}, "offset"),
        ({"q": "a", "after": "yesterday"}, "after"),
        ({"q": "a", "before": "9999-99-99"}, "before"),
        ({"q": "a", "after": "0000-01-01"}, "after"),
        ({"q": "a", "label": ["x"] * 51}, "label"),
        ({"q": "a", "label": "x\x00"}, "label.0"),
    ],
)
def test_what_makes_no_sense_is_named(world, parameters, name, problem):
    body = problem(search(world, **parameters), 422, "invalid-request")
    assert [(error["in"], error["name"]) for error in body["errors"]] == [("query", name)]
    assert name in body["detail"]


def test_a_text_of_blanks_alone_is_refused(world, problem):
    problem(search(world, q="   "), 422, "invalid-request")


def test_a_busy_encoder_says_when_to_come_back(world, problem):
    world.encoder.error = Overloaded("full", 2.3)
    response = search(world, q="a cat")
    problem(response, 429, "overloaded")
    assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Unavailable("refused"), 503, "encoder-unavailable"),
        (EncoderError("broken"), 503, "encoder-unavailable"),
        (InvalidRequest("the text is too long"), 422, "invalid-request"),
        (ValueError("a fault of ours"), 500, "internal"),
    ],
)
def test_encoder_errors(world, error, status, kind, problem):
    world.encoder.error = error
    body = problem(search(world, q="a cat"), status, kind)
    assert "a fault of ours" not in body["detail"]


def test_a_slow_encoder_does_not_take_every_thread(make_world, problem):
    world = make_world(threads=4)
    world.add("a/b.jpg")
    entered, go = held(world.encoder)
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(search, world, q=f"text {number}") for number in range(3)]
        try:
            for _ in waiting:
                assert entered.acquire(timeout=20)
            response = search(world, q="one more")
            problem(response, 429, "overloaded")
            assert response.headers["Retry-After"] == "1"
        finally:
            go.set()
        assert [answer.result().status_code for answer in waiting] == [200] * 3
    assert search(world, q="one more").status_code == 200


def test_a_query_too_many_waits_a_moment_for_its_turn(make_world, monkeypatch):
    monkeypatch.setattr(query_encoder, "SLOT_WAIT_SECONDS", 20)
    world = make_world(threads=2)
    world.add("a/b.jpg")
    entered, go = held(world.encoder)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(search, world, q="one")
        try:
            assert entered.acquire(timeout=20)
            second = pool.submit(search, world, q="another")
            assert not entered.acquire(timeout=0.3)
            assert not second.done()
        finally:
            go.set()
        assert [first.result().status_code, second.result().status_code] == [200, 200]


def test_a_text_that_cannot_be_encoded(world, problem):
    world.encoder.item_errors = [InvalidItem("the text is longer than 4096 bytes")]
    assert "4096" in problem(search(world, q="a cat"), 422, "invalid-request")["detail"]


def test_no_encoder_for_the_collection(world, problem):
    world.encoder.fingerprint = "0" * 64
    detail = problem(search(world, q="a cat"), 503, "no-encoder")["detail"]
    assert "ffffffffffff" in detail
    assert "000000000000" in detail


def test_catalogue_away(world, problem):
    world.catalogue.error = CatalogueUnavailable("connection refused")
    response = search(world, q="a cat")
    problem(response, 503, "catalogue-unavailable")
    assert response.headers["Retry-After"]


def test_a_catalogue_that_is_away_does_not_take_every_thread(world, problem):
    away = CatalogueUnavailable("connection refused")
    world.catalogue.error = away
    problem(search(world, q="a cat"), 503, "catalogue-unavailable")
    go, entered = threading.Event(), threading.Event()

    def wait():
        entered.set()
        assert go.wait(20)

    world.catalogue.before = wait
    with ThreadPoolExecutor() as pool:
        trying = pool.submit(search, world, q="a cat")
        try:
            assert entered.wait(20)
            # Another one tries; nobody else waits for it.
            problem(search(world, q="a cat"), 503, "catalogue-unavailable")
            world.catalogue.error = None
        finally:
            go.set()
        assert trying.result().status_code == 200
    assert search(world, q="a cat").status_code == 200


def post(world, **parts):
    return world.client.post("/api/v1/search", data=parts, content_type="multipart/form-data")


def post_raw(world, data, header='name="file"; filename="a.jpg"'):
    body = b"--sep\r\nContent-Disposition: form-data; " + header.encode() + b"\r\n\r\n" + data + b"\r\n--sep--\r\n"
    return world.client.post("/api/v1/search", data=body, content_type="multipart/form-data; boundary=sep")


def file_of(data, name="query.jpg"):
    return (io.BytesIO(data), name)


def test_a_picture_finds_itself(world):
    data = world.bucket.files["animals/dog.jpg"]
    body = post(world, file=file_of(data), limit="2").json
    assert body["results"][0]["key"] == "animals/dog.jpg"
    assert body["results"][0]["similarity"] == pytest.approx(1, abs=1e-5)
    assert len(body["results"]) == 2
    assert body["query"]["text"] is None


def test_pictures_are_compared_by_how_they_look_and_with_texts_by_what_is_in_them(world):
    data = world.bucket.files["animals/dog.jpg"]
    rows = {image.key: world.collection.stored_vectors[image.id] for image in world.collection.images.values()}
    [dog_id] = [image.id for image in world.collection.images.values() if image.key == "animals/dog.jpg"]
    kept = {key: (row[: MODEL.dimensions], row[MODEL.dimensions :]) for key, row in rows.items()}

    def expected(place, vector):
        nearness = {key: float(pair[place] @ vector) for key, pair in kept.items()}
        return sorted(nearness.items(), key=lambda item: -item[1])

    dog, text = kept["animals/dog.jpg"], vector_of("a cat")
    similar = world.client.get(f"/api/v1/images/{dog_id}/similar").json
    mixed = dog[0] + text
    for body, wanted in (
        (post(world, file=file_of(data)).json, expected(1, dog[1])),
        (post(world, id=[dog_id]).json, expected(1, dog[1])[1:]),
        (similar, expected(1, dog[1])[1:]),
        (post(world, file=file_of(data), q="a cat").json, expected(0, mixed / np.linalg.norm(mixed))),
        (world.client.get("/api/v1/search?q=a cat").json, expected(0, text)),
    ):
        found = [(hit["key"], hit["similarity"]) for hit in body["results"]]
        wanted = wanted[: len(found)]
        assert [key for key, _ in found] == [key for key, _ in wanted]
        assert [value for _, value in found] == pytest.approx([value for _, value in wanted], abs=1e-4)
    # The lines between results say how alike they look; those from the query, what the search was by.
    edges = world.client.get("/api/v1/search?q=a cat").json["edges"]
    keys = {image.id: image.key for image in world.collection.images.values()}
    [first, *_] = [edge for edge in edges if edge["source"] != "query"]
    one, other = kept[keys[first["source"]]], kept[keys[first["target"]]]
    assert first["similarity"] == pytest.approx(float(one[1] @ other[1]), abs=1e-3)


def test_a_picture_and_a_text_together(world):
    data = world.bucket.files["animals/dog.jpg"]
    both = post(world, file=file_of(data), q="a cat").json["results"]
    alone = post(world, file=file_of(data)).json["results"]
    weighted = post(world, file=file_of(data), q="a cat", q_weight="0").json["results"]
    assert [hit["similarity"] for hit in both] != [hit["similarity"] for hit in alone]
    assert [hit["id"] for hit in weighted] == [hit["id"] for hit in alone]


def test_pictures_of_the_collection_are_not_among_their_own_results(world):
    ids = [image.id for image in list(world.collection.images.values())[:2]]
    body = post(world, id=ids).json
    assert len(body["results"]) == 3
    assert not set(ids) & {hit["id"] for hit in body["results"]}
    first = post(world, id=ids, limit="1").json["results"]
    second = post(world, id=ids, limit="1", offset="1").json["results"]
    assert [hit["id"] for hit in first + second] == [hit["id"] for hit in body["results"][:2]]


def test_parts_that_cancel_out(world, problem):
    [image] = list(world.collection.images.values())[:1]
    problem(post(world, id=[image.id], id_weight="0"), 422, "invalid-request")


def test_composed_queries_that_make_no_sense(world, problem):
    problem(post(world), 422, "invalid-request")
    problem(post(world, file=file_of(b"")), 422, "not-a-picture")
    problem(post(world, q="a", weight="1"), 422, "invalid-request")
    problem(post(world, q="a", q_weight="nan"), 422, "invalid-request")
    problem(post(world, q="a", q_weight="1e999"), 422, "invalid-request")
    problem(post(world, q=file_of(b"a")), 422, "invalid-request")
    problem(post(world, file="text"), 422, "invalid-request")
    problem(post(world, id="../../etc/passwd"), 422, "invalid-request")
    problem(post(world, id="00000000-0000-0000-0000-000000000000"), 404, "image-not-found")
    world.encoder.item_errors = [InvalidItem("not an image")]
    assert problem(post(world, file=file_of(b"text")), 422, "not-a-picture")["detail"] == "not an image"
    world.encoder.item_errors = [ItemError("it broke")]
    problem(post(world, file=file_of(b"text")), 503, "encoder-unavailable")


def test_only_forms_and_json_are_taken(world):
    response = world.client.post("/api/v1/search", data=b"q=a", content_type="text/plain")
    assert response.status_code == 415
    assert response.content_type == "application/problem+json"


def test_a_picture_over_the_limit(make_world, problem):
    world = make_world(limits={"max_bytes": 1000})
    world.add("a/b.jpg", b"small")
    problem(post(world, file=file_of(b"x" * 1001)), 413, "too-large")
    problem(post_raw(world, b"x" * 3_000_000), 413, "too-large")


def test_a_form_of_very_many_parts_or_a_huge_text(world, problem):
    many = {f"part{number}": "x" for number in range(2000)}
    problem(post(world, **many), 413, "too-large")
    problem(post_raw(world, b"x" * 2_000_000, 'name="q"'), 413, "too-large")


def test_similar(world):
    image = world.add("animals/again.jpg", world.bucket.files["animals/cat.jpg"])
    body = world.client.get(f"/api/v1/images/{image.id}/similar?limit=3").json
    assert len(body["results"]) == 3
    keys = {hit["key"] for hit in body["results"]}
    assert not keys & {"animals/again.jpg", "animals/cat.jpg"}
    all_of_them = world.client.get(f"/api/v1/images/{image.id}/similar?limit=3&distinct=false").json["results"]
    assert all_of_them[0]["key"] == "animals/cat.jpg"
    assert image.id not in {hit["id"] for hit in all_of_them}
    assert body["query"]["image_id"] == image.id
    assert not world.encoder.texts


def test_equal_bytes_are_found_once_and_counted(world):
    data = world.bucket.files["animals/cat.jpg"]
    copies = [world.add(f"copies/{number}.jpg", data) for number in range(3)]
    original = world.collection.by_key()["animals/cat.jpg"]
    same = {original.id, *(copy.id for copy in copies)}

    def found(path):
        return {hit["id"]: hit["copies"] for hit in world.client.get(path).json["results"]}

    hits = found("/api/v1/search?q=cat")
    [(_, count)] = [(one, count) for one, count in hits.items() if one in same]
    assert count == 3
    assert same <= found("/api/v1/search?q=cat&distinct=false").keys()
    assert not same & found(f"/api/v1/images/{original.id}/similar").keys()
    pages = world.client.get("/api/v1/images?distinct=true").json["images"]
    assert [one["copies"] for one in pages if one["id"] in same] == [3]
    assert world.client.get(f"/api/v1/images/{copies[0].id}").json["copies"] == 3
    opened = world.client.get(f"/api/v1/images?copies_of={copies[0].id}").json["images"]
    assert {one["id"] for one in opened} == same


def test_similar_to_what_is_not_there(world, problem):
    problem(world.client.get("/api/v1/images/00000000-0000-0000-0000-000000000000/similar"), 404, "image-not-found")
    world.catalogue.collection = None
    problem(world.client.get("/api/v1/images/00000000-0000-0000-0000-000000000000/similar"), 404, "image-not-found")


def test_a_picture_that_is_being_read_again_can_be_searched_by(world):
    image = world.collection.by_key()["animals/cat.jpg"]
    world.collection.set_state([image.id], "pending")
    assert world.client.get(f"/api/v1/images/{image.id}/similar").json["results"]
    assert post(world, id=image.id).json["results"]


def test_similar_to_what_has_no_vector(world, problem):
    failed = world.add("bad.jpg", b"text", state="failed", reason="not an image")
    detail = problem(world.client.get(f"/api/v1/images/{failed.id}/similar"), 409, "no-vector")["detail"]
    assert "not an image" in detail
    problem(post(world, id=failed.id), 409, "no-vector")


def test_pictures_that_take_long_hold_up_no_texts(make_world, picture, problem):
    world = make_world(threads=8)
    world.add("a/b.jpg")
    entered, go = held(world.encoder)
    data = picture("red")
    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(post, world, file=file_of(data)) for _ in range(2)]
        try:
            for _ in waiting:
                assert entered.acquire(timeout=20)
            problem(post(world, file=file_of(data)), 429, "overloaded")
            world.encoder.before = lambda: None
            assert search(world, q="a text").status_code == 200
        finally:
            go.set()
        assert [answer.result().status_code for answer in waiting] == [200] * 2


def test_a_picture_that_takes_too_long_is_no_sign_of_an_encoder_that_is_down(world, picture, problem):
    world.encoder.errors = [Unavailable("Deadline Exceeded", grpc.StatusCode.DEADLINE_EXCEEDED)]
    assert "takes long" in problem(post(world, file=file_of(picture("red"))), 429, "overloaded")["detail"]
