"""What the overlay s3 adds to test_compose.py, of which it runs what pictures in a store may change."""

from __future__ import annotations

import pytest
from engine import kill_and_see_it_come_back, systems, wait_for
from images import drawn

pytestmark = pytest.mark.parametrize("system", systems("s3"), indirect=True, scope="session")


@pytest.mark.parametrize("service", ["ingest-worker", "watcher"])
def test_a_killed_reader_of_the_store_comes_back(system, service):
    kill_and_see_it_come_back(system, service)


def test_a_killed_store_comes_back_and_its_pictures_are_read_again(system):
    kill_and_see_it_come_back(system, "seaweedfs")
    [image] = [result for result in system.get("/images", limit=200)["images"] if result["key"] == "flower.jpg"]
    assert system.http.get(image["file_url"]).content[:3] == b"\xff\xd8\xff"


def test_a_picture_of_an_unreachable_store_is_not_taken_for_deleted(system):
    before = system.indexed()
    system.compose("stop", "seaweedfs")
    try:
        wait_for("the watcher says that the store is away", lambda: system.get("/ingest")["bucket"])
        assert system.indexed() == before
        assert system.found("a flower")
    finally:
        system.up()
    system.bucket.put("later.jpg", drawn(300))
    wait_for("a new picture is found", lambda: "later.jpg" in system.indexed())
    assert before < system.indexed()
