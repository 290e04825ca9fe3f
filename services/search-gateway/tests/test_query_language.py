"""What a text of the search box is taken for."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightline_catalogue import Box, Circle
from sightline_search_gateway.search.query_fields import FIELDS, OTHER_NAMES
from sightline_search_gateway.search.query_language import (
    MOST_EXCLUDED,
    MOST_FILTERS,
    ParsedQuery,
    QueryError,
    Term,
    parse_query,
    plain_query,
)


def said(text: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the words of a text, and those that are left out."""
    parsed = parse_query(text)
    assert parsed.parameters == {}
    return parsed.text, parsed.excluded_texts


@pytest.mark.parametrize(
    "text",
    [
        "a cat on a chair",
        "t-shirt, black-and-white",
        "rock 'n' roll (live) AND OR NOT",
        "ratio 16:9 at 12:30",
        "Re: holiday",
        "Label: none",
        "http://example.org/a.jpg",
        "file:///home",
        "c:/pictures d:",
        "std::vector foo:) :smile:",
        "标题:内容",
        "a  cat",
        "1990\u20132000",
        'a 5" screen',
        "*?[]{}\\^$.|+~",
        "cat.png",
        "Ünïcödé 東京 🐈",
        "--force",
    ],
)
def test_words_stay_as_they_are(text):
    assert parse_query(f" {text} ") == ParsedQuery(text)


@pytest.mark.parametrize(
    ("text", "words", "excluded"),
    [
        ("fruit -orange", "fruit", ("orange",)),
        ("-orange fruit -apple", "fruit", ("orange", "apple")),
        ("fruit -orange -orange", "fruit", ("orange",)),
        ('train -"steam engine"', "train", ("steam engine",)),
        ('red "steam engine" old', "red steam engine old", ()),
        ("fruit \u2212orange \u2013apple \u2010pear", "fruit", ("orange", "apple", "pear")),
        ("fruit —orange", "fruit —orange", ()),
        ("black -and-white", "black", ("and-white",)),
        ("a - b", "a b", ()),
        ("a -- b — c", "a b c", ()),
        ("a- b", "a- b", ()),
        ("-", None, ()),
        ("- - \u2013", None, ()),
        ('"-orange"', "-orange", ()),
        ('"folder:2019" cat', "folder:2019 cat", ()),
        ('-"folder:2019" cat', "cat", ("folder:2019",)),
        ('"colour:red"', "colour:red", ()),
        ("“steam engine” -„Dampf Lok“ -«à vapeur»", "steam engine", ("Dampf Lok", "à vapeur")),
        ("»steam engine«", "steam engine", ()),
        ('“a "quoted" word”', 'a "quoted" word', ()),
        ('cat "steam engine -old', "cat steam engine -old", ()),
        ('cat -"old', "cat", ("old",)),
        ('cat "', "cat", ()),
        ('cat "" -"" -" "', "cat", ()),
        ('""', None, ()),
        ('"a"b', "a b", ()),
        ("cat -5", "cat", ("5",)),
        ("a\u00a0-b", "a", ("b",)),
    ],
)
def test_words_and_what_is_left_out(text, words, excluded):
    assert said(text) == (words, excluded)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("folder:2019", {"folder": ["2019"]}),
        ('folder:"my holidays"', {"folder": ["my holidays"]}),
        ("folder:“my holidays”", {"folder": ["my holidays"]}),
        ('folder:"my holidays', {"folder": ["my holidays"]}),
        ("folder:a/b folder:c", {"folder": ["a/b", "c"]}),
        ("-folder:x", {"not_folder": ["x"]}),
        ('\u2212folder:"x y" folder:z', {"not_folder": ["x y"], "folder": ["z"]}),
        ("Folder:2019", {"folder": ["2019"]}),
        ("folder:a:b", {"folder": ["a:b"]}),
        ("folder:-x", {"folder": ["-x"]}),
        ("label:cats", {"label": ["cats"]}),
        ("label:♥ label:C++", {"label": ["♥", "C++"]}),
        ("name:IMG_12", {"name": ["IMG_12"]}),
        ("words:holiday -words:draft", {"words": ["holiday"], "not_words": ["draft"]}),
        ("camera:nikon lens:50mm", {"camera": ["nikon"], "lens": ["50mm"]}),
        ("type:jpg type:TIF -type:.heif", {"format": ["JPEG", "TIFF"], "not_format": ["HEIC"]}),
        ('type:raw type:"JPEG 2000"', {"format": ["camera raw", "JPEG 2000"]}),
        ("shape:Portrait", {"shape": ["portrait"]}),
        ("after:2020", {"after": datetime(2020, 1, 1)}),
        ("after:2020-05", {"after": datetime(2020, 5, 1)}),
        ("after:2020-5-9", {"after": datetime(2020, 5, 9)}),
        ("before:2021", {"before": datetime(2021, 1, 1)}),
        ("date:2020", {"after": datetime(2020, 1, 1), "before": datetime(2021, 1, 1)}),
        ("date:2020-12", {"after": datetime(2020, 12, 1), "before": datetime(2021, 1, 1)}),
        ("date:2024-02-29", {"after": datetime(2024, 2, 29), "before": datetime(2024, 3, 1)}),
        ("date:9999-12-31", {"after": datetime(9999, 12, 31)}),
        ("date:2020 after:2020-06", {"after": datetime(2020, 6, 1), "before": datetime(2021, 1, 1)}),
        ("after:2019 after:2020", {"after": datetime(2020, 1, 1)}),
        ("before:2019 before:2020", {"before": datetime(2019, 1, 1)}),
        ("added:2024-01", {"added_after": datetime(2024, 1, 1, tzinfo=UTC)}),
        ("size:>2mp", {"min_pixels": 2_000_001}),
        ("size:>=2,5MP", {"min_pixels": 2_500_000}),
        ("size:4.35mp", {"min_pixels": 4_350_000}),
        ("size:<500kb", {"max_bytes": 499_999}),
        ("size:<=1gb size:>1b", {"max_bytes": 10**9, "min_bytes": 2}),
        ("size:<0b", {"max_bytes": 0}),
        ("size:>999999999999gb", {"min_bytes": 2**53 - 1}),
        ('size:"> 300 px"', {"min_pixels": 301}),
        ("rating:4", {"rating": 4}),
        ("rating:>=3 rating:>3", {"rating": 4}),
        ("near:52.5,13.4,10km", {"near": Circle(52.5, 13.4, 10)}),
        ('near:"-33.9, -151, 0.5"', {"near": Circle(-33.9, -151, 0.5)}),
        ("box:55,5.9,47.3,15", {"box": Box(47.3, 5.9, 55, 15)}),
        ("box:-20,170,10,-170", {"box": Box(-20, 170, 10, -170)}),
    ],
)
def test_filters(text, parameters):
    parsed = parse_query(f"cat hat {text}")
    assert parsed.text == "cat hat"
    assert parsed.excluded_texts == ()
    assert parsed.parameters == parameters
    assert parse_query(text).text is None


