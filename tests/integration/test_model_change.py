"""A collection that the release before made goes on answering while the watcher fills the new one."""

from __future__ import annotations

import threading

import pytest
from drawn import fill
from waiting import wait_for

PICTURES = 150
RELEASE_BEFORE = """
import asyncio
from sightline_encoder import models
from sightline_encoder.bootstrap import Loaded, bootstrap
from sightline_encoder.settings import EncoderSettings

def load(settings):
    model = models.load("embedded", settings).before
    model.warm_up(settings.max_batch_size)
    yield Loaded([model], model.id)

asyncio.run(bootstrap(EncoderSettings(), load).run())
"""


def search(running):
    answer = running.http.get("/api/v1/search", params={"q": "a red curtain", "limit": 10})
    if answer.status_code != 200:
        return answer.status_code, answer.text
    body = answer.json()
    return answer.status_code, body["model"]["id"], [hit["id"] for hit in body["results"]]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_release_befores_collection_answers_while_the_new_one_is_filled(start, tmp_path):
    fill(tmp_path / "bucket", PICTURES)
    before = start(tmp_path / "bucket", encoder=RELEASE_BEFORE, state=tmp_path / "state")
    wait_for(lambda: before.get("/ingest")["indexed"] == PICTURES, "all are indexed", 240)
    status, model, found = search(before)
    assert (status, model, len(found)) == (200, "embedded-conse-3", 10)
    # What is like a picture is told by the vector that texts share: it has no other.
    assert len(before.get(f"/images/{found[0]}/similar", limit=5)["results"]) == 5
    before.supervisor.stop()

    now = start(tmp_path / "bucket", state=tmp_path / "state")
    answers, is_over = [], threading.Event()

    def ask():
        while not is_over.wait(0.05):
            answers.append(search(now))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        wait_for(lambda: search(now)[1] == "embedded", "the new collection is searched", 240)
    finally:
        is_over.set()
        asking.join()
    assert {answer[0] for answer in answers} == {200}, [answer for answer in answers if answer[0] != 200][:3]
    models = [answer[1] for answer in answers]
    assert models[0] == "embedded-conse-3"
    # Those of the release before until it is full, and the new one's from then on.
    assert models == sorted(models, reverse=True)
    assert all(answer[2] == found for answer in answers if answer[1] == "embedded-conse-3")
    assert all(len(answer[2]) == 10 for answer in answers)
    assert now.get("/ingest")["indexed"] == PICTURES
    [served] = [model for model in now.get("/models")["models"] if model["id"] == "embedded"]
    assert served["fingerprint"] == now.get("/models")["collection"]["fingerprint"]
