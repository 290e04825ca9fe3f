from __future__ import annotations

import hashlib
import io
import unicodedata
from dataclasses import replace
from datetime import datetime

import pytest
from PIL import Image as Pillow
from sightline_bucket import BucketUnavailable
from sightline_catalogue import CatalogueUnavailable
from sightline_pictures import PictureError
from sightline_pictures.decoder_pool import Busy
from werkzeug.http import parse_options_header

NOBODY = "00000000-0000-0000-0000-000000000000"


def get(world, path, **headers):
    return world.client.get(f"/api/v1/images{path}", headers={k.replace("_", "-"): v for k, v in headers.items()})


def keep(response):
    return response.headers["Cache-Control"]


def test_one_picture(world):
    image = world.collection.images[next(iter(world.collection.images))]
    body = get(world, f"/{image.id}").json
    assert body["id"] == image.id
    assert body["key"] == image.key
    assert body["state"] == "indexed"
    assert "similarity" not in body


@pytest.mark.parametrize("rest", ["", "/file", "/preview", "/thumbnail", "/similar"])
@pytest.mark.parametrize("wrong", ["..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "x" * 5000, "1", "animals%2Fcat.jpg", "%00"])
def test_ids_that_are_none(world, problem, wrong, rest):
    response = get(world, f"/{wrong}{rest}")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("rest", ["", "/file", "/preview", "/thumbnail", "/similar"])
def test_pictures_that_are_not_there(world, problem, rest):
    problem(get(world, f"/{NOBODY}{rest}"), 404, "image-not-found")
    world.catalogue.collection = None
    problem(get(world, f"/{NOBODY}{rest}"), 404, "image-not-found")
    world.catalogue.error = CatalogueUnavailable("away")
    problem(get(world, f"/{NOBODY}{rest}"), 503, "catalogue-unavailable")


def test_browsing_goes_through_everything_once(world):
    seen, cursor = [], None
    while True:
        body = world.client.get(
            "/api/v1/images", query_string={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json
        seen += [image["key"] for image in body["images"]]
        cursor = body["cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(world.bucket.files)


def test_browsing_filters(world):
    world.add("animals/bad.jpg", b"text", state="failed", reason="not an image")

    def keys(**filters):
        return {image["key"] for image in world.client.get("/api/v1/images", query_string=filters).json["images"]}

    assert keys(state="failed") == {"animals/bad.jpg"}
    assert len(keys(state=["failed", "indexed"], label="animals")) == 4
    for folder in ("fruits/red", "fruits/red/", "/fruits/red", "/fruits//red/"):
        assert keys(folder=folder) == {"fruits/red/apple.jpg"}
    assert keys(folder=["fruits/red", "/"]) == keys()
    assert keys(before="2001-01-01") == set()


def test_filters_go_by_the_clock_on_the_wall_and_by_either_form_of_a_name(world):
    composed, decomposed = "Été", unicodedata.normalize("NFD", "Été")
    world.add(f"{decomposed}/a.jpg", taken_at=datetime(2008, 8, 8, 23, 30), taken_offset="+08:00")

    def keys(**filters):
        return [image["key"] for image in world.client.get("/api/v1/images", query_string=filters).json["images"]]

    here = [f"{decomposed}/a.jpg"]
    assert keys(before="2008-08-09") == keys(after="2008-08-08T23:30:00", before="2008-08-08T23:30:01Z") == here
    assert keys(before="2008-08-08T23:00:00-12:00") == []
    for form in (composed, decomposed):
        assert keys(label=form) == keys(folder=f"{form}/") == here


def test_the_time_is_told_as_it_stood_on_the_wall_and_the_rest_of_one_picture_alone(world):
    known = {
        "taken_at": datetime(2008, 8, 8, 23, 30), "taken_offset": "+08:00", "taken_from": "exif", "lens": "50mm",
        "place": (39.99, 116.39), "rating": 5, "keywords": ["a", "b"], "title": "Tom",
    }  # fmt: skip
    image = world.add("a/b.jpg", **known)
    details = get(world, f"/{image.id}").json
    assert (details["taken_at"], details["taken_offset"]) == ("2008-08-08T23:30:00", "+08:00")
    assert details["place"] == {"latitude": 39.99, "longitude": 116.39}
    assert {name: details[name] for name in ("taken_from", "lens", "rating", "keywords", "title")} == {
        name: known[name] for name in ("taken_from", "lens", "rating", "keywords", "title")
    }
    [listed] = world.client.get("/api/v1/images?label=a").json["images"]
    assert listed == {name: value for name, value in details.items() if name in listed} | {"copies": listed["copies"]}
    assert details.keys() - listed.keys() == {"taken_from", "place", "lens", "rating", "keywords", "title", "added_at"}


def test_browsing_nothing(world, problem):
    world.catalogue.collection = None
    assert get(world, "").json == {"images": [], "cursor": None}
    problem(get(world, "?state=lost"), 422, "invalid-request")
    problem(get(world, "?limit=1000"), 422, "invalid-request")


def test_a_cursor_that_is_none(world, problem):
    assert problem(get(world, "?cursor=xyz"), 422, "invalid-request")["errors"][0]["name"] == "cursor"


def test_a_file_is_sent_as_it_is(world):
    data = world.bucket.files["animals/cat.jpg"]
    image = world.add("animals/cat.jpg", data)
    response = get(world, f"/{image.id}/file")
    assert response.data == data
    assert response.content_type == "image/jpeg"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"] == "inline; filename=cat.jpg"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7",
        b"",
    ],
)
def test_what_is_no_picture_is_never_shown(world, data):
    image = world.add("evil.jpg", data, state="failed", reason="not an image")
    response = get(world, f"/{image.id}/file")
    assert response.status_code == 200
    assert response.content_type == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_name_cannot_add_headers(world, monkeypatch):
    # A bucket refuses such a key; were one to let it through, the header would still be whole.
    monkeypatch.setattr("fakes.bucket.keys.check", lambda key: key)
    image = world.add('a/x"; filename="evil.html\r\nSet-Cookie: a=b.jpg')
    response = get(world, f"/{image.id}/file")
    assert "Set-Cookie" not in response.headers
    assert "\n" not in response.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("cat.jpg", "cat.jpg"),
        ("b c.jpg", "b c.jpg"),
        ("写真.jpg", "picture.jpg"),
        ("Ψ 日本.jpg", "picture.jpg"),
        ("😀 party.jpg", "party.jpg"),
        ("👩\u200d👧.jpg", "picture.jpg"),
        ("Screenshot 9.05.06\u202fPM.png", "Screenshot 9.05.06 PM.png"),
        (unicodedata.normalize("NFC", "Café Übersicht.jpg"), "Cafe Ubersicht.jpg"),
        (unicodedata.normalize("NFD", "Café Übersicht.jpg"), "Cafe Ubersicht.jpg"),
        ("a%2Fb #1?.jpg", "a_2Fb #1?.jpg"),
        ('a"b\\c;.jpg', "a_b_c;.jpg"),
        ("100%.jpg", "100_.jpg"),
    ],
)
def test_a_file_is_sent_under_its_own_name(world, name, plain):
    image = world.add(f"Länder/{name}")
    response = get(world, f"/{image.id}/file")
    assert response.status_code == 200
    header = response.headers["Content-Disposition"]
    assert header.isascii()
    kind, options = parse_options_header(header)
    assert (kind, options["filename"]) == ("inline", name)
    assert header.partition("; filename*=")[0] in (f"inline; filename={plain}", f'inline; filename="{plain}"')
    assert get(world, f"/{image.id}").json["key"] == f"Länder/{name}"


@pytest.mark.parametrize("rest", ["file", "preview", "thumbnail"])
def test_a_picture_that_the_client_has_is_not_sent_again(world, rest):
    image = next(iter(world.collection.images.values()))
    first = get(world, f"/{image.id}/{rest}")
    tag = first.headers["ETag"]
    again = get(world, f"/{image.id}/{rest}", If_None_Match=tag)
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["ETag"] == tag
    assert get(world, f"/{image.id}/{rest}", If_None_Match='"other"').status_code == 200


@pytest.mark.parametrize("rest", ["file", "preview", "thumbnail"])
def test_only_an_address_with_a_version_is_kept_for_ever(world, rest):
    image = next(iter(world.collection.images.values()))
    url = get(world, f"/{image.id}").json[f"{rest}_url"]
    assert keep(world.client.get(url)) == "private, max-age=31536000, immutable"
    assert keep(get(world, f"/{image.id}/{rest}")) == "private, no-cache"
    assert keep(get(world, f"/{image.id}/{rest}?v=0123456789abcdef")) == "private, no-cache"


def test_a_changed_file_is_not_kept_under_the_old_version(world):
    image = next(iter(world.collection.images.values()))
    url = get(world, f"/{image.id}").json["file_url"]
    before = world.client.get(url).headers["ETag"]
    world.bucket.files[image.key] = b"\xff\xd8\xff other"
    response = world.client.get(url)
    assert keep(response) == "private, no-cache"
    assert response.headers["ETag"] != before


def size_of(response):
    assert response.content_type == "image/webp"
    picture = Pillow.open(io.BytesIO(response.data))
    assert picture.format == "WEBP"
    return picture.size


def test_a_thumbnail_comes_from_the_store(world):
    image = next(iter(world.collection.images.values()))
    world.thumbnails.kept[image.sha256] = b"stored"
    assert get(world, f"/{image.id}/thumbnail").data == b"stored"


def test_a_missing_thumbnail_is_made_and_kept(world):
    image = next(iter(world.collection.images.values()))
    assert size_of(get(world, f"/{image.id}/thumbnail")) == (384, 288)
    assert list(world.thumbnails.kept) == [image.sha256]


def test_a_pending_picture_has_a_thumbnail_too(world):
    image = world.add("new.jpg", state="pending")
    response = get(world, f"/{image.id}/thumbnail")
    assert size_of(response) == (384, 288)
    assert keep(response) == "private, no-cache"
    assert list(world.thumbnails.kept) == [hashlib.sha256(world.bucket.files["new.jpg"]).hexdigest()]


def test_a_preview_is_made_once(world, picture):
    image = world.add("big.jpg", picture(size=(3000, 1500)))
    first = get(world, f"/{image.id}/preview")
    assert size_of(first) == (1600, 800)
    # Were it made again, the file would be missed.
    world.bucket.files.clear()
    assert get(world, f"/{image.id}/preview").data == first.data


def test_previews_that_do_not_fit_are_not_kept(make_world, picture):
    world = make_world(preview_cache_bytes=10)
    image = world.add("big.jpg", picture())
    assert get(world, f"/{image.id}/preview").status_code == 200
    assert get(world, f"/{image.id}/preview").status_code == 200


def test_what_cannot_be_shown_says_why(world, problem):
    image = world.add("bad.jpg", b"just text", state="failed", reason="not an image")
    for rest in ("preview", "thumbnail"):
        assert "not an image" in problem(get(world, f"/{image.id}/{rest}"), 404, "not-shown")["detail"]
    assert not world.thumbnails.kept


def test_a_file_that_has_just_gone(world, problem):
    image = next(iter(world.collection.images.values()))
    world.bucket.files.clear()
    for rest in ("file", "preview", "thumbnail"):
        problem(get(world, f"/{image.id}/{rest}"), 404, "image-not-found")


def test_a_bucket_out_of_reach(world, problem):
    image = next(iter(world.collection.images.values()))
    world.bucket.error = BucketUnavailable("the store does not answer")
    response = get(world, f"/{image.id}/file")
    problem(response, 503, "bucket-unavailable")
    assert response.headers["Retry-After"]


def test_a_name_that_can_only_be_shown_is_not_taken_for_a_key(writable, problem):
    writable.add("bad\\xff.jpg")
    image = writable.add("bad.jpg", state="failed", reason="its name is not UTF-8", key="bad\\xff.jpg")
    for rest in ("file", "preview", "thumbnail"):
        assert "not UTF-8" in problem(get(writable, f"/{image.id}/{rest}"), 404, "not-shown")["detail"]
    problem(writable.client.delete(f"/api/v1/images/{image.id}"), 404, "not-shown")
    assert "bad\\xff.jpg" in writable.bucket.files


def test_a_key_that_leaves_the_bucket_is_refused(world, problem):
    image = world.add("../../etc/passwd")
    for rest in ("file", "preview", "thumbnail"):
        problem(get(world, f"/{image.id}/{rest}"), 404, "not-shown")


def test_a_store_of_thumbnails_out_of_reach_costs_time_but_no_thumbnail(world):
    image = next(iter(world.collection.images.values()))

    class Away:
        def get(self, sha256):
            raise BucketUnavailable("away")

        def put(self, sha256, webp):
            raise BucketUnavailable("away")

    world.use(replace(world.app.extensions["sightline"].clients, thumbnails=Away()))
    assert size_of(get(world, f"/{image.id}/thumbnail")) == (384, 288)


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=5-1000000", 5, None)],
)
def test_a_range_of_a_file(world, wanted, start, stop):
    image = world.add("animals/cat.jpg")
    data = world.bucket.files[image.key]
    response = get(world, f"/{image.id}/file", Range=wanted)
    assert response.status_code == 206
    assert response.data == data[start:stop]
    first = start if start >= 0 else len(data) + start
    assert response.headers["Content-Range"] == f"bytes {first}-{first + len(response.data) - 1}/{len(data)}"
    assert response.content_length == len(response.data)
    assert response.content_type == "image/jpeg"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert response.headers["Content-Disposition"] == "inline; filename=cat.jpg"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,5-9", "pages=1-2", "bytes=x", "bytes=9-1", "nonsense", "bytes=" + "9" * 5000 + "-"]
)
def test_what_is_no_single_range_gets_the_whole_file(world, wanted):
    image = world.add("animals/cat.jpg")
    response = get(world, f"/{image.id}/file", Range=wanted)
    assert response.status_code == 200
    assert response.data == world.bucket.files[image.key]


