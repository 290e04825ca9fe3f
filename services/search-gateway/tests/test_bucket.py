"""The gateway over a real folder: nothing that is sent, and nothing that lies there, leads out of it."""

from __future__ import annotations

import io

import pytest
from sightline_bucket import ThumbnailStore, open_bucket
from sightline_search_gateway.container import Clients


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "bucket"
    made.mkdir()
    return made


@pytest.fixture
def real(make_world, folder):
    """Return a maker of gateways over the folder."""

    def make(**options):
        world = make_world(**options)
        services = Clients(
            catalogue=world.catalogue,
            catalogue_probe=world.catalogue,
            encoder=world.encoder,
            bucket=open_bucket(world.settings.bucket),
            thumbnails=ThumbnailStore(world.settings.thumbnails.url),
            watcher=world.watcher,
            shared_cache=world.shared_cache,
            maps=world.maps,
            decoders=world.decoders,
        )
        world.use(services)
        return world

    return make


def upload(world, name, data, **parts):
    form = {"files": [(io.BytesIO(data), name)], **parts}
    return world.client.post("/api/v1/images", data=form, content_type="multipart/form-data")


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_upload_and_its_removal(real, folder, tmp_path, picture):
    world = real(writable=True)
    data = picture()
    [one] = upload(world, "cat.jpg", data, folder="pets/cats").json["accepted"]
    [two] = upload(world, "cat.jpg", data, folder="pets/cats").json["accepted"]
    assert everything(folder) == ["pets/cats/cat-1.jpg", "pets/cats/cat.jpg"]
    image = world.add(one["key"], data)
    world.add(two["key"], data)
    assert world.client.get(f"/api/v1/images/{image.id}/thumbnail").status_code == 200
    assert len(list((tmp_path / "thumbnails").rglob("*.webp"))) == 1
    assert world.client.delete(f"/api/v1/images/{one['id']}").status_code == 204
    assert everything(folder) == ["pets/cats/cat-1.jpg"]
    assert len(list((tmp_path / "thumbnails").rglob("*.webp"))) == 1
    assert world.client.delete(f"/api/v1/images/{two['id']}").status_code == 204
    assert everything(folder) == []
    assert not list((tmp_path / "thumbnails").rglob("*.webp"))


def test_links_are_neither_followed_nor_written_through(real, folder, tmp_path, picture, problem):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "private.jpg").write_bytes(picture("green"))
    (folder / "link").symlink_to(outside)
    (folder / "private.jpg").symlink_to(outside / "private.jpg")
    world = real(writable=True)
    body = problem(upload(world, "cat.jpg", picture(), folder="link"), 422, "not-a-picture")
    assert "link" in body["refused"][0]["reason"]
    assert everything(outside) == ["private.jpg"]
    for key in ("private.jpg", "link/private.jpg", "../outside/private.jpg", str(outside / "private.jpg")):
        image = world.add(key, picture("green"))
        for rest in ("file", "preview", "thumbnail"):
            response = world.client.get(f"/api/v1/images/{image.id}/{rest}")
            problem(response, 404, "not-shown")
        assert world.client.delete(f"/api/v1/images/{image.id}").status_code in (204, 422)
        assert everything(outside) == ["private.jpg"]


def test_a_file_in_the_place_of_a_folder(real, folder, picture, problem):
    (folder / "pets").write_bytes(b"")
    body = problem(upload(real(writable=True), "cat.jpg", picture(), folder="pets"), 422, "not-a-picture")
    assert "pets" in body["detail"]


def test_a_folder_that_is_not_there(real, folder, picture, problem):
    world = real(writable=True)
    image = world.add("cat.jpg")
    folder.rmdir()
    problem(upload(world, "dog.jpg", picture()), 503, "bucket-unavailable")
    assert world.client.get(f"/api/v1/images/{image.id}/file").status_code in (404, 503)


def test_a_file_over_the_limit_is_not_sent(real, folder, problem, picture):
    world = real(limits={"max_bytes": 1000})
    (folder / "big.jpg").write_bytes(picture() + b"\0" * 2000)
    image = world.add("big.jpg")
    for rest in ("file", "preview", "thumbnail"):
        assert (
            "IMAGE_MAX_BYTES"
            in problem(world.client.get(f"/api/v1/images/{image.id}/{rest}"), 404, "not-shown")["detail"]
        )


@pytest.mark.parametrize(
    "key",
    ["a//b.jpg", "/lead.jpg", "../up.jpg", "a/./b.jpg", "a/../b.jpg", "c\x01d.jpg", "tab\t.jpg", "two\r\nlines.jpg"],
)
def test_a_picture_of_any_key_of_a_store_is_shown_sent_and_deleted(make_world, picture, key):
    world = make_world(writable=True)
    world.bucket.is_store = True
    image = world.add(key, picture())
    found = world.client.get(f"/api/v1/images/{image.id}").json
    assert found["key"] == key
    for path in ("file", "preview", "thumbnail"):
        answer = world.client.get(f"/api/v1/images/{image.id}/{path}")
        assert answer.status_code == 200, path
    assert world.client.get(f"/api/v1/images/{image.id}/file").data == world.bucket.files[key]
    assert world.client.delete(f"/api/v1/images/{image.id}").status_code == 204
    assert key not in world.bucket.files


def test_a_picture_that_cannot_be_read_now_says_why(world, picture):
    image = world.add("archived.jpg", picture())
    world.bucket.unreadable["archived.jpg"] = "archived in GLACIER: restore it to have it indexed"
    answer = world.client.get(f"/api/v1/images/{image.id}/file")
    assert (answer.status_code, answer.json["type"]) == (404, "urn:sightline:problem:not-shown")
    assert "archived in GLACIER: restore it" in answer.json["detail"]
