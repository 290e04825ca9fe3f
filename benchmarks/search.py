"""Time of searches over HTTP, by step, at one and at eight clients: `make bench-search IMAGES=FOLDER`.

`GET /search`, and `POST /search` with what more can be said, by one client: a second text, what is not wanted, marked
results, diversity. What is said more is the same every time, so that its vectors are cached; the text never is.

The whole time is the client's; the encoder's, the database's and that of what is found by name are what the answer
says; the rest is HTTP, JSON, Python. No text is searched for twice, so that the cache of queries never helps.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import pictures, results
from benchmarks.harness.results import Failed
from benchmarks.harness.system import system
from benchmarks.harness.timing import percentile

LIMIT, QUERIES, WARM_UP = 50, 1000, 30
START_SECONDS = 30.0
STEPS = ("total", "encode", "search", "named", "rest")


Query = Mapping[str, Any]
"""A composed query, as JSON has it."""


@dataclass
class Run:
    """Searches by some clients at once: (searches, 5) milliseconds by step, and the seconds that all took."""

    milliseconds: NDArray[np.float64]
    seconds: float

    @property
    def rate(self) -> float:
        """Searches a second."""
        return len(self.milliseconds) / self.seconds

    def figures(self, end: str = "") -> dict[str, float]:
        """Return p50 and p99 of each step by name."""
        columns = dict(zip(STEPS, self.milliseconds.T, strict=True))
        return {f"{step}_p{cut}_ms{end}": percentile(columns[step], cut) for step in STEPS for cut in (50, 99)}


def ask(
    connection: http.client.HTTPConnection, text: str, *, clusters: bool = False, more: Query | None = None
) -> tuple[float, bytes]:
    """Search once; return the milliseconds it took and the answer. What `more` is asked for is in a composed query."""
    if more is None:
        query = urlencode({"q": text, "limit": LIMIT, "clusters": str(clusters).lower()})
        method, path, body = "GET", f"/api/v1/search?{query}", None
    else:
        composed = {**more, "parts": [{"text": text}, *more.get("parts", ())], "limit": LIMIT, "clusters": clusters}
        method, path, body = "POST", "/api/v1/search", json.dumps(composed)
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    began = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.read()
    milliseconds = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise Failed(f"{text!r}: {answer.status} {found[:300].decode(errors='replace')}")
    return milliseconds, found


def search(port: int, texts: list[str], clients: int, *, clusters: bool = False, more: Query | None = None) -> Run:
    """Search for all texts at a gateway, shared out among clients that each keep one connection."""
    began: list[float] = []
    start = Barrier(clients, action=lambda: began.append(time.perf_counter()))

    def client(mine: list[str]) -> list[tuple[float, bytes]]:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.connect()
            start.wait(START_SECONDS)
            return [ask(connection, text, clusters=clusters, more=more) for text in mine]

    with ThreadPoolExecutor(clients) as pool:
        parts = list(pool.map(client, [texts[number::clients] for number in range(clients)]))
        seconds = time.perf_counter() - began[0]
    return Run(np.array([_split(*answer) for part in parts for answer in part]), seconds)


def _split(total: float, body: bytes) -> tuple[float, ...]:
    answer = json.loads(body)
    if not answer["results"]:
        raise Failed("a search found nothing: the catalogue is empty")
    steps = [answer["timings"][f"{step}_ms"] for step in STEPS[1:-1]]
    return total, *steps, total - sum(steps)


def composed_queries(port: int) -> dict[str, Query]:
    """Return what is said beside a text, by name."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        right, wrong = (hit["id"] for hit in json.loads(ask(connection, "an animal")[1])["results"][:2])
    return {
        "composed": {"parts": [{"text": "in the snow", "weight": 0.5}]},
        "not": {"parts": [{"text": "an elephant", "not": True}]},
        "marked": {"liked": [right], "disliked": [wrong]},
        "diverse": {"diversity": 0.3},
    }


def show(target: str, title: str, runs: Mapping[str, Run]) -> None:
    """Print the runs by name, and draw their steps."""
    headers = ["milliseconds", "searches/s", *(f"{step} p{cut}" for step in STEPS for cut in (50, 99))]
    results.show(headers, [[name, run.rate, *run.figures().values()] for name, run in runs.items()])
    steps = {step: {name: run.figures()[f"{step}_p50_ms"] for name, run in runs.items()} for step in STEPS[1:]}
    results.draw_bars(target, title, steps, x="milliseconds at p50", stacked=True)


def main() -> None:
    """Index, search, print, draw and write."""
    found = pictures.find(results.options("bench-search", __doc__).images)
    with system(found.folder) as running:
        state = running.wait()
        results.say(f"{state.indexed:,} pictures indexed, {state.failed} failed")
        port = running.stack.ports.gateway
        search(port, pictures.texts("warm {}", count=WARM_UP), 1)
        one = search(port, pictures.texts("a photo of a {}", count=QUERIES), 1)
        eight = search(port, pictures.texts("a drawing of a {}", count=QUERIES), 8)
        composed = {
            name: search(port, pictures.texts(f"{name} {{}}", count=QUERIES // 2), 1, more=more)
            for name, more in composed_queries(port).items()
        }
    title = "Searches over HTTP, cache of queries cold"
    show("bench-search", title, {"1 client": one, "8 clients": eight} | composed)
    figures = one.figures() | {"queries_per_second_8": eight.rate, "queries_per_second_1": one.rate}
    for name, run in composed.items():
        figures |= run.figures(f"_{name}")
    settings = {"images": str(found.folder), "indexed": state.indexed, "queries": QUERIES, "limit": LIMIT}
    results.write("bench-search", settings=settings, figures=figures | eight.figures("_8"))


if __name__ == "__main__":
    main()
