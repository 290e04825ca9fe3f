"""That a service keeps restarting is known of those too that know no Redis."""

from __future__ import annotations

import os
import sys

import pytest
from redis_process import RedisProcess
from sightline_local.stack import Service
from sightline_local.supervisor import Supervisor
from sightline_service.service_starts import STARTS_HASH, restarting_services
from waiting import wait_for


@pytest.fixture
def redis_server():
    server = RedisProcess()
    yield server
    server.close()


def test_a_service_that_keeps_ending_is_told_of_and_one_that_is_stopped_is_not(redis_server, tmp_path):
    environment = {"PATH": os.environ["PATH"], "REDIS_URL": redis_server.url}
    stays = [sys.executable, "-c", "import time; time.sleep(600)"]
    ends = [sys.executable, "-c", "pass"]
    services = [Service("encoder", ends, environment), Service("qdrant-edge", stays, environment)]
    with Supervisor(services, tmp_path):
        wait_for(lambda: restarting_services(redis_server.client), "restarts")
        [found] = restarting_services(redis_server.client)
        assert found.service == "encoder"
        wait_for(lambda: "qdrant-edge this machine" in redis_server.client.hkeys(STARTS_HASH), "its start")
    assert "qdrant-edge this machine" not in redis_server.client.hkeys(STARTS_HASH)
