"""The Redis client does not retry where Redis does not answer."""

from __future__ import annotations

import socket
import threading

import pytest
import redis
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
