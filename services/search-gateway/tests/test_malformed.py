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
        (b'{"perplexity": 0.' + b"1" * 5000 + b"}", "5,002 digits"),
        (b"{" + b",".join(b'"%d":0' % n for n in range(101)) + b"}", "101 fields"),
        (b"{" + b'"a":0,' * 10_000 + b'"a":0}', "10,001 fields"),
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
    if path != "/api/v1/search":
        # A search takes either.
        types.append("application/json" if form else "multipart/form-data; boundary=x")
    for kind in types:
        answer = world.client.post(path, data=b'{"labels": []}', headers={"Content-Type": kind})
        assert "Send" in problem(answer, 415, "blank")["detail"]
    assert world.client.post(path).status_code == 400
    needed = "multipart/form-data; boundary=x" if form else "application/json"
    nothing = {"input_stream": io.BytesIO(), "headers": {"Content-Type": needed}}
    assert world.client.post(path, **nothing).status_code == 400
    assert world.client.get("/api/v1/maps").json["maps"] == []


def test_a_body_is_as_large_as_its_call_needs(post, problem):
    problem(post(b'{"key": "' + b"x" * 17_000 + b'"}', "/api/v1/session"), 413, "too-large")
    problem(post(b"{" + b" " * 17_000 + b"}", "/api/v1/ingest/confirm-loss"), 413, "too-large")
    for path, size in (("/api/v1/ingest/rescan", 3_000_000), ("/api/v1/maps", 5_000_000)):
        assert post(b"{" + b" " * (size // 3) + b"}", path).status_code != 413
        problem(post(b"{" + b" " * size + b"}", path), 413, "too-large")


def test_a_list_that_is_too_long_is_one_error(post, problem):
    for data, path in ((b'{"ids": [%s]}', "/api/v1/ingest/rescan"), (b'{"labels": [%s]}', "/api/v1/maps")):
        [error] = problem(post(data % b",".join([b"1"] * 1001), path), 422, "invalid-request")["errors"]
        assert "Longer than maximum length" in error["detail"]
    errors = problem(post(b'{"ids": [%s]}' % b",".join([b"1"] * 1000), "/api/v1/maps"), 422, "invalid-request")[
        "errors"
    ]
    assert len(errors) == 20


def test_a_query_has_a_bounded_number_of_fields(world, problem):
    problem(world.client.get("/api/v1/search?q=a&" + "&".join(f"a{n}=" for n in range(101))), 400, "malformed")


def test_a_part_of_a_form_has_short_headers(post, problem):
    for header in (b"Content-Disposition: form-data" + b'; a*0="' * 20_000, b"A: b\r\n" * 20_000):
        data = b"--sep\r\n" + header + b"\r\n\r\ncat\r\n--sep--"
        assert "too long" in problem(post(data, "/api/v1/search", FORM), 400, "malformed")["detail"]


FAR_DATE = "Sun, 06 Nov 99999999999994 08:49:37 GMT"


@pytest.mark.parametrize(
    "headers",
    [
        {"If-Modified-Since": FAR_DATE},
        {"If-Unmodified-Since": FAR_DATE},
        {"If-Modified-Since": "Sun, 99 Nov 2024 99:49:37 GMT"},
        {"If-Modified-Since": "Sun, 06 Nov 0000 08:49:37 GMT"},
        {"If-Range": FAR_DATE, "Range": "bytes=0-1"},
        {"If-Range": "9" * 20_000, "Range": "bytes=0-1"},
        {"If-None-Match": '"a' + " " * 20_000 + '"'},
        {"If-None-Match": "a," * 10_000},
        {"If-Match": "W/" * 10_000},
        {"Range": "bytes=0-" + "9" * 20_000},
        {"Range": "bytes=" + "0-1," * 5000},
        {"Range": "bytes"},
        {"Accept": "a" + " " * 20_000 + "a"},
        {"Accept": "text/html;q=" + "9" * 20_000},
        {"Accept-Encoding": "br;q=" + "9" * 5000 + ", gzip;q=1e999"},
        {"Content-Type": "a/b" + ";a*0=" * 5000},
    ],
    ids=lambda headers: " ".join(f"{name} {value[:30]}" for name, value in headers.items()),
)
def test_headers_that_are_malformed_count_as_not_sent(make_world, tmp_path, caplog, headers):
    (tmp_path / "index.html").write_text("Sightline")
    (tmp_path / "swagger-ui.css").write_text("a {}")
    world = make_world(page_dir=tmp_path, docs_dir=tmp_path)
    file = f"/api/v1/images/{world.add('a.jpg').id}/file"
    caplog.set_level(logging.WARNING)
    for path in ("/", "/openapi.json", "/docs/swagger-ui.css", "/api/v1/ingest", file):
        with world.client.get(path, headers=headers) as response:
            assert response.status_code == 200
            assert len(response.data) == response.content_length
    assert caplog.records == []
