from __future__ import annotations

import io

import pytest
from sightline_catalogue import CatalogueReadOnly
from sightline_search_gateway.ingest.upload_names import safe_name

OTHER_SITE = {"Origin": "http://evil.example"}


def upload(world, *files, folder=None, headers=None, **parts):
    data = {"files": [(io.BytesIO(content), name) for name, content in files], **parts}
    if folder is not None:
        data["folder"] = folder
    return world.client.post("/api/v1/images", data=data, headers=headers or {}, content_type="multipart/form-data")


def delete(world, image, headers=None):
    return world.client.delete(f"/api/v1/images/{image.id}", headers=headers or {})


def test_a_read_only_bucket_stays_as_it_is(world, problem, picture):
    image = next(iter(world.collection.images.values()))
    before = dict(world.bucket.files)
    for response in (upload(world, ("a.jpg", picture())), delete(world, image)):
        assert "BUCKET_WRITABLE" in problem(response, 403, "read-only-bucket")["detail"]
    assert world.bucket.files == before


def test_an_upload_lands_in_the_bucket_and_the_watcher_hears_of_it(writable, picture):
    data = picture()
    response = upload(writable, ("cat.jpg", data), folder="animals/cats")
    assert response.status_code == 201
    [accepted] = response.json["accepted"]
    assert accepted["key"] == "animals/cats/cat.jpg"
    assert accepted["name"] == "cat.jpg"
    assert response.json["refused"] == []
    assert writable.bucket.files == {"animals/cats/cat.jpg": data}
    assert writable.watcher.hints == [["animals/cats/cat.jpg"]]
    assert accepted["id"] == writable.add("animals/cats/cat.jpg", data).id


def test_names_that_are_taken_get_numbers(writable, picture):
    keys = [
        upload(writable, ("cat.jpg", picture(color))).json["accepted"][0]["key"] for color in ("red", "blue", "green")
    ]
    assert keys == ["cat.jpg", "cat-1.jpg", "cat-2.jpg"]
    both = upload(writable, ("dog.jpg", picture("gray")), ("dog.jpg", picture("pink"))).json["accepted"]
    assert [one["key"] for one in both] == ["dog.jpg", "dog-1.jpg"]


@pytest.mark.parametrize(
    ("path", "field"), [("/api/v1/images", "files"), ("/api/v1/search", "file"), ("/api/v1/maps/uploads", "files")]
)
@pytest.mark.parametrize("text", ["", "not a file"])
def test_a_text_in_place_of_a_file_is_refused(writable, problem, path, field, text):
    data = {field: text, "folder": "a"} if path == "/api/v1/images" else {field: text}
    response = writable.client.post(path, data=data, content_type="multipart/form-data")
    assert "Not a valid file" in str(problem(response, 422, "invalid-request"))


def test_what_is_there_already_is_named_and_not_added_again(writable, picture):
    image = writable.add("old/cat.jpg", picture("red"))
    response = upload(
        writable, ("red.jpg", picture("red")), ("new.jpg", picture("blue")), ("same.jpg", picture("blue"))
    )
    assert response.status_code == 201
    assert [one["key"] for one in response.json["accepted"]] == ["new.jpg"]
    assert [(one["name"], one["key"]) for one in response.json["present"]] == [
        ("red.jpg", "old/cat.jpg"),
        ("same.jpg", "new.jpg"),
    ]
    assert response.json["present"][0]["id"] == image.id
    again = upload(writable, ("red.jpg", picture("red")))
    assert (again.status_code, again.json["accepted"]) == (200, [])
    copied = upload(writable, ("red.jpg", picture("red")), copies="true")
    assert [one["key"] for one in copied.json["accepted"]] == ["red.jpg"]


def test_what_is_no_longer_as_it_was_indexed_is_not_there_already(writable, picture):
    writable.add("old/cat.jpg", picture("red"))
    writable.bucket.files["old/cat.jpg"] = picture("green")
    assert upload(writable, ("red.jpg", picture("red"))).status_code == 201
    del writable.bucket.files["old/cat.jpg"]
    response = upload(writable, ("other/red.jpg", picture("red")), copies="false")
    assert len(response.json["accepted"]) == 1


def test_what_is_no_picture_is_refused_alone(writable, picture):
    response = upload(writable, ("a.jpg", picture()), ("b.jpg", b"text"), ("c.jpg", b""))
    assert response.status_code == 201
    assert [one["key"] for one in response.json["accepted"]] == ["a.jpg"]
    assert [one["name"] for one in response.json["refused"]] == ["b.jpg", "c.jpg"]
    assert all(one["reason"] for one in response.json["refused"])
    assert list(writable.bucket.files) == ["a.jpg"]


