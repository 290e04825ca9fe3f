"""schemathesis with all checks on a running system, call by call and stateful, with keys and without.

SCHEMATHESIS_EXAMPLES says how many examples an operation gets: `make contract-test` runs 200.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from drawn import draw
from waiting import wait_for

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "10")
KEY = "a-key-of-the-contract-tests"
OTHER_KEY = "a-key-that-only-reads"
PICTURES = 12
BEYOND_THE_SCHEMA = {
    # Whether bytes are a picture, pictures are enough for a map, a query has a part at all, a file is as long as
    # a range, a cursor came from an answer, what of several a rescan is of, and how deep searches go (a setting), no
    # schema says.
    "positive_data_acceptance": [
        *("browseImages", "browseDuplicates", "getImageFile", "uploadImages", "getFailures", "makeMap"),
        *("makeMapOfUploads", "search", "searchByText", "searchSimilar", "rescan"),
    ],
    # In a form all is text: what is generated as null arrives as the word, a folder's name like any other.
    "negative_data_rejection": ["search", "uploadImages"],
}


@pytest.fixture(scope="module", params=["without keys", "with keys"])
def running(request, start, tmp_path_factory):
    bucket = tmp_path_factory.mktemp("pictures") / "bucket"
    for number in range(PICTURES):
        path = bucket / ("even" if number % 2 else "odd") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(number, format="PNG"))
    keys = {"GATEWAY_API_KEYS": KEY, "GATEWAY_READ_KEYS": OTHER_KEY} if request.param == "with keys" else {}
    system = start(bucket, writable=True, **keys)
    if keys:
        system.http.headers["X-API-Key"] = KEY
    wait_for(lambda: system.get("/ingest")["indexed"] == PICTURES, "all is indexed")
    system.headers = [f"X-API-Key: {KEY}"] if keys else []
    return system


def test_every_answer_is_documented_and_none_is_a_fault(running, tmp_path):
    rules = [
        f'[[operations]]\ninclude-operation-id = "{name}"\nchecks.{check}.enabled = false\n'
        for check, names in BEYOND_THE_SCHEMA.items()
        for name in names
    ]
    config = tmp_path / "schemathesis.toml"
    # Not by an option, which would outdo the rules.
    config.write_text("\n".join(["[checks]\nenabled = true\n", *rules]))
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", config, "--no-color", "run"]
    command += [f"{running.stack.url}/openapi.json", "--phases", "examples,coverage,fuzzing,stateful"]
    command += ["--max-examples", EXAMPLES, "--generation-deterministic"]
    command += ["--continue-on-failure", "--request-timeout", "60", "--warnings", "off"]
    command += [part for header in running.headers for part in ("--header", header)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    log = (running.stack.logs / "search-gateway.log").read_text()
    errors = [line for line in log.splitlines() if '"level": "error"' in line or "Traceback" in line]
    assert errors == []
