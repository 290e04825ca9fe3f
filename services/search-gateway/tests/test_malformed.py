"""Requests that cannot be read: 400 with what is wrong, and nothing but the request's line in the log."""

from __future__ import annotations

import io
import logging

import pytest

JSON = "application/json"


@pytest.fixture
def post(world, caplog):
    caplog.set_level(logging.WARNING)

    def send(data, path="/api/v1/maps", content_type=JSON):
        response = world.client.post(path, data=data, content_type=content_type)
        assert caplog.records == []
        return response

    return send


@pytest.mark.parametrize("path", ["/api/v1/maps", "/api/v1/ingest/rescan"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"  ", "there is none"),
        (b'{"ids": [1,\n 2,}', "line 2, column 4"),
        (b"{'ids': []}", "line 1, column 2"),
        (b"\xff\xfe{}", "not UTF-8 (byte 1)"),
        (b'{"ids": ["\xe9"]}', "not UTF-8 (byte 11)"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"ids": ["a\x00"]}', "line 1, column 12"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"sample": ' + b"9" * 5000 + b"}", "5,000 digits"),
        (b'{"sample": -' + b"9" * 5000 + b"}", "5,001 digits"),
        (b'{"sample": NaN}', "NaN"),
        (b'{"perplexity": -Infinity}', "-Infinity"),
        (b'{"sample": 10, "sample": 20}', "'sample' is given more than once"),
        (b'{"ids": [{"a": 1, "a": 1}]}', "'a' is given more than once"),
        (b"{} {}", "line 1, column 4"),
        (b'{"labels": ["\\uD800"]}', "surrogate"),
    ],
)
def test_what_is_not_json_says_where_and_why(post, problem, path, data, said):
    assert said in problem(post(data, path), 400, "malformed")["detail"]


@pytest.mark.parametrize("data", [b"[]", b"null", b"1", b'"text"', b"[[[[]]]]"])
def test_json_of_another_kind_is_not_valid(post, problem, data):
    problem(post(data), 422, "invalid-request")


@pytest.mark.parametrize(
    "data",
    [b'{"sample": 1e400}', b'{"perplexity": 1e400}', b'{"sample": ' + b"9" * 99 + b"}", b'{"labels": ["a\\u0000b"]}'],
)
def test_values_out_of_bounds_are_not_valid(post, problem, data):
    problem(post(data), 422, "invalid-request")


def test_a_field_is_named_no_longer_than_fits(post, problem):
    [error] = problem(post(b'{"' + b"x" * 10_000 + b'": 1}'), 422, "invalid-request")["errors"]
    assert error["name"] == "x" * 100


FORM = "multipart/form-data; boundary=sep"
PART = b'--sep\r\nContent-Disposition: form-data; name="q"\r\n\r\ncat\r\n'


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (PART + b"--sep--", "multipart/form-data"),
        (PART, FORM),
        (b"nothing of a form", FORM),
        (PART + b"--sep--", "multipart/form-data; boundary=\xe9"),
        (b"--sep\r\nno header\r\n\r\ncat\r\n--sep--", FORM),
    ],
)
def test_a_form_that_cannot_be_taken_apart(post, problem, data, content_type):
    problem(post(data, "/api/v1/search", content_type), 400, "malformed")


def test_a_field_that_is_given_twice(post, world, problem):
    [error] = problem(post(PART + PART + b"--sep--", "/api/v1/search", FORM), 422, "invalid-request")["errors"]
    assert error == {"in": "body", "name": "q", "detail": "Given more than once."}
    [error] = problem(world.client.get("/api/v1/search?q=cat&limit=1&limit=2"), 422, "invalid-request")["errors"]
    assert error == {"in": "query", "name": "limit", "detail": "Given more than once."}
    assert world.client.get("/api/v1/search?q=cat&label=a&label=b").status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/search?q=%00", 422),
        ("/api/v1/search?q=a&limit=" + "9" * 5000, 422),
        ("/api/v1/search?q=a&after=9" + "0" * 5000, 422),
        ("/api/v1/images?cursor=%00", 422),
        ("/api/v1/images/%00", 404),
        ("/api/v1/images?label=%00", 422),
        (f"/api/v1/maps/m-{0:020}/points/" + "9" * 5000 + "/thumbnail", 404),
    ],
)
def test_nul_and_endless_numbers_in_addresses(world, caplog, path, status):
    caplog.set_level(logging.WARNING)
    response = world.client.get(path)
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    assert caplog.records == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/search",
        "/api/v1/images",
        "/api/v1/maps",
        "/api/v1/maps/uploads",
        "/api/v1/ingest/rescan",
        "/api/v1/ingest/confirm-loss",
        "/api/v1/session",
    ],
)
def test_a_body_of_another_type_is_415_and_none_is_400(keyed, problem, path):
    world = keyed(api_keys="", read_keys="")
    assert {rule.rule for rule in world.app.url_map.iter_rules() if "POST" in rule.methods} == {
        *("/api/v1/search", "/api/v1/images", "/api/v1/maps", "/api/v1/maps/uploads", "/api/v1/ingest/rescan"),
        *("/api/v1/ingest/confirm-loss", "/api/v1/session"),
    }
    form = path in ("/api/v1/search", "/api/v1/images", "/api/v1/maps/uploads")
    types = ["text/plain", "application/x-www-form-urlencoded", "application/octet-stream", ""]
    for kind in [*types, "application/json" if form else "multipart/form-data; boundary=x"]:
        answer = world.client.post(path, data=b'{"labels": []}', headers={"Content-Type": kind})
        assert "Send" in problem(answer, 415, "blank")["detail"]
    assert world.client.post(path).status_code == 400
    needed = "multipart/form-data; boundary=x" if form else "application/json"
    nothing = {"input_stream": io.BytesIO(), "headers": {"Content-Type": needed}}
    assert world.client.post(path, **nothing).status_code == 400
    assert world.client.get("/api/v1/maps").json["maps"] == []
