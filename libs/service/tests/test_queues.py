"""The Redis client does not retry where Redis does not answer."""

from __future__ import annotations

import socket
import threading

import pytest
import redis
from pydantic import ValidationError
from sightline_service.queues import QueueSettings, redis_client


class Door:
    """Listens, and shuts every connection at once, as a Redis does that is just going."""

    def __init__(self):
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            connection, _ = self._socket.accept()
            with connection:
                # Counted before it is shut, so that who sees it shut sees it counted.
                if connection.recv(4) == b"stop":
                    return
                self.connections += 1

    def close(self):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"stop")
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def door():
    door = Door()
    yield door
    door.close()


def pipeline(client):
    pipe = client.pipeline()
    pipe.llen("a")
    pipe.llen("b")
    pipe.execute()


def script(client):
    client.register_script("return 1")(keys=["a"])


@pytest.mark.parametrize(
    "call",
    [lambda client: client.ping(), lambda client: client.brpop(["a"], timeout=0.5), pipeline, script],
    ids=["command", "waiting", "pipeline", "script"],
)
def test_a_connection_that_redis_closes_is_not_retried(door, call):
    with (
        redis_client(QueueSettings(redis_url=f"redis://127.0.0.1:{door.port}/0")) as client,
        pytest.raises(redis.ConnectionError),
    ):
        call(client)
    assert door.connections == 1


def test_where_no_redis_listens_that_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        with (
            redis_client(QueueSettings(redis_url=url)) as client,
            pytest.raises(redis.ConnectionError, match="refused"),
        ):
            client.ping()


@pytest.mark.parametrize(
    ("url", "password", "broker"),
    [
        ("redis://redis:6379/0", None, "redis://redis:6379/0"),
        ("redis://redis:6379/0", "a/b@c d%", "redis://:a%2Fb%40c%20d%25@redis:6379/0"),
        ("rediss://me@redis:6379/2", "hush", "rediss://me:hush@redis:6379/2"),
        ("redis://:own@redis:6379/0", "other", "redis://:own@redis:6379/0"),
        ("unix:///run/a/redis?db=3", None, "redis+socket:///run/a/redis?virtual_host=3"),
        ("unix:///run/a/redis", "hush", "redis+socket://:hush@/run/a/redis?virtual_host=0"),
    ],
)
def test_one_address_and_password_are_for_celery_and_for_redis_py(url, password, broker):
    settings = QueueSettings(redis_url=url, redis_password=password)
    assert settings.broker_url == broker
    with redis_client(settings) as client:
        connection = client.connection_pool.connection_kwargs
    assert connection.get("password") == ("own" if "own" in url else password)
    assert connection.get("path") == ("/run/a/redis" if "unix" in url else None)
    assert not password or password not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        *("redis:6379", "http://redis:6379", "unix://", "redis+socket:///run/redis", "redis://", "redis://redis:0"),
        # A password that ends a part of the URL.
        *("redis://:a/b@redis:6379/0", "redis://:a#b@redis:6379/0", "redis://:1?2@redis:6379/0", "redis://:1/2@redis"),
    ],
)
def test_a_wrong_address_is_refused(url):
    with pytest.raises(ValidationError, match="unix:///PATH"):
        QueueSettings(redis_url=url)
