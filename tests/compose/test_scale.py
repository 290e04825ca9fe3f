"""Two encoders, two gateways, three workers: they share the work, and the loss of one is not noticed."""

from __future__ import annotations

import re
import subprocess

import pytest
from engine import over_a_folder, wait_for
from images import drawn

PICTURES = 300
READ_METRICS = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9101/metrics').read().decode())"
TEXTS_ENCODED = re.compile(r'^sightline_encoder_calls_total\{code="OK",method="EncodeText"\} (\S+)', re.MULTILINE)

pytestmark = pytest.mark.parametrize("system", over_a_folder(), indirect=True, scope="session")


@pytest.fixture(scope="module")
def scaled(system):
    system.up(encoder=2, ingest_worker=3, search_gateway=2)
    yield system
    system.up()


def test_both_encoders_serve_calls(scaled):
    def calls() -> list[float]:
        metrics = [
            scaled.execute_in(item["Id"], "python", "-c", READ_METRICS).stdout for item in scaled.inspect("encoder")
        ]
        return [float(match[1]) if (match := TEXTS_ENCODED.search(text)) else 0.0 for text in metrics]

    for number in range(40):
        scaled.found(f"the thing of number {number}")
    counts = calls()
    assert len(counts) == 2
    assert min(counts) > 0, counts


def test_a_rolling_restart_of_the_gateway_loses_no_request(scaled):
    with scaled.searching() as statuses:
        for container in scaled.inspect("search-gateway"):
            subprocess.run(["docker", "restart", "--time", "40", container["Id"]], check=True, capture_output=True)
            wait_for("the gateway is back", lambda: scaled.healthy("search-gateway"))
    assert len(statuses) > 50
    assert set(statuses) == {200}


def test_the_loss_of_an_encoder_in_the_middle_of_ingesting_loses_nothing(scaled):
    def counts() -> dict[str, int]:
        return scaled.get("/stats")["images"]

    before = counts()["indexed"]
    keys = [f"many/{number:03}.jpg" for number in range(PICTURES)]
    for number, key in enumerate(keys):
        scaled.bucket.put(key, drawn(1000 + number))
    wait_for("some are indexed", lambda: counts()["indexed"] > before)
    scaled.kill("encoder")
    wait_for("all are indexed", lambda: counts()["indexed"] == before + PICTURES)
    assert counts()["failed"] == 0
    for key in keys:
        scaled.bucket.delete(key)
    scaled.confirm_loss(PICTURES)
    wait_for("they are gone", lambda: counts()["indexed"] == before)
