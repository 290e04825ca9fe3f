"""No entry point shows a secret, whatever fails: not on its output, not in its log, not in an answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sightline_local.stack import free_port
from waiting import wait_for

MARK = "hush"
"""Part of every secret."""
SECONDS = 120
SCRIPTS = Path(sys.executable).parent


def module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


COMMANDS = {
    "watcher --rescan": module("sightline_ingest_worker.watcher", "--rescan"),
    "watcher --confirm-loss": module("sightline_ingest_worker.watcher", "--confirm-loss"),
    "catalogue status": [str(SCRIPTS / "sightline-catalogue"), "status"],
    "catalogue repair": [str(SCRIPTS / "sightline-catalogue"), "repair", "--yes"],
    "catalogue rebalance": [str(SCRIPTS / "sightline-catalogue"), "rebalance", "--yes"],
}
SERVICES = {
    "ingest-worker": module("sightline_ingest_worker"),
    "watcher": module("sightline_ingest_worker.watcher"),
    "map-worker": module("sightline_search_gateway.maps"),
    "search-gateway": module("sightline_search_gateway"),
    "encoder": module("sightline_encoder"),
    "encoder --prepare": module("sightline_encoder", "--prepare"),
    "qdrant-edge": module("sightline_qdrant_edge"),
}
LAUNCHER = {
    "demo": module("sightline_local", "demo", "--images", "/nowhere"),
    "smoke": module("sightline_local", "smoke", "--images", "/nowhere"),
}
ALL = COMMANDS | SERVICES | LAUNCHER

LONG_RUNNING = ("ingest-worker", "watcher", "map-worker", "search-gateway")
"""They go on, whatever does not answer."""

SECRETS = {
    "REDIS_URL": f"redis://user:{MARK}-redis@127.0.0.1:1/0",
    "REDIS_PASSWORD": f"{MARK}-redis",
    "QDRANT_API_KEY": f"{MARK}-qdrant",
    "QDRANT_READ_ONLY_API_KEY": f"{MARK}-qdrant-reads",
    "ENCODER_TOKEN": f"{MARK}-encoder",
    "GATEWAY_API_KEYS": f"{MARK}-key-that-changes",
    "GATEWAY_READ_KEYS": f"{MARK}-key-that-reads,{MARK}-another-one-that-does",
    "AWS_ACCESS_KEY_ID": f"{MARK}-id",
    "AWS_SECRET_ACCESS_KEY": f"{MARK}-aws",
    "AWS_SESSION_TOKEN": f"{MARK}-aws-session",
    "HF_TOKEN": f"{MARK}-hub",
}
"""As they should be; nothing answers where they are for."""
WRONG = {
    "REDIS_URL": f"redis://:{MARK}/slash@127.0.0.1:6379/0",
    "QDRANT_URL": f"http://user:{MARK}@127.0.0.1:6334",
    "QDRANT_API_KEY": f"{MARK}\n{MARK}",
    "ENCODER_TOKEN": f"{MARK}-\u00e9",
    "ENCODER_ADDRESSES": f"http://user:{MARK}@encoder",
    "GATEWAY_API_KEYS": f"{MARK},",
    "GATEWAY_READ_KEYS": MARK,
    "BUCKET_URL": f"s3://id:{MARK}@bucket",
    "THUMBNAIL_URL": f"s3://bucket?sv=1&sig={MARK}",
}
"""Each is refused at the start by those that read it."""
_CLIENT = {
    "REDIS_URL",
    "QDRANT_URL",
    "QDRANT_API_KEY",
    "ENCODER_TOKEN",
    "ENCODER_ADDRESSES",
    "BUCKET_URL",
    "THUMBNAIL_URL",
}
READ_BY = {
    "ingest-worker": _CLIENT,
    "watcher": _CLIENT,
    "search-gateway": _CLIENT | {"GATEWAY_API_KEYS", "GATEWAY_READ_KEYS"},
    "map-worker": {"REDIS_URL", "QDRANT_URL", "QDRANT_API_KEY"},
    "catalogue": {"QDRANT_URL", "QDRANT_API_KEY"},
    "encoder": {"ENCODER_TOKEN"},
    "qdrant-edge": set(),
}


@dataclass
class Ran:
    """A process that has ended, or is made to."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def ends(self) -> int:
        return self.process.wait(SECONDS)


