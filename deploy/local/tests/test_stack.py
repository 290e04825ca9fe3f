"""The launcher's parts: ports, folders, the supervisor, and what it says when something is missing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from sightline_bucket import BucketSettings
from sightline_local import samples
from sightline_local.readiness import NotReady, wait_until_ready
from sightline_local.stack import ROOT, PortTaken, Service, Stack, choose_ports, external_qdrant, is_free, state_name
from sightline_local.supervisor import Supervisor
from waiting import wait_for, wait_for_pid


def sleeper(name: str, *words: str) -> Service:
    program = f"import time; print({' '.join(words)!r}, flush=True); time.sleep(600)"
    return Service(name, [sys.executable, "-c", program], {"PATH": os.environ["PATH"]}, stop_seconds=5)


def test_a_taken_port_is_refused_and_the_encoders_moves_aside():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortTaken, match=str(port)):
            choose_ports(gateway=port)
        assert choose_ports(encoder=port).encoder != port


def test_two_folders_of_one_name_have_states_of_their_own(tmp_path):
    names = {state_name(tmp_path / one / "Pictures") for one in ("anna", "ben")}
    assert len(names) == 2
    assert all(name.startswith("Pictures-") for name in names)


def test_services_get_their_settings_and_nothing_of_the_launchers_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not yours")
    stack = Stack(tmp_path, tmp_path / "state", tmp_path / "models", choose_ports(), settings={"LOG_LEVEL": "debug"})
    environment = stack.services()[0].environment
    assert environment["BUCKET_URL"] == tmp_path.resolve().as_uri()
    assert environment["BUCKET_WRITABLE"] == "false"
    assert environment["LOG_LEVEL"] == "debug"
    assert "AWS_SECRET_ACCESS_KEY" not in environment


def test_a_qdrant_elsewhere_is_used_in_place_of_qdrant_edge(tmp_path):
    assert external_qdrant({"QDRANT_API_KEY": "key", "BUCKET_ID": "mine"}, tmp_path) == {}
    folder = tmp_path / "Bilder für alle"
    given = {"QDRANT_URL": "https://q:6334", "QDRANT_API_KEY": "key", "QDRANT_CA_FILE": "", "AWS_REGION": "x"}
    settings = external_qdrant(given, folder)
    assert {name: settings[name] for name in settings if name != "BUCKET_ID"} == {
        "QDRANT_URL": "https://q:6334",
        "QDRANT_API_KEY": "key",
    }
    BucketSettings(url=folder.as_uri(), id=settings["BUCKET_ID"])
    assert settings["BUCKET_ID"] != external_qdrant(given, tmp_path)["BUCKET_ID"]
    assert external_qdrant({**given, "BUCKET_ID": "mine"}, folder)["BUCKET_ID"] == "mine"
    stack = Stack(folder, tmp_path / "state", tmp_path / "models", choose_ports(), settings=settings)
    assert "qdrant-edge" not in [service.name for service in stack.services()]
    assert stack.environment()["QDRANT_URL"] == "https://q:6334"


def test_a_service_that_refuses_its_settings_ends_the_wait_with_its_own_line(tmp_path):
    stack = Stack(tmp_path, tmp_path, tmp_path / "models", choose_ports(), database_key="x")
    stack.logs.mkdir()
    # What an earlier start said does not count.
    (stack.logs / "watcher.log").write_text("wrong setting: of yesterday\n")
    code = "import sys; print('wrong setting: LOG_LEVEL=loud', file=sys.stderr); sys.exit(2)"
    refuses = Service("encoder", [sys.executable, "-c", code], {})
    with Supervisor([refuses], stack.logs) as supervisor, pytest.raises(NotReady, match=r"^wrong setting: LOG_LEVEL"):
        wait_until_ready(stack, supervisor, timeout_seconds=120)


def test_a_killed_service_comes_back_and_all_end_together(tmp_path):
    with Supervisor([sleeper("one", "hello", "there"), sleeper("two", "x")], tmp_path) as supervisor:
        first = wait_for_pid(supervisor, "one")
        other = wait_for_pid(supervisor, "two")
        wait_for(lambda: supervisor.last_lines("one") == ["hello there"], "the log is written", 10)
        os.kill(first, signal.SIGKILL)
        second = wait_for_pid(supervisor, "one", other_than=first)
        assert wait_for_pid(supervisor, "two") == other
    # Who has ended may stay listed until its parent, or the system in its place, has taken note.
    wait_for(lambda: not psutil.pid_exists(second) and not psutil.pid_exists(other), "both have ended", 10)
    assert not supervisor.is_running()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_supervisor_leaves_no_orphans(tmp_path):
    with Supervisor([sleeper("one", "x")], tmp_path) as supervisor:
        pid = wait_for_pid(supervisor, "one")
        parent = psutil.Process(pid).parent()
        assert parent is not None
        parent.kill()
        wait_for(lambda: not psutil.pid_exists(pid), "the service ends", 10)


def run_launcher(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sightline_local", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_missing_folder_is_one_clear_line(tmp_path):
    done = run_launcher("smoke", "--images", str(tmp_path / "nowhere"), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "is not a folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_samples_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(samples.SamplesUnavailable, match="IMAGES=FOLDER"):
        samples.fetch(tmp_path / "samples")


@pytest.mark.parametrize(("tool", "words"), [("node", "Node.js 20.19"), ("python", "Python 3.11")])
def test_a_missing_tool_is_one_clear_line(tmp_path, tool, words):
    for name in ("bash", "env"):
        (tmp_path / name).symlink_to(Path("/usr/bin", name))
    done = subprocess.run(
        [str(ROOT / "deploy/local/prerequisites"), tool],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
