"""A real Redis for tests, started as `make demo` starts its own: on a Unix socket, and without dangerous commands."""

from __future__ import annotations

import subprocess

import redis
from sightline_local.private_folders import make_socket_folder
from sightline_local.redis_server import redis_command
from waiting import wait_for


class RedisProcess:
    """A Redis of one's own, which can be killed and come back empty."""

    def __init__(self) -> None:
        self.folder = make_socket_folder(self)
        self.url = f"unix://{self.folder}/redis?db=0"
        self.client = redis.Redis.from_url(self.url, decode_responses=True, socket_timeout=5, retry=None)
        self.start()

    def start(self) -> None:
        command = [*redis_command(self.folder / "redis", self.folder), "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_for(self._answers)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "Redis has ended"
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def keys(self, pattern: str = "*") -> list[str]:
        return list(self.client.scan_iter(pattern))

    def clear(self) -> None:
        for key in self.keys():
            self.client.delete(key)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.client.close()
        self.kill()
