"""Whoever finds no room tells it, and Redis' own full disk is found out."""

from __future__ import annotations

import pytest
import redis
from redis_process import RedisProcess
from sightline_service.full_disks import FULL_DISK_KEY, FULL_DISK_SECONDS, full_disks, note_full_disk

MISCONF = redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")


@pytest.fixture(scope="module")
def client():
    server = RedisProcess()
    yield server.client
    server.close()


def test_what_is_told_counts_for_a_while(client):
    assert full_disks(client) == {}
    note_full_disk(client, "database", "the disk of the database is full:\n3 MB are free")
    assert full_disks(client) == {"database": "the disk of the database is full: 3 MB are free"}
    assert 0 < client.ttl(f"{FULL_DISK_KEY}:database") <= FULL_DISK_SECONDS


class RefusingRedis:
    """A Redis whose disk is full: it answers what is read, or nothing where the connection is checked first."""

    def __init__(self, *, checks: bool) -> None:
        self.checks = checks

    def pipeline(self, **_: object) -> RefusingRedis:
        return self

    def mget(self, *_: object) -> None:
        pass

    def set(self, *_: object, **__: object) -> None:
        pass

    def execute(self, **_: object) -> list[object]:
        if self.checks:
            raise MISCONF
        return [["the disk of the database is full", None], MISCONF]


def test_that_the_disk_of_redis_is_full_is_found_by_writing_to_it():
    said = full_disks(RefusingRedis(checks=False))
    assert said["database"] == "the disk of the database is full"
    assert said["queue"].startswith("the disk of the queue (Redis) is full")
    assert list(full_disks(RefusingRedis(checks=True))) == ["queue"]
