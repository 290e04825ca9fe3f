"""The main job: what is in the bucket is found, and what happens to the bucket shows."""

from __future__ import annotations

import io
import re
import shutil

import numpy as np
import pytest
from drawn import draw
from PIL import Image
from sightline_local.readiness import images_encoded, ingest_state
from sightline_local.stack import ROOT
from sklearn.datasets import load_sample_image
from waiting import wait_for


def photograph(name: str) -> bytes:
    """Return one of the two photographs that scikit-learn brings, as JPEG."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(load_sample_image(name))).save(stream, "JPEG", quality=92)
    return stream.getvalue()


@pytest.fixture(scope="module")
def running(start, tmp_path_factory):
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    (bucket / "plants").mkdir(parents=True)
    (bucket / "buildings").mkdir()
    (bucket / "plants/flower.jpg").write_bytes(photograph("flower.jpg"))
    (bucket / "buildings/china.jpg").write_bytes(photograph("china.jpg"))
    for seed in range(10):
        (bucket / f"blobs-{seed}.png").write_bytes(draw(seed, format="PNG"))
    system = start(bucket, writable=True)
    wait_for(lambda: (s := ingest_state(system.stack)) and s.finished and s.indexed == 12, "the pictures are indexed")
    return system


def keys(running) -> set[str]:
    return {image["key"] for image in running.images(state="indexed")}


@pytest.mark.parametrize(
    ("query", "best"), [("a bee on a flower", "plants/flower.jpg"), ("a palace", "buildings/china.jpg")]
)
def test_words_find_the_picture_that_shows_them(running, query, best):
    answer = running.get("/search", q=query)
    # What is drawn at random looks like something, too: only the photographs are sure of what they show.
    photographs = [result["key"] for result in answer["results"] if "blobs" not in result["key"]]
    assert photographs[0] == best
    similarities = [result["similarity"] for result in answer["results"]]
    assert similarities == sorted(similarities, reverse=True)
    assert len(answer["results"]) == 12


def test_words_and_filters_find_by_name(running):
    answer = running.get("/search", q="flower.jpg")
    assert [image["key"] for image in answer["named"]["results"]] == ["plants/flower.jpg"]
    assert len(answer["results"]) == 12
    assert [image["key"] for image in running.get("/search", q="buildings")["named"]["results"]] == [
        "buildings/china.jpg"
    ]
    listed = running.get("/search", q="-type:png name:chi")
    assert [(result["key"], result["similarity"]) for result in listed["results"]] == [("buildings/china.jpg", None)]
    counted = running.get("/facets", field=["format", "label"], not_folder="plants")["facets"]
    assert [{one["value"]: one["count"] for one in facet["values"]} for facet in counted] == [
        {"PNG": 10, "JPEG": 1},
        {"buildings": 1},
    ]


def test_a_picture_finds_itself_by_its_bytes(running):
    answer = running.http.post("/api/v1/search", files={"file": ("any.jpg", photograph("flower.jpg"), "image/jpeg")})
    best = answer.json()["results"][0]
    assert best["key"] == "plants/flower.jpg"
    assert best["similarity"] > 0.99


def test_similar_leaves_the_picture_itself_out(running):
    [flower] = [image for image in running.images() if image["key"] == "plants/flower.jpg"]
    results = running.get(f"/images/{flower['id']}/similar")["results"]
    assert len(results) == 11
    assert flower["id"] not in {result["id"] for result in results}


def test_thumbnails_previews_and_files_are_served(running):
    [flower] = [image for image in running.images() if image["key"] == "plants/flower.jpg"]
    thumbnail = running.http.get(flower["thumbnail_url"])
    assert thumbnail.headers["content-type"] == "image/webp"
    assert max(Image.open(io.BytesIO(thumbnail.content)).size) == 384
    assert Image.open(io.BytesIO(running.http.get(flower["preview_url"]).content)).format == "WEBP"
    assert running.http.get(flower["file_url"]).content == photograph("flower.jpg")


def test_new_changed_moved_and_deleted_files_show(running):
    path = running.bucket / "new.png"
    path.write_bytes(draw(100, format="PNG"))
    wait_for(lambda: "new.png" in keys(running), "a new file is found", 30)

    [before] = [image for image in running.images() if image["key"] == "new.png"]
    path.write_bytes(draw(101, size=(400, 300), format="PNG"))

    def changed() -> bool:
        [now] = [image for image in running.images() if image["key"] == "new.png"]
        return now["state"] == "indexed" and now["sha256"] != before["sha256"] and now["width"] == 400

    wait_for(changed, "its change is seen", 30)
    path.rename(running.bucket / "plants/moved.png")
    wait_for(lambda: "plants/moved.png" in (now := keys(running)) and "new.png" not in now, "it has moved", 30)
    (running.bucket / "plants/moved.png").unlink()
    wait_for(lambda: "plants/moved.png" not in keys(running), "it is gone", 30)


def test_a_folder_that_is_moved_in_is_found_and_one_moved_out_is_gone(running, tmp_path):
    outside = tmp_path / "holiday"
    (outside / "beach").mkdir(parents=True)
    (outside / "a.jpg").write_bytes(draw(200))
    (outside / "beach/b.jpg").write_bytes(draw(201))
    shutil.move(outside, running.bucket / "holiday")
    wait_for(lambda: {"holiday/a.jpg", "holiday/beach/b.jpg"} <= keys(running), "the folder is found", 30)
    shutil.rmtree(running.bucket / "holiday")
    wait_for(lambda: not [key for key in keys(running) if key.startswith("holiday")], "the folder is gone", 30)


def test_the_readmes_example_of_the_encoder_runs(running, tmp_path, monkeypatch, capsys):
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "cat.jpg").write_bytes(photograph("china.jpg"))
    monkeypatch.chdir(tmp_path)
    exec(example.replace("127.0.0.1:50051", running.stack.encoder_address), {})
    assert len(re.findall(r"-?\d\.\d+", capsys.readouterr().out)) == 2


def test_equal_bytes_are_encoded_once(running):
    before = images_encoded(running.stack)
    data = draw(300)
    for name in ("copy-1.jpg", "copy-2.jpg", "copy-3.jpg"):
        (running.bucket / name).write_bytes(data)
    wait_for(lambda: {"copy-1.jpg", "copy-2.jpg", "copy-3.jpg"} <= keys(running), "the copies are found", 30)
    assert images_encoded(running.stack) == before + 1


def test_an_upload_is_found(running):
    answer = running.http.post(
        "/api/v1/images",
        files=[("files", ("up.jpg", draw(400), "image/jpeg")), ("files", ("bad.jpg", b"no", "image/jpeg"))],
    )
    assert answer.status_code == 201
    assert [accepted["key"] for accepted in answer.json()["accepted"]] == ["up.jpg"]
    assert answer.json()["refused"][0]["name"] == "bad.jpg"
    wait_for(lambda: "up.jpg" in keys(running), "the upload is found", 30)


def test_a_page_of_another_origin_can_neither_upload_nor_delete(running):
    elsewhere = {"Origin": "https://evil.example"}
    before = sorted(path for path in running.bucket.rglob("*") if path.is_file())
    upload = running.http.post("/api/v1/images", files={"files": ("x.jpg", draw(500), "image/jpeg")}, headers=elsewhere)
    [flower] = [image for image in running.images() if image["key"] == "plants/flower.jpg"]
    delete = running.http.delete(f"/api/v1/images/{flower['id']}", headers=elsewhere)
    assert (upload.status_code, delete.status_code) == (403, 403)
    assert upload.headers["content-type"] == "application/problem+json"
    assert sorted(path for path in running.bucket.rglob("*") if path.is_file()) == before


def test_a_picture_can_be_deleted_from_the_page(running):
    (running.bucket / "unwanted.jpg").write_bytes(draw(600))
    wait_for(lambda: "unwanted.jpg" in keys(running), "it is there", 30)
    [unwanted] = [image for image in running.images() if image["key"] == "unwanted.jpg"]
    same = {"Origin": running.stack.url}
    assert running.http.delete(f"/api/v1/images/{unwanted['id']}", headers=same).status_code in (200, 204)
    assert not (running.bucket / "unwanted.jpg").exists()
    wait_for(lambda: "unwanted.jpg" not in keys(running), "it is gone", 30)


def test_starting_again_over_the_same_folder_encodes_nothing(running, start):
    expected = keys(running)
    running.supervisor.stop()
    again = start(running.bucket, state=running.stack.state)
    wait_for(lambda: (s := ingest_state(again.stack)) and s.finished, "the scan is done", 60)
    assert keys(again) == expected
    assert images_encoded(again.stack) == 0