def test_a_range_beyond_the_end(world, problem):
    image = world.add("animals/cat.jpg")
    size = len(world.bucket.files[image.key])
    response = get(world, f"/{image.id}/file", Range=f"bytes={size}-")
    problem(response, 416, "blank")
    assert response.headers["Content-Range"] == f"bytes */{size}"


def test_a_range_only_of_the_version_that_is_known(world):
    image = world.add("animals/cat.jpg")
    whole = get(world, f"/{image.id}/file")
    for validator in (whole.headers["ETag"], whole.headers["Last-Modified"]):
        assert get(world, f"/{image.id}/file", Range="bytes=0-9", If_Range=validator).status_code == 206
    assert get(world, f"/{image.id}/file", Range="bytes=0-9", If_Range='"another"').data == whole.data
    etag = whole.headers["ETag"]
    assert get(world, f"/{image.id}/file", Range="bytes=0-9", If_None_Match=etag).status_code == 304
    assert get(world, f"/{image.id}/file", If_Match='"another"').status_code == 412


def test_what_is_known_of_a_file_is_not_contradicted(world):
    image = world.add("evil.jpg", b"<svg/>", state="failed", reason="not an image")
    for known in (image, world.add("animals/cat.jpg")):
        whole = get(world, f"/{known.id}/file")
        for name in ("ETag", "Last-Modified"):
            asked = (
                {"If_None_Match": whole.headers["ETag"]}
                if name == "ETag"
                else {"If_Modified_Since": whole.headers[name]}
            )
            again = get(world, f"/{known.id}/file", **asked)
            assert again.status_code == 304
            assert again.data == b""
            assert again.headers["ETag"] == whole.headers["ETag"]
            assert again.headers.get("Content-Disposition") in (None, whole.headers["Content-Disposition"])
            assert again.headers.get("Content-Type") in (None, whole.headers["Content-Type"])


