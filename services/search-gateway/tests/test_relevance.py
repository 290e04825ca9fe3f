"""Whether a text was found."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sightline_catalogue import CatalogueUnavailable, Nearest, SearchParams
from sightline_search_gateway.search.cluster_names import normalised
from sightline_search_gateway.search.relevance import Calibrator, assess, calibrate, nothing_like
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from waiting import wait_for

DIMENSIONS = 48
SECONDS = 10


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def some(count, seed):
    return unit(np.random.default_rng(seed).standard_normal((count, DIMENSIONS)))


class Pictures:
    """A collection of vectors."""

    name = "images-test"

    def __init__(self, vectors):
        self.vectors = vectors
        self.error = None
        self.asked = 0

    def nearest(self, vector, params):
        similarities = self.vectors @ vector
        order = np.argsort(-similarities)[: params.limit]
        return Nearest([f"id-{place}" for place in order], similarities[order], self.vectors[order])

    def nearest_batch(self, vectors, params):
        self.asked += 1
        if self.error is not None:
            raise self.error
        assert params.with_vectors
        return [self.nearest(vector, params) for vector in vectors]


@pytest.fixture
def words():
    return VocabularyEmbeddings(tuple(f"word {number}" for number in range(600)), some(600, 1))


@pytest.fixture
def pictures():
    """Pictures of forty things, a dozen of each."""
    things = np.repeat(some(40, 2), 12, axis=0)
    return Pictures(unit(things + 0.1 * some(len(things), 3)))


def test_what_is_there_is_found_and_what_is_not_is_not(words, pictures):
    scale = calibrate(pictures, words)
    held = []
    for thing in some(40, 2):
        found = pictures.nearest(thing, SearchParams(limit=50))
        relevance = assess("a thing", found.similarities, found.vectors, words, scale)
        held.append(relevance.found)
        assert relevance.message is None
        assert relevance.relevant >= 12
        assert found.similarities[relevance.relevant - 1] >= relevance.threshold
    assert all(held)
    absent = [pictures.nearest(text, SearchParams(limit=50)) for text in some(200, 4)]
    verdicts = [assess("a squid", found.similarities, found.vectors, words, scale) for found in absent]
    lost = [verdict for verdict in verdicts if not verdict.found]
    assert len(lost) > 100
    assert {(verdict.relevant, verdict.message) for verdict in lost} == {(0, "Nothing here looks like a squid.")}


def test_without_vectors_the_verdict_is_much_the_same(words, pictures):
    scale = calibrate(pictures, words)
    for thing in some(40, 2):
        assert assess("a thing", pictures.nearest(thing, SearchParams(limit=50)).similarities, None, words, scale).found


def test_nothing_at_all_is_nothing_found(words, pictures):
    scale = calibrate(pictures, words)
    relevance = assess("a squid", np.empty(0, np.float32), None, words, scale)
    assert (relevance.found, relevance.message) == (False, "Nothing here looks like a squid.")


def test_an_empty_collection_teaches_nothing(words):
    assert calibrate(Pictures(np.empty((0, DIMENSIONS), np.float32)), words) is None


def test_a_scale_is_learnt_once_in_the_background(words, pictures):
    calibrator = Calibrator()
    assert calibrator.calibration(pictures, words) is None
    scale = wait_for(lambda: calibrator.calibration(pictures, words))
    asked = pictures.asked
    assert calibrator.calibration(pictures, words) is scale
    assert pictures.asked == asked


def test_a_catalogue_that_is_away_is_not_asked_at_every_search(words, pictures):
    pictures.error = CatalogueUnavailable("away")
    calibrator = Calibrator()
    calibrator.calibration(pictures, words)
    deadline = time.monotonic() + SECONDS
    while pictures.asked < 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    for _ in range(5):
        assert calibrator.calibration(pictures, words) is None
    assert pictures.asked == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a squid", "a squid"),
        ("  a   squid. ", "a squid"),
        ("a photo of a squid", "a squid"),
        ("my dog", "my dog"),
        ("squid", "“squid”"),
        ("x" * 200, f"“{'x' * 79}…”"),
    ],
)
def test_the_message_reads_as_the_query_does(text, shown):
    assert nothing_like(text) == f"Nothing here looks like {shown}."


def test_a_text_bare_of_its_article():
    assert normalised(" The  Fax-machine ") == "fax machine"


def test_only_a_text_has_a_relevance(world):
    by_text = world.client.get("/api/v1/search?q=a+cat").json
    assert by_text["relevance"]["found"] in (True, False)
    [image, *_] = world.collection.images
    assert world.client.get(f"/api/v1/images/{image}/similar").json["relevance"] is None


def test_a_search_says_what_it_did_not_find(world):
    """The words' vectors are there at once, the scale after a moment."""

    def threshold():
        return world.client.get("/api/v1/search?q=a+cat").json["relevance"]["threshold"]

    wait_for(threshold)
    verdicts = [world.client.get(f"/api/v1/search?q=a+thing+{number}").json["relevance"] for number in range(30)]
    assert {verdict["found"] for verdict in verdicts} == {True, False}
    for verdict in verdicts:
        assert (verdict["message"] is None) == verdict["found"]
        assert (verdict["relevant"] > 0) == verdict["found"]
    plain = world.client.get("/api/v1/search?q=a+thing+1&clusters=false").json["relevance"]
    assert plain["threshold"] is not None
    later = world.client.get("/api/v1/search?q=a+thing+1&offset=2").json["relevance"]
    assert (later["found"], later["threshold"]) == (True, None)
