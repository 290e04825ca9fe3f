"""Two servers of a kind, one of which is stopped in the middle of searches, as a machine whose disk hangs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sightline.encoder.client import EncoderClient
from sightline_catalogue import Catalogue, CatalogueSettings, SearchParams
from waiting import wait_for

SEARCHERS = 4
CALLS = 15
ENCODER = """
import sys
from fakes.encoder_server import TinyModel, serve
with serve(TinyModel()) as running:
    print("serving", running.address, flush=True)
    sys.stdin.read()
"""


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process for a while; it neither ends nor answers."""
    os.kill(pid, signal.SIGSTOP)
    os.waitpid(pid, os.WUNTRACED)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Callers:
    """Threads that make a call again and again; what a call raises fails the test."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.done = 0
        self.failures: list[BaseException] = []
        self._call = call
        self._ends = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(SEARCHERS)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def more(self) -> None:
        """Wait until the callers have made more calls."""
        target = self.done + CALLS
        wait_for(lambda: self.done >= target or self.failures, "more calls")
        assert not self.failures

    def _run(self) -> None:
        while not self._ends.is_set():
            try:
                self._call()
            except BaseException as error:
                self.failures.append(error)
                return
            self.done += 1


def test_no_search_fails_while_one_of_two_databases_hangs(two_servers, namespace, make_image, random_vectors):
    model, images, vectors = (
        namespace.model(),
        [make_image(f"{number}.jpg") for number in range(20)],
        random_vectors(20),
    )
    for node in two_servers:
        one = Catalogue(CatalogueSettings(url=node.url), "main")
        collection = one.ensure_collection(model)
        collection.upsert(images, vectors)
        one.activate(collection)
        one.close()
    both = Catalogue(
        CatalogueSettings(url=",".join(node.url for node in two_servers), attempt_seconds=0.3, timeout_seconds=60),
        "main",
    )

    def search() -> None:
        found = both.current().nearest(vectors[3], SearchParams(limit=5))
        assert found.images[0].key == "3.jpg"

    with Callers(search) as callers:
        callers.more()
        for node in two_servers:
            with stopped(node.pid):
                callers.more()
            callers.more()
    assert not callers.failures
    both.close()


@pytest.fixture
def encoders() -> Iterator[list[tuple[str, int]]]:
    """The addresses and process ids of two encoders."""
    paths = os.pathsep.join(path for path in sys.path if path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ENCODER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": paths},
        )
        for _ in range(2)
    ]
    # Logs come on the same stream.
    yield [
        (next(line.split()[1] for line in process.stdout if line.startswith("serving ")), process.pid)
        for process in processes
    ]
    for process in processes:
        process.kill()
        process.communicate()


def test_no_query_fails_while_one_of_two_encoders_hangs(encoders):
    with EncoderClient([address for address, _ in encoders], timeout_seconds=60, attempt_seconds=0.3) as client:

        def encode() -> None:
            assert client.encode_texts(["a cat"]).vectors().shape == (1, 3)

        with Callers(encode) as callers:
            callers.more()
            for _, pid in encoders:
                with stopped(pid):
                    callers.more()
                callers.more()
        assert not callers.failures
