from __future__ import annotations

import threading

from qdrant_client import grpc as grpc_api
from sightline_qdrant_edge.journal import Journal, Turnstile


def deletion(number):
    request = grpc_api.DeletePoints(collection_name="a")
    request.points.points.ids.add(num=number)
    return request


def test_writes_are_read_in_order_and_once(tmp_path):
    journal = Journal(tmp_path / "journal")
    journal.append("Delete", deletion(1), failed=False)
    journal.append("SetPayload", grpc_api.SetPayloadPoints(collection_name="a"), failed=True)
    found = list(journal.rest())
    assert [(kind, failed) for kind, _, failed in found] == [("Delete", False), ("SetPayload", True)]
    assert found[0][1] == deletion(1)
    assert list(journal.rest()) == []
    journal.append("Delete", deletion(2), failed=False)
    assert [request for _, request, _ in journal.rest()] == [deletion(2)]
    assert (journal.written, journal.replayed) == (3, 3)
    journal.close()
    assert not (tmp_path / "journal").exists()


def test_a_replay_catches_up_with_any_number_of_writers(tmp_path):
    """However many writers push without pause, what is left to replay shrinks to nothing."""
    journal, turnstile, stop = Journal(tmp_path / "journal"), Turnstile(), threading.Event()
    lock = threading.Lock()
    for number in range(500):
        journal.append("Delete", deletion(number), failed=False)

    def write():
        while not stop.is_set():
            turnstile.enter()
            with lock:
                journal.append("Delete", deletion(0), failed=False)

    turnstile.narrow()
    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    rounds = []
    while not rounds or (rounds[-1] > 12 and len(rounds) < 100):
        rounds.append(0)
        for _ in journal.rest():
            rounds[-1] += 1
            turnstile.advance()
    stop.set()
    turnstile.widen()
    for writer in writers:
        writer.join()
    journal.close()
    assert rounds[-1] <= 12, rounds


def test_an_open_turnstile_lets_everyone_through():
    turnstile = Turnstile()
    turnstile.enter()
    turnstile.narrow()
    waiting = threading.Thread(target=turnstile.enter)
    waiting.start()
    turnstile.widen()
    waiting.join(timeout=10)
    assert not waiting.is_alive()
