"""How likely results are what was asked for, and whether it was found."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sightline_catalogue import CatalogueUnavailable, Image, Nearest, SearchParams
from sightline_search_gateway.search.calibration import USUAL, Calibrator, calibrate
from sightline_search_gateway.search.cluster_names import normalised
from sightline_search_gateway.search.judging import FirstLook
from sightline_search_gateway.search.relevance import POSSIBLE, named, relevance_of
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings
from waiting import wait_for

DIMENSIONS = 48
SECONDS = 10


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def some(count, seed):
    return unit(np.random.default_rng(seed).standard_normal((count, DIMENSIONS)))


def images(places, folders=2):
    return [
        Image(id=f"id-{place}", bucket="main", key=f"{place}.jpg", label=f"folder {place % folders}")
        for place in places
    ]


class Pictures:
    """A collection of vectors."""

    name = "images-test"

    def __init__(self, vectors):
        self.vectors = vectors
        self.folders = 2
        self.error = None
        self.asked = 0

    def nearest(self, vector, params):
        similarities = self.vectors @ vector
        order = np.argsort(-similarities)
        if params.distinct:
            _, places = np.unique(self.vectors[order], axis=0, return_index=True)
            order = order[np.sort(places)]
        order = order[: params.limit]
        return Nearest(images(order, self.folders), similarities[order], self.vectors[order], self.vectors[order])

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


def judged(pictures, text, words, scale, limit=50):
    """What a search for a text says of its results: the probabilities of the first, and the relevance."""
    look = FirstLook(text=text)
    similarities = pictures.vectors @ text
    order = np.argsort(-similarities)[: look.reordering().depth]
    look.reordering().order(similarities[order], pictures.vectors[order], pictures.vectors[order])
    page = pictures.nearest(text, SearchParams(limit=limit))
    first, shown = look.probabilities(words, scale, page, 0)
    assert shown.tolist() == first[:limit].tolist()
    return first, relevance_of("a squid", first, shown, page.similarities)


def test_what_is_there_is_likely_and_what_is_not_is_weak(words, pictures):
    scale = calibrate(pictures, words)
    for thing in some(40, 2):
        first, relevance = judged(pictures, thing, words, scale)
        assert (relevance.found, relevance.message) == (True, None)
        assert 10 <= relevance.likely == relevance.relevant <= 14
        assert relevance.judged == len(first) == 50
        assert (np.diff(first) <= 0).all()
        similarities = np.sort(pictures.vectors @ thing)[::-1]
        assert relevance.threshold == pytest.approx(similarities[relevance.likely - 1], abs=1e-4)
    said = [judged(pictures, text, words, scale)[1] for text in some(100, 4)]
    lost = [relevance for relevance in said if not relevance.likely]
    assert len(lost) > 40
    assert {(one.relevant, one.threshold) for one in lost} == {(0, None)}
    assert {one.message for one in lost} == {
        "Nothing here looks like a squid.",
        "Perhaps nothing here looks like a squid.",
    }


def test_a_result_is_judged_alike_on_every_page(words, pictures):
    scale = calibrate(pictures, words)
    text = some(40, 2)[0]
    look = FirstLook(text=text)
    similarities = np.sort(pictures.vectors @ text)[::-1]
    order = np.argsort(-(pictures.vectors @ text))
    vectors = pictures.vectors[order]
    look.reordering().order(similarities[:50], vectors[:50], vectors[:50])
    pages = []
    for offset in range(0, 150, 30):
        rows = slice(offset, offset + 30)
        page = Nearest(images(order[rows]), similarities[rows], vectors[rows], vectors[rows])
        first, shown = look.probabilities(words, scale, page, offset)
        assert len(first) == 50
        assert len(shown) == 30
        pages.append(shown)
    whole = np.concatenate(pages)
    assert whole[:50].tolist() == first.tolist()
    assert whole[50:].max() <= first[-1]


def test_pictures_of_the_same_are_likely_and_others_are_not(words, pictures):
    scale = calibrate(pictures, words)
    held, strange = pictures.vectors[7], some(1, 9)[0]
    for picture, is_there in ((held, True), (strange, False)):
        look = FirstLook()
        similarities = pictures.vectors @ picture
        order = np.argsort(-similarities)[: look.reordering().depth]
        look.reordering().order(similarities[order], pictures.vectors[order], pictures.vectors[order])
        first, shown = look.probabilities(words, scale, pictures.nearest(picture, SearchParams(limit=50)), 0)
        relevance = relevance_of("this picture", first, shown, similarities[order[:50]])
        assert relevance.likely in (range(10, 15) if is_there else (0,))
        assert (relevance.message is None) == is_there


def test_copies_do_not_count_as_agreement(words, pictures):
    text = some(40, 2)[0]
    scale = calibrate(pictures, words)
    expected, _ = judged(pictures, text, words, scale)
    copied = Pictures(np.repeat(pictures.vectors, 4, axis=0))
    assert calibrate(copied, words).agreement == pytest.approx(scale.agreement, abs=0.02)
    first, _ = judged(copied, text, words, scale)
    assert first[0] == pytest.approx(expected[0], abs=0.02)


def test_a_few_pictures_say_little_of_what_is_to_come(words, pictures):
    whole = calibrate(pictures, words)
    for count in (1, 5):
        few = calibrate(Pictures(pictures.vectors[:count]), words)
        assert few.pictures == count
        assert abs(few.chance - USUAL.chance) < 0.1
        assert abs(few.agreement - USUAL.agreement) < 0.1
    assert whole.pictures > 64


def test_where_nothing_is_certain_that_is_said():
    doubtful = np.array([0.4, 0.2, 0.1])
    relevance = relevance_of("a squid", doubtful, doubtful, np.array([0.3, 0.2, 0.1], np.float32))
    assert (relevance.found, relevance.likely, relevance.threshold) == (True, 0, None)
    assert relevance.message == "Perhaps nothing here looks like a squid."


def test_nothing_at_all_is_nothing_found(words, pictures):
    nothing = Nearest([], np.empty(0, np.float32))
    first, shown = FirstLook(text=some(1, 1)[0]).probabilities(words, calibrate(pictures, words), nothing, 0)
    relevance = relevance_of("a squid", first, shown, nothing.similarities)
    assert (relevance.found, relevance.likely, relevance.message) == (False, 0, "Nothing here looks like a squid.")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_pictures_are_judged_too(words, pictures, count):
    few = Pictures(pictures.vectors[:count])
    first, relevance = judged(few, some(40, 2)[0], words, calibrate(few, words))
    assert len(first) == relevance.judged == count
    assert np.isfinite(first).all()


def test_an_empty_collection_teaches_nothing(words):
    assert calibrate(Pictures(np.empty((0, DIMENSIONS), np.float32)), words) is None


def test_a_scale_is_learnt_once_in_the_background(words, pictures):
    calibrator = Calibrator()
    assert calibrator.calibration(pictures, words) is None
    scale = wait_for(lambda: calibrator.calibration(pictures, words))
    asked = pictures.asked
    assert calibrator.calibration(pictures, words) is scale
    assert pictures.asked == asked


@pytest.mark.parametrize(("folders", "common"), [(1, {"folder 0"}), (2, set())])
def test_a_folder_that_most_pictures_lie_in_tells_nothing(words, pictures, folders, common):
    pictures.folders = folders
    assert calibrate(pictures, words).common_labels == common


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
    assert named(text) == shown


def test_a_text_bare_of_its_article():
    assert normalised(" The  Fax-machine ") == "fax machine"


def answers(world, path):
    """An answer once the collection is calibrated: the words' vectors are there at once, the scale after a moment."""

    def answer():
        found = world.client.get(path).json
        return found if found["relevance"] and found["relevance"]["likely"] is not None else None

    return wait_for(answer)


