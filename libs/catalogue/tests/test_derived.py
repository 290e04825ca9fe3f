"""What is derived of an image for filters: words, shape, pixels, year."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import grpc as api
from sightline_catalogue import Image
from sightline_catalogue.derived import DERIVED_FIELDS, SOURCES, VERSION, shape_of, write_derived
from sightline_catalogue.words import LONGEST, asked_words, indexed_words, stem_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("IMG_1234", "img 1234"),
        ("IMG1234", "img1234 img 1234"),
        ("20240501T120000", "20240501t120000 20240501 t 120000"),
        ("SteamEngine-old", "steamengine steam engine old"),
        ("XMLFile iPhone12", "xmlfile xml file iphone12 iphone i phone 12"),
        ("d41d8cd98f00b204", "d41d8cd98f00b204"),
        ("cat cat Cat", "cat"),
        ("\u00dcbung stra\u00dfe", "\u00fcbung strasse"),
        ("\u041c\u0438\u04402020", "\u043c\u0438\u04402020 \u043c\u0438\u0440 2020"),
        ("\u9ed2\u732b2", "\u9ed2 \u732b \u9ed2\u732b 2"),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 x", "\u0939\u093f\u0928\u094d\u0926\u0940 x"),
        ("\uff29\uff2d\uff27", "img"),
        ("-- .. __", ""),
    ],
)  # fmt: skip
def test_names_are_taken_apart_into_words(text, words):
    assert indexed_words([text]) == words
    assert indexed_words([unicodedata.normalize("NFD", text)]) == words


@given(st.lists(st.text(max_size=30), max_size=4))
def test_every_text_is_found_by_itself(texts):
    words = set(indexed_words(texts).split())
    for text in texts:
        forms = asked_words(text)
        assert all(set(form.split()) <= words for form in forms[:1])
        assert bool(forms) == bool(indexed_words([text]))


def test_a_word_is_asked_for_as_it_is_and_with_its_number_apart():
    assert asked_words("IMG1234 x") == ("img1234 x", "img 1234 x")
    assert asked_words("steam Engine") == ("steam engine",)
    assert asked_words("\u9ed2\u3044\u732b") == ("\u9ed2\u3044 \u3044\u732b",)
    assert asked_words("!") == ()


def test_long_texts_are_cut():
    many = [f"word{chr(97 + number % 26)}{number} " for number in range(5000)]
    assert len(indexed_words(many)) < 4 * LONGEST
    assert len(asked_words("a " * 100_000)[0]) == 1
    assert len(indexed_words(["a" * 10**6])) == LONGEST


def test_only_a_pictures_ending_is_no_word():
    assert [stem_of(name) for name in ("a.JPG", "st.john", "a.tar.png", ".png")] == ["a", "st.john", "a.tar", ".png"]


@pytest.mark.parametrize(
    ("width", "height", "shape"),
    [
        (400, 300, "landscape"),
        (300, 400, "portrait"),
        (105, 100, "square"),
        (100, 105, "square"),
        (106, 100, "landscape"),
        (199, 100, "landscape"),
        (200, 100, "panorama"),
        (100, 200, "panorama"),
        (0, 100, None),
        (None, None, None),
    ],
)
def test_shapes(width, height, shape):
    assert shape_of(width, height) == shape


def derived_of(**fields: object) -> dict[str, object]:
    point = api.PointStruct()
    write_derived(point.payload, Image(str(uuid.UUID(int=1)), "main", "Zoo 2019/pandas/IMG_1.jpg", **fields))
    return {name: value.string_value or value.integer_value for name, value in point.payload.items()}


def test_what_is_derived_of_an_image():
    folders = ["Zoo 2019", "Zoo 2019/pandas"]
    found = derived_of(
        folders=folders, title="At lunch", keywords=["bamboo"], camera="NIKON D70", width=40, height=30,
        taken_at=datetime(2019, 12, 31, 23), modified_at=datetime(2020, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    assert found == {
        "name": "img 1",
        "words": "img 1 zoo 2019 pandas at lunch bamboo",
        "camera_words": "nikon d70 d 70",
        "pixels": 1200,
        "shape": "landscape",
        "year": 2019,
        "derived": VERSION,
    }
    assert found.keys() <= set(DERIVED_FIELDS)
    assert set(DERIVED_FIELDS).isdisjoint(SOURCES)


def test_of_an_image_that_is_hardly_known_little_is_derived():
    assert derived_of() == {"name": "img 1", "words": "img 1", "derived": VERSION}
    assert derived_of(modified_at=datetime(2021, 1, 1, tzinfo=UTC))["year"] == 2021