def test_filters_are_told_as_they_were_written():
    parsed = parse_query('cat -folder:"my holidays" Size:>2mp')
    assert parsed.terms == (Term("folder", "my holidays", excluded=True), Term("size", ">2mp"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "after:yesterday",
            "`after:` takes a year, a month or a day, such as 2020, 2020-05 or 2020-05-31, not “yesterday”.",
        ),
        ("before:2020-13", "not “2020-13”"),
        ("date:2023-02-29", "not “2023-02-29”"),
        ("after:0000", "not “0000”"),
        ("after:2020-00", "not “2020-00”"),
        ("after:\uff12\uff10\uff12\uff10", "such as 2020"),
        ("after:2020T12", "such as 2020"),
        ("added:now", "such as 2020"),
        ("after:2021 before:2020", "No time is both from 2021-01-01 on and before 2020-01-01."),
        ("date:2019 date:2020", "`date:` is given twice; it takes one value."),
        ("near:1,1,1 near:2,2,2", "`near:` is given twice"),
        ("type:movie", "`type:` takes a format: JPEG, PNG"),
        ("type:jpg,png", "not “jpg,png”"),
        ("shape:round", "`shape:` takes landscape, portrait, square or panorama, not “round”."),
        ("rating:6", "from 1 to 5"),
        ("rating:<3", "such as 4 or >=4"),
        ("rating:>5", "from 1 to 5"),
        ("size:big", "such as >2mp or <500kb"),
        ("size:2", "such as >2mp"),
        ("size:1920x1080", "such as >2mp"),
        ("near:berlin", "such as 52.5,13.4,10km"),
        ("near:52.5,13.4", "such as 52.5,13.4,10km"),
        ("near:91,0,1", "such as 52.5,13.4,10km"),
        ("near:0,0,0", "such as 52.5,13.4,10km"),
        ("near:nan,inf,1", "such as 52.5,13.4,10km"),
        ("box:1,2,3", "such as 47.3,5.9,55.1,15.0"),
        ('label:""', "such as cats, right behind the colon"),
        ("name:!!", "a letter or a digit"),
        (
            "folder:",
            "`folder:` takes the path of a folder in the collection, such as holidays/2019, right behind the colon.",
        ),
        ("folder: 2019", "right behind the colon"),
        ('folder:""', "right behind the colon"),
        ("folder:///", "not “///”"),
        ("-folder:/", "not “/”"),
        ("-after:2020", "`after:` takes no minus; these do: `folder:`, `label:`"),
        ("-near:1,1,1", "takes no minus"),
        ("filename:x", "There is no field `filename:`; did you mean `name:`? In quotes it is searched for as words."),
        ("Filename:x", "did you mean `name:`?"),
        ("-tags:x", "did you mean `words:`?"),
        ("foldr:x", "did you mean `folder:`?"),
        ("colour:red", "There is no field `colour:`; there are `folder:`, `label:`, `name:`"),
        ('date-taken:"2020"', "There is no field `date-taken:`"),
        ("größe:>5", "There is no field `größe:`"),
    ],
)
def test_what_is_wrong_is_explained_with_an_example(text, told):
    with pytest.raises(QueryError) as caught:
        parse_query(f"cat {text}")
    assert len(caught.value.problems) == 1
    assert told in caught.value.problems[0]