def test_a_search_says_of_each_result_how_likely_it_is(world):
    found = answers(world, "/api/v1/search?q=a+cat")
    results, relevance = found["results"], found["relevance"]
    probabilities = [one["probability"] for one in results]
    assert probabilities == sorted(probabilities, reverse=True)
    assert [one["relevance"] for one in results] == ["likely" if one >= 0.5 else "weak" for one in probabilities]
    assert relevance["relevant"] == relevance["likely"] == sum(one >= 0.5 for one in probabilities)
    assert relevance["judged"] == len(results)
    assert relevance["found"] == (probabilities[0] >= POSSIBLE)
    assert (relevance["message"] is None) == (probabilities[0] >= 0.5)
    plain = world.client.get("/api/v1/search?q=a+cat&clusters=false").json
    assert plain["relevance"] == relevance
    later = world.client.get("/api/v1/search?q=a+cat&offset=2").json
    assert later["relevance"] | {"relevant": 0, "threshold": None} == relevance | {"relevant": 0, "threshold": None}
    assert [one["probability"] for one in later["results"]] == probabilities[2:]


def test_pictures_are_judged_too(world):
    [image, *_] = world.collection.images
    found = answers(world, f"/api/v1/images/{image}/similar")
    assert found["relevance"]["judged"] == len(found["results"])
    assert all(0 <= one["probability"] <= 1 for one in found["results"])
    if not found["relevance"]["found"]:
        assert found["relevance"]["message"] == "Nothing here looks like this picture."


def test_a_query_of_several_kinds_is_not_judged(world):
    [image, *_] = world.collection.images
    answers(world, "/api/v1/search?q=a+cat")
    asked = {"q": "a cat", "id": image}
    found = world.client.post("/api/v1/search", data=asked, content_type="multipart/form-data").json
    assert {one["probability"] for one in found["results"]} == {one["relevance"] for one in found["results"]} == {None}
    expected = {"found": True, "threshold": None, "likely": None, "judged": 0, "message": None}
    assert found["relevance"] == expected | {"relevant": len(found["results"])}


def test_likely_results_can_be_had_by_date(world):
    found = answers(world, "/api/v1/search?q=a+cat&limit=200")
    likely = [one for one in found["results"] if one["relevance"] == "likely"]
    newest = world.client.get("/api/v1/search?q=a+cat&sort=date").json

    def date(one):
        return one["taken_at"] or one["modified_at"].removesuffix("Z")

    assert {one["id"] for one in newest["results"]} == {one["id"] for one in likely}
    assert [date(one) for one in newest["results"]] == sorted(map(date, likely), reverse=True)
    assert newest["relevance"]["likely"] == len(likely)
    page = world.client.get("/api/v1/search?q=a+cat&sort=date&limit=2&offset=1").json
    assert [one["id"] for one in page["results"]] == [one["id"] for one in newest["results"]][1:3]
    [image, *_] = world.collection.images
    asked = {"q": "a cat", "id": image, "sort": "date"}
    refused = world.client.post("/api/v1/search", data=asked, content_type="multipart/form-data")
    assert (refused.status_code, refused.json["detail"]) == (
        422,
        "Only what a text or a picture finds can be sorted by date.",
    )
