from __future__ import annotations

import threading

from qdrant_client import grpc as grpc_api
from sightline_qdrant_edge.write_journal import WriteJournal
from sightline_qdrant_edge.write_throttle import WriteThrottle


def deletion(number):
    request = grpc_api.DeletePoints(collection_name="a")
    request.points.points.ids.add(num=number)
    return request


def test_writes_are_read_in_order_and_once(tmp_path):
    journal = WriteJournal(tmp_path / "journal")
    journal.append(deletion(1), failed=False)
    journal.append(grpc_api.SetPayloadPoints(collection_name="a"), failed=True)
    found = list(journal.unreplayed())
    assert found == [(deletion(1), False), (grpc_api.SetPayloadPoints(collection_name="a"), True)]
    assert list(journal.unreplayed()) == []
    journal.append(deletion(2), failed=False)
    assert [request for request, _ in journal.unreplayed()] == [deletion(2)]
    assert (journal.written, journal.replayed) == (3, 3)
    journal.close()
    assert not (tmp_path / "journal").exists()


def test_a_replay_catches_up_with_any_number_of_writers(tmp_path):
    """However many writers push without pause, what is left to replay shrinks to nothing."""
    journal, throttle, stop = WriteJournal(tmp_path / "journal"), WriteThrottle(), threading.Event()
    lock = threading.Lock()
    for number in range(500):
        journal.append(deletion(number), failed=False)

    def write():
        while not stop.is_set():
            throttle.wait()
            with lock:
                journal.append(deletion(0), failed=False)

    throttle.start()
    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    rounds = []
    while not rounds or (rounds[-1] > 12 and len(rounds) < 100):
        rounds.append(0)
        for _ in journal.unreplayed():
            rounds[-1] += 1
            throttle.count_replayed()
    stop.set()
    throttle.stop()
    for writer in writers:
        writer.join()
    journal.close()
    assert rounds[-1] <= 12, rounds


def test_a_throttle_that_is_stopped_lets_every_write_through():
    throttle = WriteThrottle()
    throttle.wait()
    throttle.start()
    waiting = threading.Thread(target=throttle.wait)
    waiting.start()
    throttle.stop()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