def test_all_that_is_wrong_is_told_once():
    with pytest.raises(QueryError) as caught:
        parse_query("after:yesterday size:big after:yesterday colour:red")
    assert [problem.split("`")[1] for problem in caught.value.problems] == ["after:", "size:", "colour:"]


def test_a_message_repeats_no_long_value():
    with pytest.raises(QueryError) as caught:
        parse_query(f"after:{'9' * 400}")
    assert len(str(caught.value)) < 200


def test_there_is_a_limit_to_what_is_left_out_and_to_filters():
    excluded = " ".join(f"-w{number}" for number in range(MOST_EXCLUDED))
    assert len(parse_query(f"cat {excluded}").excluded_texts) == MOST_EXCLUDED
    with pytest.raises(QueryError, match="9 texts are to be left out; at most 8"):
        parse_query(f"cat {excluded} -more")
    filters = " ".join(f"label:w{number}" for number in range(MOST_FILTERS))
    assert len(parse_query(filters).terms) == MOST_FILTERS
    with pytest.raises(QueryError, match="21 filters; at most 20"):
        parse_query(f"{filters} label:more")


def test_what_is_called_otherwise_elsewhere_leads_to_a_field():
    assert set(OTHER_NAMES.values()) <= set(FIELDS)
    assert not set(OTHER_NAMES) & set(FIELDS)


def test_a_plain_text_is_taken_as_it_is():
    text = 'colour:red -"orange" folder:x'
    assert plain_query(f" {text} ") == ParsedQuery(text)


PIECES = st.one_of(
    st.sampled_from(
        ['"', "“", "„", "«", "-", "\u2212", "\u2013", " ", ":", ">", "<", ",", "/", "\u00a0", "\u200b", "0", "9999"]
    ),
    st.sampled_from([f"{name}:" for name in (*FIELDS, *OTHER_NAMES)]),
    st.text(max_size=5),
)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_text_is_understood_or_explained(text):
    try:
        parsed, problems = parse_query(text), ("-",)
    except QueryError as error:
        parsed, problems = ParsedQuery(), error.problems
    assert problems
    assert all(problem and len(problem) < 400 for problem in problems)
    assert parsed.text is None or parsed.text.strip() == parsed.text != ""
    assert len(parsed.excluded_texts) <= MOST_EXCLUDED
    assert len(parsed.terms) <= MOST_FILTERS


def steps_of(text: str) -> int:
    """Return how many lines of the language's own code taking a text apart runs."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        lines += event == "line" and "query_" in frame.f_code.co_filename
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parse_query(text)
    except QueryError:
        pass
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize(
    "piece", ['"', "-", "a-", 'a:"', "size:>1", "a:", "x ", '-"', "“a", "colour:r ", "label:a ", "a" * 24 + ":"]
)
def test_the_time_is_linear_in_the_length(piece):
    assert steps_of(piece * 1600) <= 10 * steps_of(piece * 200)
