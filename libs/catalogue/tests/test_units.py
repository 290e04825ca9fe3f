"""Ids, payloads, cursors and settings, without a database."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings, Image, ModelRef, WrongCursor, image_id
from sightline_catalogue.cursor import read_cursor, write_cursor
from sightline_catalogue.identity import NAMESPACE, canonical, storable
from sightline_catalogue.payload import order_of, read_image, time_text, write_image
from sightline_catalogue.schema import collection_name

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
names = texts.map(lambda text: canonical(text).replace("/", "") or "x")
numbers = st.none() | st.integers(0, 2**53)
sides = st.none() | st.integers(0, 65_535)
times = st.none() | st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))
optional = st.none() | texts
images = st.builds(
    Image,
    id=st.uuids().map(str),
    bucket=texts,
    key=texts,
    state=st.sampled_from(["pending", "indexed", "failed"]),
    reason=optional,
    attempts=st.integers(0, 1000),
    next_try_at=times,
    sha256=optional,
    bytes=numbers,
    width=sides,
    height=sides,
    format=optional,
    label=st.none() | names,
    folders=st.lists(names, unique=True),
    taken_at=st.none() | st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)),
    taken_offset=optional,
    taken_from=optional,
    place=st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    camera=optional,
    lens=optional,
    rating=numbers,
    title=optional,
    keywords=st.lists(texts, unique=True),
    sidecars=optional,
    modified_at=times,
    indexed_at=times,
    added_at=times,
    etag=optional,
)


@given(images)
def test_an_image_survives_its_payload(image):
    point = api.PointStruct()
    write_image(point.payload, image)
    wire = api.PointStruct.FromString(point.SerializeToString())
    assert read_image(image.id, wire.payload) == image


@given(st.text("abc-._", max_size=5), st.text("abc-._", max_size=5), st.binary(max_size=5), st.binary(max_size=5))
def test_ids_differ_where_bucket_or_key_differ(one_bucket, other_bucket, one_key, other_key):
    one, other = one_bucket, one_key.replace(b"\0", b"")
    two, another = other_bucket, other_key.replace(b"\0", b"")
    assert (image_id(one, other) == image_id(two, another)) == ((one, other) == (two, another))


def test_an_id_is_the_uuid_5_that_others_would_compute():
    assert image_id("main", b"a/b.jpg") == str(uuid.uuid5(NAMESPACE, "4:maina/b.jpg"))


def test_an_id_never_changes():
    """A change would index every picture of every user again."""
    assert image_id("main", b"animals/cat.png") == "c8174a53-bbf1-5e7d-a306-28f0fb2e84f5"


@given(images, images)
def test_an_image_a_second_later_comes_first(one, other):
    first, second = (image.taken_at or passed(image.modified_at) for image in (one, other))
    if first and second and second - first >= timedelta(seconds=1):
        assert order_of(one) < order_of(other)
    assert abs(order_of(one)) < 2**53


def passed(moment):
    """A file's time that has passed, as a wall time in UTC."""
    return moment.replace(tzinfo=None) if moment and moment < datetime.now(UTC) else None


def test_an_image_whose_file_is_from_the_future_comes_last():
    nowhere = Image(str(uuid.UUID(int=0)), "main", "a.jpg")
    ahead = [replace(nowhere, modified_at=datetime.now(UTC) + timedelta(days=days)) for days in (1, 10_000)]
    early = replace(nowhere, taken_at=datetime(1826, 1, 1))
    assert order_of(ahead[0]) == order_of(ahead[1]) == order_of(nowhere) < order_of(early)


def test_an_older_record_is_read_as_a_newer_one():
    point = api.PointStruct()
    write_image(point.payload, Image(str(uuid.uuid4()), "main", "a.jpg", label="x", folders=["x"]))
    decomposed = "E\u0301te\u0301"
    point.payload["label"].string_value = decomposed
    point.payload["folders"].list_value.values[0].string_value = decomposed
    # What had no offset was taken for UTC.
    point.payload["taken_at"].string_value = "2019-07-15T23:30:00Z"
    found = read_image("", point.payload)
    assert (found.label, found.folders) == ("\u00c9t\u00e9", ["\u00c9t\u00e9"])
    assert (found.taken_at, found.taken_offset) == (datetime(2019, 7, 15, 23, 30), None)


def test_a_wall_time_is_naive():
    image = Image(str(uuid.uuid4()), "main", "a.jpg", taken_at=datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="has a time zone"):
        write_image(api.PointStruct().payload, image)


@given(st.integers(-(2**53), 2**53), st.lists(st.uuids().map(str), max_size=5))
def test_a_cursor_is_read_as_written(order, ids):
    assert read_cursor(write_cursor(order, ids)) == (order, ids)


@given(st.text())
def test_an_invalid_cursor_is_refused(text):
    with contextlib.suppress(WrongCursor):
        assert read_cursor(write_cursor(*read_cursor(text))) == read_cursor(text)


def test_times_are_written_in_utc():
    moment = datetime(2024, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert time_text(moment) == "2023-12-31T23:30:00Z"
    with pytest.raises(ValueError, match="no time zone"):
        time_text(datetime(2024, 1, 1))


def test_bytes_that_are_not_utf8_are_escaped():
    assert storable(b"caf\xe9".decode(errors="surrogateescape")) == "caf\\xe9"
    assert storable("café") == "café"


def test_collections_are_named_after_model_and_fingerprint():
    model = ModelRef("ViT-B-32/laion2b_s34b_b79k", "0123456789abcdef" * 4, 512)
    assert collection_name(model) == "images-vit-b-32-laion2b-s34b-b79k-0123456789ab"
    assert collection_name(ModelRef("///", "f" * 64, 1)) == "images-model-ffffffffffff"


@pytest.mark.parametrize(
    "url",
    ["qdrant:6334", "ftp://qdrant", "http://", "http://one:6334,", "http://one/path", "unix://", "unix://host/path"],
)
def test_a_wrong_url_is_refused(url):
    with pytest.raises(ValidationError, match="http://HOST:PORT"):
        CatalogueSettings(url=url)


def test_nodes_are_all_encrypted_or_none():
    with pytest.raises(ValidationError, match="all http:// or all https://"):
        CatalogueSettings(url="http://one:6334,https://two:6334")


def test_a_certificate_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="does not point to a file"):
        CatalogueSettings(ca_file=tmp_path / "none.pem")


@pytest.mark.parametrize(
    ("url", "addresses", "encrypted"),
    [
        ("https://qdrant.example", ["qdrant.example:6334"], True),
        ("http://one:6334, http://[::1]:7000/", ["one:6334", "[::1]:7000"], False),
        ("unix:///run/my%20own/qdrant", ["unix:/run/my own/qdrant"], False),
    ],
)
def test_a_url_names_nodes_and_the_port_of_grpc_is_the_default(url, addresses, encrypted):
    settings = CatalogueSettings(url=url)
    assert (settings.addresses, settings.encrypted) == (addresses, encrypted)
