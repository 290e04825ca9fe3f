"""A server that is killed and restarted."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pytest
from sightline_catalogue import Catalogue, CatalogueSettings, CatalogueUnavailable, SearchParams


@pytest.fixture
def stored(own_server, namespace, make_image, random_vectors):
    """A catalogue on a server of its own, and twenty images in it."""
    catalogue = Catalogue(CatalogueSettings(url=own_server.url, timeout_seconds=10), "main")
    collection = catalogue.ensure_collection(namespace.model())
    catalogue.activate(collection)
    images = [make_image(f"{number}.jpg") for number in range(20)]
    vectors = random_vectors(20)
    collection.upsert(images, vectors)
    yield catalogue, images, vectors
    catalogue.close()


def test_stored_images_survive_a_killed_server(own_server, stored):
    catalogue, images, vectors = stored
    own_server.kill()
    own_server.start()
    collection = catalogue.current()
    assert collection.get([image.id for image in images]) == images
    assert np.stack(collection.vectors([image.id for image in images])) == pytest.approx(vectors, abs=1e-6)


def test_an_error_names_a_server_that_does_not_answer(own_server, stored, random_vectors):
    catalogue, images, vectors = stored
    collection = catalogue.current()
    own_server.kill()
    impatient = Catalogue(CatalogueSettings(url=own_server.url, timeout_seconds=0.5), "main")
    for call in (impatient.current, impatient.ping, catalogue.ping):
        with pytest.raises(CatalogueUnavailable, match=r"http://127.0.0.1:\d+ \(QDRANT_URL\)"):
            call()
    own_server.start()
    deadline = time.monotonic() + 20
    while True:
        try:
            assert [image.key for image in collection.nearest(vectors[0], SearchParams(limit=1)).images] == [
                images[0].key
            ]
            return
        except CatalogueUnavailable:
            assert time.monotonic() < deadline


def _count(catalogue, queue):
    queue.put(catalogue.current().counts().indexed)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_catalogue_made_before_a_fork_works_after_it(
    namespace, catalogue, server_collection, make_image, random_vectors
):
    server_collection.upsert([make_image("a.jpg")], random_vectors(1))
    catalogue.activate(server_collection)
    unused = namespace.catalogue()
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    child = fork.Process(target=_count, args=(unused, queue))
    child.start()
    try:
        assert queue.get(timeout=30) == 1
    finally:
        child.kill()
        child.join()
    assert unused.current().counts().indexed == 1
