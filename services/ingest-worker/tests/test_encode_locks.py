"""Equal bytes in two processes."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import redis
from sightline_ingest_worker.worker.encode_locks import EncodeLocks
from sightline_ingest_worker.worker.indexing import index_keys

ACQUIRE_AND_DIE = """
import os, sys, redis
from sightline_ingest_worker.worker.encode_locks import EncodeLocks
EncodeLocks(redis.Redis.from_url(sys.argv[1], decode_responses=True), "node").acquire(["a"])
os._exit(9)
"""


@pytest.fixture
def locks(redis_server):
    return EncodeLocks(redis_server.client, "node")


@pytest.fixture
def other(redis_server):
    """Of a process of another machine."""
    return EncodeLocks(redis_server.client, "another")


def test_one_process_holds_the_lock(locks, other):
    assert locks.acquire(["a", "b"]) == {"a", "b"}
    assert other.acquire(["b", "c"]) == {"c"}
    assert locks.acquire(["a"]) == {"a"}
    other.release(["a", "b"])
    assert other.acquire(["a", "b"]) == set()
    locks.release(["a"])
    assert other.acquire(["a", "b"]) == {"a"}


def test_a_lock_expires(locks, redis_server):
    locks.acquire(["a"])
    [key] = redis_server.keys("sightline:ingest:encoding:*")
    assert 0 < redis_server.client.ttl(key) <= 15


def test_a_dead_process_holds_no_lock(locks, redis_server):
    subprocess.run([sys.executable, "-c", ACQUIRE_AND_DIE, redis_server.url], check=False)
    assert redis_server.keys("*")
    assert locks.acquire(["a"]) == {"a"}


def test_without_redis_nothing_is_locked_by_others():
    locks = EncodeLocks(redis.Redis(port=1, retry=None), "node")
    assert locks.acquire(["a"]) == {"a"}
    locks.release(["a"])


def test_what_another_process_encodes_is_waited_for_and_copied(bench, locks, other, draw):
    bench.context.encode_locks = locks
    bench.bucket.put("a.png", draw(1))
    bench.bucket.put("b.png", draw(1))
    bench.bucket.put("c.png", draw(2))
    index_keys(bench.context, ["a.png"])
    [image] = bench.collection.images.values()
    vector = bench.collection.stored_vectors.pop(image.id)
    other.acquire([image.sha256])
    outcomes = []
    waits = threading.Event()
    bench.context.pause = lambda seconds: waits.set()
    thread = threading.Thread(target=lambda: outcomes.append(index_keys(bench.context, ["b.png", "c.png"])))
    thread.start()
    assert waits.wait(10)
    assert bench.states.get("b.png") is None
    assert bench.states["c.png"] == "indexed"
    bench.collection.stored_vectors[image.id] = vector
    other.release([image.sha256])
    thread.join(10)
    assert outcomes[0] == {"indexed": 1, "copied": 1}
    assert sum(bench.encoder.batches) == 2


def test_nothing_stays_locked(bench, locks, draw, redis_server):
    bench.context.encode_locks = locks
    for number in range(6):
        bench.bucket.put(f"{number}.png", draw(number % 4))
    index_keys(bench.context, list(bench.bucket.files))
    bench.bucket.put("bad.png", b"bad")
    index_keys(bench.context, ["bad.png"])
    assert redis_server.keys("*") == []