def test_an_upload_of_no_picture_at_all(writable, problem):
    body = problem(upload(writable, ("notes.txt", b"text"), ("page.html", b"<html>")), 422, "not-a-picture")
    assert "notes.txt" in body["detail"]
    assert [one["name"] for one in body["refused"]] == ["notes.txt", "page.html"]
    assert not writable.bucket.files
    assert not writable.watcher.hints
    problem(upload(writable), 422, "invalid-request")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("/abs/olute.jpg", "olute.jpg"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg"),
        ("a\x00b\n.jpg", "ab.jpg"),
        (".hidden.jpg", "hidden.jpg"),
        ("..", "picture.jpg"),
        ("x.html", "x.html.jpg"),
        ("x.svg", "x.svg.jpg"),
        ("no extension", "no extension.jpg"),
        ("what?<is>:this|*.jpg", "what__is__this__.jpg"),
        ("e\u0301te\u0301.jpg", "été.jpg"),
        ("gpj.\u202eexe.jpg", "gpj.exe.jpg"),
        ("日本.PNG", "日本.PNG"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
        ("日" * 200 + ".jpg", "日" * 65 + ".jpg"),
    ],
)
def test_names_are_made_harmless(name, key):
    assert safe_name(name, "JPEG") == key


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.jpg", "/abs/olute.jpg", "..\\..\\x.jpg", "日本/é.jpg", "..", "%2e%2e%2fa.jpg"]
)
def test_no_name_leaves_its_folder(writable, picture, name):
    response = upload(writable, (name, picture()), folder="in")
    assert response.status_code == 201, response.text
    [key] = writable.bucket.files
    assert key.startswith("in/")
    assert key.count("/") == 1
    assert ".." not in key


@pytest.mark.parametrize(
    "folder",
    [
        "..",
        "../x",
        "a/../../b",
        "/etc",
        "a//b",
        "a/./b",
        ".hidden",
        "a/.git",
        "a\\b",
        "C:",
        "a ",
        "a\x00",
        "a\u202eb",
        "/".join("x" * 17),
        "x" * 300,
        "a" * 2000,
    ],
)
def test_folders_that_leave_the_bucket_or_make_no_sense(writable, picture, problem, folder):
    body = problem(upload(writable, ("a.jpg", picture()), folder=folder), 422, "invalid-request")
    assert body["errors"][0]["name"] == "folder"
    assert not writable.bucket.files


@pytest.mark.parametrize("folder", ["", "a/", "Ferien 2024/Köln"])
def test_folders_that_are_fine(writable, picture, folder):
    assert upload(writable, ("a.jpg", picture()), folder=folder).status_code == 201


def test_limits_of_an_upload(make_world, picture, problem):
    world = make_world(writable=True, upload_max_files=2, upload_max_bytes=2_000_000, limits={"max_bytes": 100_000})
    small = picture()
    assert upload(world, *[("a.jpg", small)] * 2, copies="true").status_code == 201
    problem(upload(world, *[("a.jpg", small)] * 3), 413, "too-large")
    assert len(world.bucket.files) == 2
    big = upload(world, ("a.jpg", small), ("big.jpg", small + b"\0" * 100_000))
    assert [one["name"] for one in big.json["refused"]] == ["big.jpg"]
    form = "multipart/form-data; boundary=sep"
    problem(world.client.post("/api/v1/images", data=b"x" * 3_100_000, content_type=form), 413, "too-large")


def test_only_forms_are_taken(writable):
    response = writable.client.post("/api/v1/images", data=b"x", content_type="image/jpeg")
    assert response.status_code == 415
    assert response.content_type == "application/problem+json"


def test_unknown_parts_are_named(writable, picture, problem):
    body = problem(upload(writable, ("a.jpg", picture()), fodler="x"), 422, "invalid-request")
    assert body["errors"][0]["name"] == "fodler"


def test_a_delete_takes_the_file_the_entry_and_the_thumbnail(writable, problem):
    image = writable.add("a/cat.jpg")
    writable.thumbnails.kept[image.sha256] = b"webp"
    assert delete(writable, image).status_code == 204
    assert not writable.bucket.files
    assert not writable.collection.images
    assert not writable.thumbnails.kept
    assert writable.watcher.hints == writable.watcher.deleted == [["a/cat.jpg"]]
    problem(delete(writable, image), 404, "image-not-found")


