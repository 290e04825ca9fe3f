"""A key that may only read: what the gateway and the map worker do with it, and how a write is refused.

On qdrant-edge; or on the server that QDRANT_URL names, where QDRANT_API_KEY and QDRANT_READ_ONLY_API_KEY are its keys.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass

import pytest
from sightline_catalogue import (
    Catalogue,
    CatalogueError,
    CatalogueReadOnly,
    CatalogueSettings,
    Collection,
    Filter,
    ModelRef,
    SearchParams,
)

DIMENSIONS = 16
NAMES = ("QDRANT_URL", "QDRANT_API_KEY", "QDRANT_READ_ONLY_API_KEY")


@dataclass
class Keyed:
    """A server with two keys, and a model whose collection the test fills."""

    url: str
    key: str
    read_only_key: str
    model: ModelRef

    def catalogue(self, key: str) -> Catalogue:
        return Catalogue(CatalogueSettings(url=self.url, api_key=key), "main", alias=f"{self.model.id}-alias")


@pytest.fixture
def keyed(request):
    """A server with two keys."""
    model = ModelRef(f"t{secrets.token_hex(4)}", secrets.token_hex(32), DIMENSIONS)
    if "QDRANT_URL" in os.environ:
        if not all(os.environ.get(name) for name in NAMES):
            pytest.skip(f"needs all of {', '.join(NAMES)}")
        found = Keyed(*(os.environ[name] for name in NAMES), model)
    else:
        server = request.getfixturevalue("own_keyed_server")
        found = Keyed(server.url, "secret", "look", model)
    yield found
    writer = found.catalogue(found.key)
    for collection in writer.collections():
        if collection.model == model:
            writer.delete_collection(collection, force=True)
    writer.close()


@pytest.fixture
def filled(keyed, make_image, random_vectors) -> Collection:
    """The collection, with two indexed images and a failed one, as a reader has it."""
    writer = keyed.catalogue(keyed.key)
    collection = writer.ensure_collection(keyed.model)
    collection.upsert([make_image("a/1.jpg", sha256="1" * 64), make_image("a/2.jpg")], random_vectors(2))
    collection.upsert([make_image("bad.jpg", state="failed", reason="not an image")], None)
    writer.activate(collection)
    writer.close()
    return keyed.catalogue(keyed.read_only_key).current()


def test_all_that_the_gateway_and_the_map_worker_read_they_read_with_it(keyed, filled, random_vectors):
    reader = keyed.catalogue(keyed.read_only_key)
    reader.ping()
    assert [one.name for one in reader.collections() if one.model == keyed.model] == [filled.name]
    [one, other] = filled.browse(Filter(states=("indexed",)), 10).images
    params = SearchParams(limit=2, with_vectors=True)
    assert len(filled.nearest(random_vectors(1)[0], params).images) == 2
    assert len(filled.nearest_batch(random_vectors(2), params)) == 2
    assert [found.id for found in filled.similar(one.id, params).images] == [other.id]
    assert [found.key for found in filled.get([one.id]) if found] == [one.key]
    assert [len(vector) for vector in filled.vectors([one.id]) if vector is not None] == [DIMENSIONS]
    assert [one.label for batch in filled.scan_labels() for one in batch] == ["a", "a"]
    assert len(list(filled.scan_states())) == 3
    assert (filled.count(), filled.counts().failed) == (2, 1)
    assert filled.labels() == filled.folders() == {"a": 2}
    assert filled.formats() == {"JPEG": 2}
    assert list(filled.by_sha256(["1" * 64])) == ["1" * 64]


def test_every_write_with_it_is_refused_in_words(keyed, filled, make_image):
    reader = keyed.catalogue(keyed.read_only_key)
    [image] = filled.browse(Filter(states=("failed",)), 1).images
    for write in (
        lambda: filled.upsert([make_image("b.jpg", state="pending")], None),
        lambda: filled.set_state([image.id], "pending"),
        lambda: filled.delete([image.id]),
        lambda: reader.ensure_collection(ModelRef(f"{keyed.model.id}x", "f" * 64, DIMENSIONS)),
        lambda: reader.delete_collection(filled, force=True),
    ):
        with pytest.raises(CatalogueReadOnly, match="allows no write with this QDRANT_API_KEY"):
            write()
    assert filled.counts().failed == 1


def test_a_key_that_is_none_is_refused_in_words(keyed, filled):
    with pytest.raises(CatalogueError, match="refuses QDRANT_API_KEY"):
        keyed.catalogue("guess").current()