@pytest.fixture
def run(tmp_path):
    """Start a command with settings, its output in a file."""
    started = []

    def start(command: list[str], **settings: str) -> Ran:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "BUCKET_URL": "s3://pictures",
            "THUMBNAIL_URL": "s3://thumbnails",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ALLOW_HTTP": "true",
            "QDRANT_URL": "http://127.0.0.1:1",
            "QDRANT_TIMEOUT_SECONDS": "1",
            "ENCODER_ADDRESSES": "127.0.0.1:1",
            "ENCODER_MODELS": "local-dir:/nowhere",
            "EDGE_ADDRESS": "192.0.2.1",
            "EDGE_DATA_DIR": str(tmp_path / "edge"),
            "GATEWAY_PORT": str(free_port()),
            **{f"{name}_METRICS_PORT": "0" for name in ("ENCODER", "WORKER", "WATCHER", "MAPS", "EDGE")},
            **settings,
        }
        log = tmp_path / "output"
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=tmp_path)
        ran = Ran(process, log)
        ran.port = environment["GATEWAY_PORT"]
        started.append(process)
        return ran

    yield start
    for process in started:
        process.kill()
        process.wait()


def use_gateway(ran: Ran) -> str:
    """Make calls that fail, of all sorts; return what was answered."""
    url = f"http://127.0.0.1:{ran.port}"
    key = {"X-API-Key": SECRETS["GATEWAY_API_KEYS"]}
    wait_for(lambda: "listening" in ran.said or ran.process.poll() is not None, "the gateway listens")
    with httpx.Client(base_url=url, timeout=SECONDS) as client:
        answers = [
            client.get("/readyz"),
            client.get("/metrics"),
            client.get("/api/v1/images"),
            client.post("/api/v1/session", json={"key": f"{MARK}-wrong-key-of-a-person"}),
            client.get("/api/v1/images", headers={"X-API-Key": f"{MARK}-wrong-key"}),
            client.post("/api/v1/session", json={"key": key["X-API-Key"]}),
            client.get("/api/v1/session"),
            *(
                client.get(f"/api/v1/{path}", headers=key)
                for path in ("images", "search?q=cat", "ingest", "maps", "stats")
            ),
            client.post("/api/v1/ingest/rescan", json={}, headers=key),
            client.post("/api/v1/maps", json={}, headers=key),
            client.post("/api/v1/session", content=b'{"key": "hush', headers={"Content-Type": "application/json"}),
            client.post("/api/v1/session", json={"key": [MARK]}),
        ]
    assert {answer.status_code for answer in answers} >= {200, 401, 503}
    return "\n".join(f"{answer.headers}\n{answer.text}" for answer in answers)


def has_warned(ran: Ran) -> bool:
    return re.search(r'"level": ?"(warning|error)"|\[(warning|error)', ran.said) is not None


@pytest.mark.parametrize(
    ("name", "level", "log_format"),
    [*((name, "info", "json") for name in ALL), *((name, "debug", "console") for name in LONG_RUNNING)],
)
def test_nothing_is_shown_where_nothing_answers(run, name, level, log_format):
    ran = run(ALL[name], LOG_LEVEL=level, LOG_FORMAT=log_format, **SECRETS)
    answered = ""
    if name == "search-gateway":
        answered = use_gateway(ran)
    elif name in LONG_RUNNING:
        wait_for(lambda: has_warned(ran) or ran.process.poll() is not None, "a warning")
    else:
        assert ran.ends() != 0
    if ran.process.poll() is None:
        ran.process.terminate()
        ran.ends()
    assert ran.said.strip()
    assert MARK not in (ran.said + answered).lower()


@pytest.mark.parametrize("name", COMMANDS | SERVICES)
def test_wrong_settings_are_named_and_not_shown(run, name):
    ran = run(ALL[name], **WRONG)
    assert ran.ends() != 0
    named = {setting for setting in WRONG if f"wrong setting: {setting}" in ran.said}
    assert named == READ_BY[name.split()[0]] or (name.startswith("watcher --") and named == {"REDIS_URL"})
    assert MARK not in ran.said.lower()


@pytest.mark.parametrize("name", ALL)
def test_help_shows_no_setting(run, name):
    ran = run([*ALL[name], "--help"], **SECRETS)
    assert ran.ends() == 0
    assert MARK not in ran.said.lower()
