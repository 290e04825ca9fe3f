from __future__ import annotations

import pytest
import redis
from redis_process import RedisProcess
from sightline_service.service_starts import STARTS_HASH, noted_start, restarting_services


@pytest.fixture(scope="module")
def client():
    server = RedisProcess()
    yield server.client
    server.close()


@pytest.fixture
def start(client):
    """Start a service at some second, which ends at once: killed, or in order."""
    client.delete(STARTS_HASH)

    def start(second: float, service: str = "watcher", instance: str = "a", *, killed: bool = True) -> None:
        try:
            with noted_start(client, service, instance, lambda: second):
                if killed:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass

    return start


def restarts_at(client: redis.Redis, second: float) -> dict[str, int]:
    return {found.service: found.restarts for found in restarting_services(client, lambda: second)}


def test_two_restarts_in_a_minute_are_told_until_the_service_has_settled(client, start):
    start(1000)
    assert restarts_at(client, 1001) == {}
    start(1010)
    assert restarts_at(client, 1011) == {}
    start(1020)
    assert restarts_at(client, 1021) == {"watcher": 2}
    [found] = restarting_services(client, lambda: 1021)
    assert found.message == "watcher (a) was restarted 2 times in 6 minutes; its log says why"
    assert restarts_at(client, 1020 + 350) == {"watcher": 2}
    assert restarts_at(client, 1020 + 370) == {}


def test_a_service_whose_pauses_grow_is_told_all_the_time(client, start):
    second = 1000.0
    for pause in (1, 2, 4, 8, 16, 32, 60, 120, 300, 300):
        start(second)
        second += pause
        if pause > 2:
            assert "watcher" in restarts_at(client, second - 1)


def test_a_restart_now_and_then_is_none_to_tell_of(client, start):
    for second in range(1000, 2000, 61):
        start(second)
        assert restarts_at(client, second + 1) == {}


def test_a_service_that_was_stopped_starts_afresh(client, start):
    for second in range(1000, 1050, 10):
        start(second, killed=False)
        assert restarts_at(client, second + 1) == {}


def test_several_of_a_service_that_start_at_once_do_not_restart(client, start):
    for instance in "abcde":
        start(1000, "ingest-worker", instance)
    assert restarts_at(client, 1001) == {}


def test_what_is_old_or_not_of_this_kind_is_passed_over(client, start):
    client.hset(STARTS_HASH, "encoder x", "not JSON")
    for second in (1000, 1001, 1002):
        start(second, instance="old")
    start(1000 + 100_000, instance="new")
    assert restarts_at(client, 101_001) == {}
    assert set(client.hkeys(STARTS_HASH)) == {"encoder x", "watcher new"}


def test_a_service_starts_though_redis_does_not_answer():
    nobody = redis.Redis(port=9, retry=None)
    with noted_start(nobody, "watcher"):
        pass