def test_the_head_of_a_file(world):
    image = world.add("animals/cat.jpg")
    whole = get(world, f"/{image.id}/file")
    for asked in ({}, {"Range": "bytes=0-9"}):
        head = world.client.head(f"/api/v1/images/{image.id}/file", headers=asked)
        assert head.status_code == 200
        assert head.data == b""
        for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges", "Content-Disposition"):
            assert head.headers[name] == whole.headers[name]


def test_a_file_is_read_piece_by_piece_and_closed(world, monkeypatch):
    image = world.add("animals/cat.jpg", b"\xff\xd8\xff" + bytes(3_000_000))
    opened, lengths = [], []
    real_open = world.bucket.open

    def watched(key):
        made = real_open(key)
        read, close = made.read, made.close
        made.read = lambda start, length: lengths.append(length) or read(start, length)
        made.close = lambda: opened.remove(made) or close()
        opened.append(made)
        return made

    monkeypatch.setattr(world.bucket, "open", watched)
    for headers in ({}, {"Range": "bytes=0-9"}, {"Range": "bytes=9999999-"}, {"If-None-Match": "*"}):
        world.client.get(f"/api/v1/images/{image.id}/file", headers=headers).close()
        assert opened == []
    assert max(lengths) <= 1024 * 1024


@pytest.mark.parametrize("size", ["preview", "thumbnail"])
def test_while_too_many_pictures_are_decoded_more_are_refused(world, problem, size):
    world.decoders.error = Busy()
    image = world.add("animals/new.jpg")
    problem(get(world, f"/{image.id}/{size}"), 429, "overloaded")
    world.decoders.error = PictureError("decoding it takes longer than 30 s (IMAGE_MAX_SECONDS)")
    refusal = get(world, f"/{image.id}/{size}")
    problem(refusal, 404, "not-shown")
    assert "IMAGE_MAX_SECONDS" in refusal.json["detail"]


def test_an_upload_is_refused_file_by_file_while_too_many_pictures_are_decoded(make_world):
    world = make_world(writable=True)
    world.decoders.error = Busy()
    form = {"files": [(io.BytesIO(b"any"), "a.jpg"), (io.BytesIO(b"any"), "b.jpg")]}
    answer = world.client.post("/api/v1/images", data=form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert [one["name"] for one in answer.json["refused"]] == ["a.jpg", "b.jpg"]
    assert "try again soon" in answer.json["refused"][0]["reason"]