def test_a_gateway_that_may_only_read_leaves_the_entry_to_the_watcher(writable, monkeypatch):
    image = writable.add("a/cat.jpg")
    writable.thumbnails.kept[image.sha256] = b"webp"

    def refuse(ids):
        raise CatalogueReadOnly("the key may only read")

    monkeypatch.setattr(writable.collection, "delete", refuse)
    assert delete(writable, image).status_code == 204
    assert not writable.bucket.files
    assert writable.thumbnails.kept
    assert writable.watcher.hints == [["a/cat.jpg"]]


def test_a_copy_keeps_its_thumbnail(writable):
    image = writable.add("a/cat.jpg")
    writable.add("b/copy.jpg")
    writable.thumbnails.kept[image.sha256] = b"webp"
    assert delete(writable, image).status_code == 204
    assert writable.thumbnails.kept


def test_a_file_that_is_gone_already_is_removed_from_the_collection(writable):
    image = writable.add("a/cat.jpg")
    writable.bucket.files.clear()
    assert delete(writable, image).status_code == 204
    assert not writable.collection.images


def test_a_queue_out_of_reach_does_not_lose_an_upload(writable, picture):
    writable.watcher.away = True
    assert upload(writable, ("a.jpg", picture())).status_code == 201
    assert delete(writable, writable.add("b.jpg")).status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        OTHER_SITE,
        {"Origin": "null"},
        {"Origin": "http://localhost:8081"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "file://"},
        {"Origin": "http://localhost/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_pages_of_other_sites_change_nothing(writable, picture, problem, headers):
    image = writable.add("a.jpg")
    problem(upload(writable, ("b.jpg", picture()), headers=headers), 403, "cross-origin")
    problem(delete(writable, image, headers=headers), 403, "cross-origin")
    problem(writable.client.post("/api/v1/ingest/rescan", json={}, headers=headers), 403, "cross-origin")
    assert list(writable.bucket.files) == ["a.jpg"]
    assert not writable.watcher.hints


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:8080", "Host": "localhost:8080"},
        {"Origin": "https://photos.local", "Host": "photos.local"},
        {"Origin": "HTTP://LOCALHOST:80", "Host": "localhost"},
        {"Origin": "http://[::1]:8080", "Host": "[::1]:8080"},
    ],
)
def test_our_own_page_and_programs_may(writable, picture, headers):
    assert upload(writable, ("b.jpg", picture()), headers=headers).status_code == 201


def test_trusted_origins_may(make_world, picture):
    world = make_world(writable=True, trusted_origins="https://photos.example, http://other:1")
    headers = {"Origin": "https://photos.example", "Host": "gateway:8080", "Sec-Fetch-Site": "same-site"}
    assert upload(world, ("b.jpg", picture()), headers=headers).status_code == 201
    assert upload(world, ("b.jpg", picture()), headers=OTHER_SITE).status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "evil.example.",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[evil.example]",
        "[::1].evil.example",
        "[::1",
        "[127.0.0.1]",
        "%65vil.example",
        "evil.example:localhost",
        "evil.example@localhost",
        "localhost, evil.example",
        "evil;localhost",
        ":8080",
        "",
    ],
)
def test_names_that_another_site_may_own_are_not_answered_to(world, problem, host):
    for path in ("/api/v1/images", "/api/v1/search?q=a", "/docs", "/"):
        problem(world.client.get(path, headers={"Host": host}), 421, "unknown-host")
    assert world.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:8080",
        "192.168.1.5",
        "[::1]:8080",
        "[FE80::1:2]",
        "gateway:8080",
        "search_gateway:8080",
        "localhost.",
        "nas.local",
        "a.svc",
    ],
)
def test_names_that_nobody_else_can_own_are(world, host):
    assert world.client.get("/api/v1/images", headers={"Host": host}).status_code == 200


def test_trusted_hosts(make_world):
    world = make_world(trusted_hosts="photos.example,*.home.example", trusted_origins="https://page.example:8443")

    def status(host):
        return world.client.get("/api/v1/images", headers={"Host": host}).status_code

    assert [
        status(host) for host in ("photos.example:8080", "Photos.Example", "a.home.example", "page.example:8443")
    ] == [200] * 4
    assert [status(host) for host in ("a.photos.example", "home.example", "xhome.example", "example")][:3] == [421] * 3
    assert make_world(trusted_hosts="*").client.get("/api/v1/images", headers={"Host": "x.example"}).status_code == 200
