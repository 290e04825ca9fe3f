from __future__ import annotations

import pytest


@pytest.fixture
def page(tmp_path, make_world):
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Sightline</title>")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "index-BX3kd92a.js").write_text("plain script")
    (folder / "assets" / "index-BX3kd92a.js.gz").write_bytes(b"gzipped")
    (folder / "assets" / "index-BX3kd92a.js.br").write_bytes(b"brotlied")
    (folder / ".env").write_text("a password")
    (tmp_path / "secret.txt").write_text("a password")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    return make_world(page_dir=folder).client


def get(client, path, **headers):
    response = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    # Read, so that the file is closed.
    assert response.data is not None
    response.close()
    return response


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/index.html", 200), ("/search", 404), ("/a/b/c", 404), ("/missing.js", 404), ("/healthz/x", 404)],
)
def test_the_page_answers_a_browser_and_says_where_nothing_is(page, path, status):
    for accepted in ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"):
        response = get(page, path, Accept=accepted)
        assert response.status_code == status
        assert "Sightline" in response.text
        assert response.content_type == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy


def test_the_page_is_not_sent_again(page):
    etag = get(page, "/").headers["ETag"]
    assert get(page, "/", If_None_Match=etag).status_code == 304
    assert get(page, "/nowhere", If_None_Match=etag, Accept="text/html").status_code == 404


@pytest.mark.parametrize("path", ["/search", "/a/b/c", "/missing.js"])
def test_nothing_is_a_problem_to_a_program(page, problem, path):
    for accepted in ("*/*", "application/json", "image/*", ""):
        problem(get(page, path, Accept=accepted), 404, "blank")


def test_assets_are_kept_for_ever(page):
    response = get(page, "/assets/index-BX3kd92a.js")
    assert response.text == "plain script"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.content_type.startswith("text/javascript")
    assert get(page, "/favicon.svg").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "data", "encoding"),
    [
        ("gzip, deflate, br", b"brotlied", "br"),
        ("gzip", b"gzipped", "gzip"),
        ("br;q=0, gzip", b"gzipped", "gzip"),
        ("identity", b"plain script", None),
        ("", b"plain script", None),
    ],
)
def test_compressed_files(page, accepted, data, encoding):
    response = get(page, "/assets/index-BX3kd92a.js", Accept_Encoding=accepted)
    assert response.data == data
    assert response.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in response.headers["Vary"]
    assert response.content_type.startswith("text/javascript")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
        "//etc/passwd.txt",
        "/link.txt",
        "/.env",
        "/a%00.txt",
        "/" + "x" * 300 + ".txt",
        "/missing.js",
        "/assets/missing-12345678.js",
    ],
)
def test_what_is_not_of_the_page(page, path):
    response = get(page, path)
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert "password" not in response.text


def test_calls_are_not_the_pages(page, problem):
    problem(page.get("/api/v1/nowhere"), 404, "blank")
    problem(page.get("/api/v1/nowhere", headers={"Accept": "text/html"}), 404, "blank")
    problem(page.get("/api/v1/images/not-an-id"), 404, "blank")
    problem(page.post("/search"), 404, "blank")
    assert page.get("/api/v1/stats").json["images"]


def test_without_a_page(world, problem):
    problem(world.client.get("/"), 404, "blank")
