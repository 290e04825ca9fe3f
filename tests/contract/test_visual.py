"""Visual vectors: pictures are compared with pictures by them, texts never."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeCollection
from sightline_catalogue import Filter, ModelRef, Reordering, SearchParams

COUNT = 40


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


@pytest.fixture(params=["server", "fake"])
def seeing(request):
    """An empty collection of a model that has visual vectors: on the server, and the fake."""
    if request.param == "fake":
        return FakeCollection(ModelRef("seeing", "5" * 64, dimensions=16, visual_dimensions=6))
    catalogue, namespace = request.getfixturevalue("catalogue"), request.getfixturevalue("namespace")
    return catalogue.ensure_collection(namespace.model(visual_dimensions=6))


@pytest.fixture
def stored(seeing, make_image):
    """Store pictures whose two vectors have nothing to do with each other; return these."""
    random = np.random.default_rng(4)
    vectors, visual = unit(random.standard_normal((COUNT, 16))), unit(random.standard_normal((COUNT, 6)))
    images = [make_image(f"{number}.jpg", sha256=f"{number:064x}") for number in range(COUNT)]
    seeing.upsert(images, np.hstack([3 * vectors, 5 * visual]))
    return images, vectors, visual


def ranked(vectors, vector):
    return np.argsort(-(vectors @ vector), kind="stable").tolist()


def places(found):
    return [int(image.key.removesuffix(".jpg")) for image in found.images]


def test_a_search_compares_the_vectors_that_it_names(seeing, stored):
    _, vectors, visual = stored
    by_text = seeing.nearest(vectors[3], SearchParams(limit=10, with_vectors=True))
    by_picture = seeing.nearest(visual[3], SearchParams(limit=10, with_vectors=True, visual=True))
    assert places(by_text) == ranked(vectors, vectors[3])[:10]
    assert places(by_picture) == ranked(visual, visual[3])[:10] != places(by_text)
    assert by_picture.similarities == pytest.approx(visual[places(by_picture)] @ visual[3], abs=1e-5)
    for found in (by_text, by_picture):
        assert found.vectors == pytest.approx(vectors[places(found)], abs=1e-6)
        assert found.visual == pytest.approx(visual[places(found)], abs=1e-6)
    [batched] = seeing.nearest_batch([visual[5]], SearchParams(limit=3, visual=True))
    assert places(batched) == ranked(visual, visual[5])[:3]


def test_more_like_an_image_is_what_looks_like_it(seeing, stored):
    images, _, visual = stored
    found = seeing.similar(images[7].id, SearchParams(limit=10))
    assert places(found) == ranked(visual, visual[7])[1:11]
    deep = seeing.similar(images[7].id, SearchParams(limit=20, offset=15))
    assert places(deep) == ranked(visual, visual[7])[16:36]


def test_both_are_read_back(seeing, stored):
    images, vectors, visual = stored
    ids = [images[2].id, "00000000-0000-0000-0000-000000000000", images[5].id]
    first, absent, last = seeing.vectors(ids)
    assert absent is None
    assert np.stack([first, last]) == pytest.approx(vectors[[2, 5]], abs=1e-6)
    first, _, last = seeing.vectors(ids, visual=True)
    assert np.stack([first, last]) == pytest.approx(visual[[2, 5]], abs=1e-6)
    row = np.concatenate([vectors[5], visual[5]])
    assert seeing.rows(ids)[2] == pytest.approx(row, abs=1e-6)
    image, known = seeing.by_sha256([f"{5:064x}"])[f"{5:064x}"]
    assert image.key == "5.jpg"
    assert known == pytest.approx(row, abs=1e-6)


def test_a_row_without_its_visual_vector_is_refused(seeing, make_image):
    with pytest.raises(ValueError, match="22"):
        seeing.upsert([make_image("one.jpg")], np.ones((1, 16), np.float32))


def test_a_model_without_visual_vectors_compares_its_own(collection, make_image):
    vectors = unit(np.random.default_rng(5).standard_normal((5, 16)))
    images = [make_image(f"{number}.jpg") for number in range(5)]
    collection.upsert(images, vectors)
    found = collection.nearest(vectors[0], SearchParams(limit=5, with_vectors=True, visual=True))
    assert places(found) == ranked(vectors, vectors[0])
    assert found.visual == pytest.approx(found.vectors)
    assert places(collection.similar(images[0].id, SearchParams(limit=4))) == ranked(vectors, vectors[0])[1:]
    assert collection.vectors([images[0].id], visual=True)[0] == pytest.approx(vectors[0], abs=1e-6)


DEPTH = 12


def by_looks(similarities, vectors, visual):
    """Put what was found in the order of how much it looks like the first."""
    assert len(similarities) == len(vectors) == len(visual) <= DEPTH
    assert (np.diff(similarities) <= 1e-6).all()
    return np.argsort(-(visual @ visual[0]), kind="stable")


def reordered(vectors, visual, vector):
    nearest = ranked(vectors, vector)
    head = nearest[:DEPTH]
    return [head[place] for place in ranked(visual[head], visual[head[0]])] + nearest[DEPTH:]


def test_the_first_results_are_put_in_another_order_on_every_page(seeing, stored):
    _, vectors, visual = stored
    expected = reordered(vectors, visual, vectors[3])
    assert expected != ranked(vectors, vectors[3])
    reordering = Reordering(DEPTH, by_looks)
    for offset, limit in ((0, COUNT), (0, 5), (5, 5), (10, 5), (20, 10), (COUNT, 5)):
        params = SearchParams(limit=limit, offset=offset, with_vectors=True, reordering=reordering)
        found = seeing.nearest(vectors[3], params)
        assert places(found) == expected[offset : offset + limit]
        assert found.similarities == pytest.approx(vectors[places(found)] @ vectors[3], abs=1e-5)
        assert found.visual == pytest.approx(visual[places(found)], abs=1e-6)
    [batched] = seeing.nearest_batch([vectors[3]], SearchParams(limit=5, reordering=reordering))
    assert places(batched) == expected[:5]


def test_copies_have_no_part_in_an_order(seeing, stored, make_image):
    _, vectors, visual = stored
    # Of the third nearest.
    copied = ranked(vectors, vectors[3])[2]
    copies = [make_image(f"copy-{number}.jpg", sha256=f"{copied:064x}") for number in range(4)]
    row = np.concatenate([vectors[copied], visual[copied]])
    seeing.upsert(copies, [row] * 4)
    params = SearchParams(limit=5, distinct=True, reordering=Reordering(DEPTH, by_looks))
    shown = [int(image.sha256, 16) for image in seeing.nearest(vectors[3], params).images]
    head = ranked(vectors, vectors[3])[: DEPTH - 4]
    assert shown == [head[place] for place in ranked(visual[head], visual[head[0]])][:5]
    found = seeing.nearest(vectors[3], replace(params, limit=COUNT))
    assert len(found.images) == COUNT
    assert {int(image.sha256, 16): count for image, count in zip(found.images, found.copies, strict=True)} == {
        number: 4 * (number == copied) for number in range(COUNT)
    }


def test_where_nothing_is_found_nothing_is_reordered(seeing, stored):
    _, vectors, _ = stored
    params = SearchParams(limit=5, filter=Filter(labels=("none",)), reordering=Reordering(DEPTH, by_looks))
    assert seeing.nearest(vectors[3], params).images == []


def test_where_very_many_are_equally_near_some_of_them_are_seen(seeing, make_image):
    vector = np.eye(seeing.model.dimensions, dtype=np.float32)[0]
    row = np.concatenate([vector, np.eye(seeing.model.visual_dimensions, dtype=np.float32)[0]])
    images = [make_image(f"same-{number}.jpg", sha256=f"{number:064x}") for number in range(DEPTH + 5)]
    seeing.upsert(images, [row] * len(images))
    seen = []

    def note(similarities, vectors, visual):
        seen.append(len(similarities))
        return np.arange(len(similarities))

    found = seeing.nearest(vector, SearchParams(limit=5, distinct=True, reordering=Reordering(DEPTH, note)))
    assert len(found.images) == 5
    assert seen[-1] > 0
