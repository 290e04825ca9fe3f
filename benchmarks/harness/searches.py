"""Searches over HTTP by several clients at once, timed by step."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import results
from benchmarks.harness.timing import percentile

LIMIT = 50
QUERIES = 1000
STEPS = ("total", "encode", "search", "rest")


class SearchFailed(Exception):
    """A search was not answered as it should be."""


@dataclass
class Run:
    """Searches by some clients at once.

    Attributes:
        milliseconds: (searches, 4): total, encode, search, rest.
        seconds: From the first request to the last answer.
    """

    milliseconds: NDArray[np.float64]
    seconds: float

    def percentile(self, step: str, percent: float) -> float:
        """Return a percentile of a step, in milliseconds."""
        return percentile(self.milliseconds[:, STEPS.index(step)], percent)

    @property
    def rate(self) -> float:
        """Searches a second."""
        return len(self.milliseconds) / self.seconds

    def figures(self, end: str = "") -> dict[str, float]:
        """Return p50 and p99 of each step by name."""
        return {f"{step}_p{percent}_ms{end}": self.percentile(step, percent) for step in STEPS for percent in (50, 99)}


def ask(connection: http.client.HTTPConnection, text: str, *, clusters: bool = False) -> tuple[float, bytes]:
    """Search once; return the milliseconds it took and the answer."""
    query = urlencode({"q": text, "limit": LIMIT, "clusters": str(clusters).lower()})
    began = time.perf_counter()
    connection.request("GET", f"/api/v1/search?{query}", headers={"Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    milliseconds = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise SearchFailed(f"{text!r}: {answer.status} {body[:300].decode(errors='replace')}")
    return milliseconds, body


def search(port: int, texts: list[str], clients: int, *, clusters: bool = False) -> Run:
    """Search for all texts at a gateway, shared out among clients that each keep one connection."""
    answers: list[tuple[float, bytes]] = []
    failures: list[Exception] = []
    start = threading.Barrier(clients + 1)

    def client(mine: list[str]) -> None:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                connection.connect()
                start.wait()
                for text in mine:
                    answers.append(ask(connection, text, clusters=clusters))
        except Exception as error:
            failures.append(error)
            start.abort()

    threads = [threading.Thread(target=client, args=(texts[number::clients],)) for number in range(clients)]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):
        start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failures:
        raise SearchFailed(str(failures[0]))
    return Run(np.array([_split(milliseconds, body) for milliseconds, body in answers]), seconds)


def _split(total: float, body: bytes) -> tuple[float, float, float, float]:
    answer = json.loads(body)
    if not answer["results"]:
        raise SearchFailed("a search found nothing: the catalogue is empty")
    encode, database = answer["timings"]["encode_ms"], answer["timings"]["search_ms"]
    return total, encode, database, total - encode - database


def show(target: str, title: str, runs: Mapping[str, Run]) -> None:
    """Print the runs by name, and draw their steps."""
    headers = ["milliseconds", "searches/s", *(f"{step} p{percent}" for step in STEPS for percent in (50, 99))]
    results.show(headers, [[name, run.rate, *run.figures().values()] for name, run in runs.items()])
    steps = {step: {name: run.percentile(step, 50) for name, run in runs.items()} for step in STEPS[1:]}
    results.draw_bars(target, title, steps, x="milliseconds at p50", stacked=True)
