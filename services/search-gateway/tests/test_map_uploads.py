"""Maps of uploads, over HTTP."""

from __future__ import annotations

import io
from dataclasses import replace

from map_making import fill, work


def picture_files(picture, count: int, label: str = "cats") -> list:
    colors = [f"#{12 * number:02x}40{255 - 12 * number:02x}" for number in range(count)]
    return [(io.BytesIO(picture(color, (80, 60))), f"{label}/{place}.jpg") for place, color in enumerate(colors)]


def upload(world, files, **form):
    return world.client.post("/api/v1/maps/uploads", data={"files": files, **form})


def test_uploads_make_a_map_of_their_own(mapping, picture):
    before = dict(mapping.collection.images)
    files = picture_files(picture, 12) + picture_files(picture, 8, "zoo/dogs") + [(io.BytesIO(b"text"), "cats/t.jpg")]
    asked = upload(mapping, files, perplexity="5")
    assert asked.status_code == 202, asked.text
    assert [one["name"] for one in asked.json["refused"]] == ["cats/t.jpg"]
    assert [one["refused"] for one in mapping.client.get("/api/v1/maps").json["maps"]] == [[]]
    assert asked.json["labels"] == ["cats", "dogs"]
    assert work(mapping) == ["done"]
    state = mapping.client.get(asked.headers["Location"]).json
    assert (state["state"], state["count"]) == ("done", 20)
    assert state["points"]["label"] == [0] * 12 + [1] * 8
    assert state["points"]["ids"][13] == "zoo/dogs/1.jpg"
    assert mapping.collection.images == before
    assert mapping.bucket.files.keys() == {image.key for image in before.values()}
    thumbnail = mapping.client.get(state["thumbnails"].replace("{index}", "3"))
    assert thumbnail.content_type == "image/webp"
    tag = {"If-None-Match": thumbnail.headers["ETag"]}
    assert mapping.client.get(state["thumbnails"].replace("{index}", "3"), headers=tag).status_code == 304
    assert mapping.client.get(state["thumbnails"].replace("{index}", "20")).status_code == 404
    again = upload(mapping, picture_files(picture, 12) + picture_files(picture, 8, "zoo/dogs"), perplexity="5")
    assert (again.status_code, again.json["id"]) == (200, state["id"])


def test_thumbnails_of_an_upload_go_with_its_map_alone(mapping, picture):
    one = upload(mapping, picture_files(picture, 12)).json["id"]
    work(mapping)
    other = upload(mapping, picture_files(picture, 11)).json["id"]
    work(mapping)
    shared = next(iter(mapping.thumbnails.kept)).rpartition("/")[2]
    shown = replace(next(iter(mapping.collection.images.values())), sha256=shared)
    mapping.collection.images[shown.id] = shown
    mapping.thumbnails.put(shared, b"webp")
    assert len(mapping.thumbnails.kept) == 12 + 11 + 1
    mapping.client.delete(f"/api/v1/maps/{one}")
    assert len(mapping.thumbnails.kept) == 11 + 1
    mapping.client.delete(f"/api/v1/maps/{other}")
    assert list(mapping.thumbnails.kept) == [shared]


def test_deleting_an_image_leaves_the_thumbnail_of_an_uploaded_map_of_equal_bytes(make_world, queue, picture):
    world = make_world(queue=queue, writable=True)
    fill(world)
    world.maps.jobs.join("worker")
    files = picture_files(picture, 12)
    image = world.add("cats/same.png", files[3][0].getvalue())
    world.thumbnails.put(image.sha256, b"webp")
    asked = upload(world, files, perplexity="5")
    assert work(world) == ["done"]
    state = world.client.get(asked.headers["Location"]).json
    assert world.client.delete(f"/api/v1/images/{image.id}").status_code == 204
    assert world.thumbnails.get(image.sha256) is None
    addresses = [state["thumbnails"].replace("{index}", str(place)) for place in range(12)]
    assert [world.client.get(one).status_code for one in addresses] == [200] * 12
    world.maps.close()


def test_few_uploads_that_can_be_used_are_too_few(mapping, picture, problem):
    assert problem(upload(mapping, picture_files(picture, 3)), 422, "too-few")["detail"].startswith("Only 3 pictures")
    broken = [(io.BytesIO(b"text"), f"{number}.jpg") for number in range(4)]
    body = problem(upload(mapping, picture_files(picture, 8) + broken), 422, "too-few")
    assert body["detail"].startswith("Only 8 pictures can be used; a map needs 10.")
    assert len(body["refused"]) == 4
    # What was refused leaves nothing behind.
    assert mapping.thumbnails.kept == {}
