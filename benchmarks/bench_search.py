"""Time of `GET /search` over HTTP, by step, at one and at eight clients: `make bench-search IMAGES=FOLDER`.

The real services are started here on free ports and index the pictures first. Then 1,000 distinct texts are searched
for, none twice, so that the cache of queries never helps: by one client, then 1,000 others by eight clients at once.
The whole time is the client's, from before the request is sent until the answer is read; the encoder's and the
database's are what the answer says; the rest is what is left: HTTP, JSON, Python. Clusters are left out: what they
take, `make naming` says.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from sightline_encoder.models.embedded import class_texts
from sightline_local.readiness import NotReady

from benchmarks import collection, report
from benchmarks.system import system

QUERIES = 1000
WARM_UP = 30
LIMIT = 50
WAIT_SECONDS = 3600.0
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

    clients: int
    milliseconds: np.ndarray[Any, np.dtype[np.float64]]
    seconds: float

    def percentile(self, step: str, percent: float) -> float:
        """Return a percentile of a step, in milliseconds."""
        return float(np.percentile(self.milliseconds[:, STEPS.index(step)], percent))

    @property
    def rate(self) -> float:
        """Searches a second."""
        return len(self.milliseconds) / self.seconds


def queries(form: str, count: int = QUERIES) -> list[str]:
    """Return distinct texts: the names of ImageNet's classes in a form such as `a photo of a {}`."""
    names = dict.fromkeys(name for _, names, _ in class_texts() for name in names.split(", "))
    texts = [form.format(name) for name in names][:count]
    if len(texts) < count:
        raise ValueError(f"only {len(texts)} distinct names")
    return texts


def ask(connection: http.client.HTTPConnection, text: str, *, clusters: bool = False) -> tuple[float, bytes]:
    """Search once; return the milliseconds it took and the answer.

    Raises:
        SearchFailed: The answer is an error.
    """
    began = time.perf_counter()
    address = f"/api/v1/search?q={quote(text)}&limit={LIMIT}&clusters={str(clusters).lower()}"
    connection.request("GET", address, headers={"Accept": "application/json"})
    answer = connection.getresponse()
    body = answer.read()
    milliseconds = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise SearchFailed(f"{text!r}: {answer.status} {body[:300].decode(errors='replace')}")
    return milliseconds, body


def search(port: int, texts: list[str], clients: int, *, clusters: bool = False) -> Run:
    """Search for all texts at a gateway, shared out among clients that each keep one connection.

    Raises:
        SearchFailed: One of them failed.
    """
    answers: list[tuple[float, bytes]] = []
    failures: list[Exception] = []
    start = threading.Barrier(clients + 1)

    def client(mine: list[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
            start.wait()
            for text in mine:
                answers.append(ask(connection, text, clusters=clusters))
        except Exception as error:
            failures.append(error)
            start.abort()
        finally:
            connection.close()

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
    return Run(clients, np.array([_split(milliseconds, body) for milliseconds, body in answers]), seconds)


def _split(total: float, body: bytes) -> tuple[float, float, float, float]:
    answer = json.loads(body)
    if not answer["results"]:
        raise SearchFailed("a search found nothing: the catalogue is empty")
    timings = answer["timings"]
    encode, database = timings["encode_ms"], timings["search_ms"]
    return total, encode, database, total - encode - database


def show(runs: list[Run]) -> None:
    """Print the table and draw it."""
    headers = ["clients", "searches/s", *(f"{step} p{percent}" for step in STEPS for percent in (50, 99))]
    rows = [
        [run.clients, run.rate, *(run.percentile(step, percent) for step in STEPS for percent in (50, 99))]
        for run in runs
    ]
    print("milliseconds")
    print(report.table(headers, rows), end="\n\n")
    with report.picture("bench-search", "GET /search over HTTP, cache of queries cold", width=7, height=3) as axes:
        for place, run in enumerate(runs):
            left = 0.0
            for number, step in enumerate(STEPS[1:]):
                width = run.percentile(step, 50)
                label = f"{step}, p50" if place == 0 else None
                axes.barh(place, width, 0.5, left=left, color=report.COLORS[number], label=label)
                left += width
            whole, slow = run.percentile("total", 50), run.percentile("total", 99)
            axes.plot([whole, slow], [place, place], color=report.INK, linewidth=1, marker="|", markersize=9)
            axes.annotate(
                f"p99 {slow:.1f} ms", (slow, place), (0, 7), textcoords="offset points", ha="right", fontsize=8
            )
        names = [f"{run.clients} client{'s' if run.clients > 1 else ''}" for run in runs]
        axes.set_yticks(range(len(runs)), names)
        axes.invert_yaxis()
        axes.set_xlim(0, 1.15 * max(run.percentile("total", 99) for run in runs))
        axes.set_xlabel("milliseconds", fontsize=8)
        axes.grid(axis="x", color=report.GRID, linewidth=0.5)


def main() -> None:
    """Index, search, print, draw and write."""
    parser = argparse.ArgumentParser(prog="make bench-search", description=__doc__)
    parser.add_argument("--images", help="a folder of pictures (default: the sample pictures)")
    options = parser.parse_args()
    report.warn_if_busy()
    pictures = collection.find(options.images)
    with tempfile.TemporaryDirectory(prefix="sightline-bench-") as folder:
        try:
            with system(pictures.folder, Path(folder) / "state") as running:
                state = running.wait(lambda s: s.finished, WAIT_SECONDS)
                print(f"{state.indexed:,} pictures indexed, {state.failed} failed", file=sys.stderr)
                port = running.stack.ports.gateway
                search(port, queries("warm {}", WARM_UP), 1)
                one = search(port, queries("a photo of a {}"), 1)
                eight = search(port, queries("a drawing of a {}"), 8)
        except (NotReady, SearchFailed) as error:
            sys.exit(str(error))
    show([one, eight])
    figures = {
        "total_p50_ms": one.percentile("total", 50),
        "total_p99_ms": one.percentile("total", 99),
        "encode_p50_ms": one.percentile("encode", 50),
        "search_p50_ms": one.percentile("search", 50),
        "rest_p50_ms": one.percentile("rest", 50),
        "queries_per_second_8": eight.rate,
        "queries_per_second_1": one.rate,
    } | {f"{step}_p{percent}_ms_8": eight.percentile(step, percent) for step in STEPS for percent in (50, 99)}
    settings = {
        "images": str(pictures.folder),
        "indexed": state.indexed,
        "queries": QUERIES,
        "limit": LIMIT,
        "clusters": False,
        "query_cache": "cold",
    }
    report.write("bench-search", settings=settings, figures=figures)


if __name__ == "__main__":
    main()
