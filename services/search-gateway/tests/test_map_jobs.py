"""Maps while they wait and are computed: progress, cancelling, failures, with a real Redis."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

from map_making import ask, at_iterations, work, worker
from sightline_catalogue import CatalogueUnavailable
from sightline_search_gateway.maps.jobs import STREAM
from sightline_search_gateway.maps.worker import job
from sightline_search_gateway.maps.worker.runner import LOST


def test_cancelling_one_that_waits_and_forgetting_it(mapping, problem):
    address = ask(mapping).headers["Location"]
    assert mapping.client.delete(address).status_code == 204
    assert mapping.client.get(address).json["state"] == "cancelled"
    assert work(mapping) == []
    assert mapping.client.delete(address).status_code == 204
    problem(mapping.client.get(address), 404, "map-not-found")
    problem(mapping.client.delete(address), 404, "map-not-found")


def test_cancelling_one_that_is_computed(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    at_iterations(monkeypatch, lambda: mapping.client.delete(address))
    assert work(mapping) == ["cancelled"]
    state = mapping.client.get(address).json
    assert state["state"] == "cancelled"
    assert state["finished_at"] is not None


def test_progress_and_points_show_while_it_is_computed(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    seen = []
    at_iterations(monkeypatch, lambda: seen.append(mapping.client.get(address).json))
    work(mapping)
    [state] = seen
    assert state["state"] == "running"
    assert (state["progress"]["step"], state["progress"]["iteration"]) == ("optimizing", 90)
    assert state["progress"]["kl_divergence"] > 0
    assert len(state["points"]["x"]) == 45
    assert state["points"]["cluster"] == [-1] * 45


def test_a_worker_that_is_told_to_stop_gives_its_map_back(mapping):
    address = ask(mapping).headers["Location"]
    told = threading.Event()

    def start(run):
        told.set()
        return endless(run)

    assert worker(mapping, stopping=told, start=start).work_once() == "returned"
    assert mapping.client.get(address).json["state"] == "queued"
    assert mapping.maps.store.client.xlen(STREAM) == 1
    assert mapping.maps.store.all()[0].attempts == 0
    assert work(mapping) == ["done"]


def test_the_catalogue_away_is_waited_for_and_then_said(mapping, monkeypatch):
    monkeypatch.setattr(job, "CATALOGUE_WAIT_SECONDS", 0.2)
    address = ask(mapping).headers["Location"]
    mapping.catalogue.error = CatalogueUnavailable("away")
    assert work(mapping) == ["failed"]
    state = mapping.client.get(address).json
    assert (state["state"], state["reason"]) == ("failed", job.CATALOGUE_UNAVAILABLE)


def test_what_nobody_thought_of_is_a_failure_with_a_reason(mapping, monkeypatch):
    address = ask(mapping).headers["Location"]
    at_iterations(monkeypatch, lambda: 1 / 0)
    assert work(mapping) == ["failed"]
    assert mapping.client.get(address).json["reason"] == job.UNEXPECTED


def process(target) -> multiprocessing.Process:
    made = multiprocessing.get_context("fork").Process(target=target)
    made.start()
    return made


def killed(run) -> multiprocessing.Process:
    """Start a process that the kernel kills."""
    return process(lambda: os.kill(os.getpid(), signal.SIGKILL))


def endless(run) -> multiprocessing.Process:
    """Start a process that computes for ever."""
    return process(lambda: time.sleep(600))


def test_a_map_whose_process_is_killed_is_tried_once_more_and_then_has_failed(mapping):
    address = ask(mapping).headers["Location"]
    working = worker(mapping, start=killed)
    assert working.work_once() == "lost"
    assert mapping.client.get(address).json["state"] == "queued"
    assert [working.work_once(), working.work_once(), working.work_once()] == ["lost", "failed", None]
    state = mapping.client.get(address).json
    assert (state["state"], state["reason"]) == ("failed", LOST)
    assert ask(mapping).status_code == 202
    assert work(mapping) == ["done"]


def test_a_map_whose_process_is_killed_once_is_done(mapping):
    ask(mapping)
    assert worker(mapping, start=killed).work_once() == "lost"
    assert work(mapping) == ["done"]


def test_a_map_that_is_cancelled_does_not_wait_for_its_process(mapping):
    address = ask(mapping).headers["Location"]
    started = []

    def start(run):
        started.append(endless(run))
        mapping.client.delete(address)
        return started[0]

    assert worker(mapping, start=start).work_once() == "cancelled"
    assert started[0].exitcode == -signal.SIGKILL
    assert mapping.client.get(address).json["state"] == "cancelled"
    assert mapping.maps.store.client.xlen(STREAM) == 0
