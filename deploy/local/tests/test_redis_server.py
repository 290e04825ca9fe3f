"""Redis listens on a Unix socket alone, and has no commands that would run code, write files or change it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import psutil
import pytest
import redis
from redis_process import RedisProcess
from sightline_local import redis_server
from sightline_local.redis_server import OLDEST, find_redis, version_of


@pytest.fixture(scope="module")
def server():
    running = RedisProcess()
    yield running
    running.close()


@pytest.mark.parametrize(
    "command",
    [
        *(
            "CONFIG SET dir /tmp",
            "CONFIG GET *",
            "CONFIG REWRITE",
            "MODULE LOAD /tmp/x.so",
            "MODULE LIST",
            "DEBUG SLEEP 0",
        ),
        *("SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF 127.0.0.1 1", "SLAVEOF 127.0.0.1 1", "SHUTDOWN", "MONITOR"),
        *("ACL SETUSER default +@all", "ACL LIST", "EVAL return(1) 0", "FUNCTION LIST", "SCRIPT FLUSH", "CLIENT LIST"),
        *("FLUSHALL", "KEYS *", "MIGRATE 127.0.0.1 1 a 0 1", "RESTORE a 0 x", "SWAPDB 0 1", "LATENCY RESET", "SYNC"),
        *("CLUSTER NODES", "FAILOVER", "PSYNC ? -1", "SLOWLOG GET", "CLIENT KILL 127.0.0.1:1"),
    ],
)
def test_a_dangerous_command_is_not_there(server, command):
    # Modules, DEBUG and clusters are switched off before anybody's rights are looked at.
    with pytest.raises(redis.ResponseError, match=r"has no permissions|command not allowed|support disabled"):
        server.client.execute_command(*command.split())


def test_what_queues_and_maps_need_is_there(server):
    client = server.client
    client.set("a", "b", ex=10)
    assert client.register_script("return redis.call('get', KEYS[1])")(keys=["a"]) == "b"
    with client.pipeline() as pipe:
        pipe.watch("a")
        pipe.multi()
        pipe.get("a")
        assert pipe.execute() == ["b"]
    assert client.xadd("stream", {"a": "b"})
    assert client.ping()


def test_it_listens_on_its_socket_alone(server):
    process = psutil.Process(server._process.pid)
    assert [one for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN] == []
    assert {one.laddr for one in process.net_connections("unix") if one.laddr} == {str(server.folder / "redis")}
    assert not (server.folder / "redis").stat().st_mode & 0o077


def test_a_server_is_found_that_is_mended_still():
    assert version_of(find_redis()) >= OLDEST


@pytest.mark.parametrize(("said", "taken"), [("Redis server v=6.2.5 sha=0:0", False), ("Valkey server v=8.0.1", True)])
def test_an_old_server_of_the_system_is_passed_over(tmp_path, monkeypatch, said, taken):
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho '{said}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    redis_server.find_redis.cache_clear()
    try:
        assert (find_redis() == str(program)) is taken
    finally:
        redis_server.find_redis.cache_clear()


def test_the_containers_start_puts_a_hash_of_the_password_in(tmp_path):
    conf = redis_server.CONFIGURATION.read_text(encoding="utf-8")
    start = (redis_server.CONFIGURATION.parent / "start").read_text(encoding="utf-8")
    # In this order: this checkout may lie below /tmp.
    script = start.replace("/tmp/", f"{tmp_path}/").replace(
        "/etc/sightline-redis.conf", str(redis_server.CONFIGURATION)
    )
    script = script.replace("exec redis-server", "env >/dev/null; echo")
    for password in ("", "se/cret & \\1 'word\""):
        done = subprocess.run(
            ["sh", "-c", script],
            env=os.environ | {"REDIS_PASSWORD": password},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == f"{tmp_path}/redis.conf --dir /var/lib/sightline/redis"
        written = Path(tmp_path, "redis.conf").read_text(encoding="utf-8")
        if not password:
            assert written == conf
            continue
        assert "se/cret" not in written
        assert " nopass " not in written
        assert len(written.splitlines()) == len(conf.splitlines())
    assert not Path(tmp_path, "redis.conf").stat().st_mode & 0o077
