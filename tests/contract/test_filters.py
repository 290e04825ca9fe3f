"""Each condition of a filter, in searches, pages and counts; facets; and collections that are older than a field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sightline_catalogue import (
    FACETS,
    Between,
    Box,
    Circle,
    Filter,
    NotDerived,
    SearchParams,
)

MAY = datetime(2024, 5, 1, tzinfo=UTC)
JUNE = datetime(2024, 6, 1, tzinfo=UTC)


@pytest.fixture
def album(collection, make_image, random_vectors):
    """Pictures that differ in what filters go by."""
    images = [
        make_image(
            "Zoo 2019/IMG_1234.jpg", camera="NIKON CORPORATION NIKON D70", lens="AF-S 18-70mm", rating=5, bytes=100,
            width=400, height=300, place=(48.2, 16.37), added_at=MAY, title="Pandas at lunch", keywords=["bamboo"],
            taken_at=datetime(2019, 7, 1),
        ),
        make_image(
            "Zoo 2019/IMG_2234.png", format="PNG", camera="Canon EOS 5D", rating=2, bytes=2000, width=300, height=400,
            place=(-17.7, 179.0), added_at=JUNE, taken_at=datetime(2020, 7, 1),
        ),
        make_image(
            "trains/SteamEngine-\u00dcbung.tiff", format="TIFF", bytes=30_000, width=510, height=500, rating=-1,
            place=(-17.7, -179.0), camera="NIKON CORPORATION NIKON D700", modified_at=MAY,
        ),
        make_image("trains/\u9ed2\u3044\u732b\u304c\u8d70\u308b.jpg", width=2000, height=900, bytes=400_000),
    ]  # fmt: skip
    collection.upsert(images, random_vectors(len(images)))
    collection.upsert([make_image("trains/IMG_1235.jpg", state="pending", indexed_at=None)], None)
    return collection


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(names=("IMG_12",)), [0]),
        (Filter(names=("12 img",)), [0]),
        (Filter(names=("img1234",)), [0]),
        (Filter(names=("IMG_1234.JPG",)), [0]),
        (Filter(names=("img",)), [0, 1]),
        (Filter(names=("234",)), []),
        (Filter(names=("IMG_1234", "engine")), [0, 2]),
        (Filter(names=("zoo",)), []),
        (Filter(names=("ste",)), [2]),
        (Filter(names=("jpg",)), []),
        (Filter(names=("...",)), []),
        (Filter(names=("ubung",)), [2]),
        (Filter(words=("img",)), [0, 1]),
        (Filter(words=("im",)), []),
        (Filter(words=("steam engine",)), [2]),
        (Filter(words=("steamengine",)), [2]),
        (Filter(words=("\u00fcBUNG trains",)), [2]),
        (Filter(words=("zoo 2019",)), [0, 1]),
        (Filter(words=("pandas", "trains 9")), [0]),
        (Filter(words=("bamboo lunch zoo",)), [0]),
        (Filter(cameras=("nikon",)), [0, 2]),
        (Filter(cameras=("Nikon d70",)), [0]),
        (Filter(cameras=("5d", "D700")), [1, 2]),
        (Filter(cameras=("d7",)), []),
        (Filter(lenses=("18",)), [0]),
        (Filter(lenses=("18-70 af-s", "50mm")), [0]),
        (Filter(near=Circle(48.0, 16.0, 50)), [0]),
        (Filter(near=Circle(-17.7, 180.0, 150)), [1, 2]),
        (Filter(inside=Box(47, 16, 49, 17)), [0]),
        (Filter(inside=Box(-20, 170, 0, -170)), [1, 2]),
        (Filter(inside=Box(-20, -170, 0, 170)), []),
        (Filter(bytes=Between(100, 2000)), [0, 1]),
        (Filter(bytes=Between(least=2001)), [2, 3]),
        (Filter(pixels=Between(most=120_000)), [0, 1]),
        (Filter(shapes=("landscape",)), [0]),
        (Filter(shapes=("portrait", "square")), [1, 2]),
        (Filter(shapes=("panorama",)), [3]),
        (Filter(rating=1), [0, 1]),
        (Filter(rating=5), [0]),
        (Filter(added_after=MAY), [0, 1]),
        (Filter(added_before=JUNE), [0]),
        (Filter(formats=("PNG", "TIFF"), rating=1), [1]),
        (Filter(excluded=Filter(formats=("PNG",))), [0, 2, 3]),
        (Filter(excluded=Filter(formats=("PNG",), cameras=("d70",))), [2, 3]),
        (Filter(folders=("Zoo 2019",), excluded=Filter(names=("img_22",))), [0]),
        (Filter(excluded=Filter(after=datetime(2019, 1, 1), before=datetime(2021, 1, 1))), [2, 3]),
        (Filter(excluded=Filter()), [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_a_filter_finds_what_meets_all_of_it(album, random_vectors, wanted, expected):
    keys = ["Zoo 2019/IMG_1234.jpg", "Zoo 2019/IMG_2234.png", "trains/SteamEngine-\u00dcbung.tiff"]
    keys.append("trains/\u9ed2\u3044\u732b\u304c\u8d70\u308b.jpg")
    found = album.nearest(random_vectors(1)[0], SearchParams(10, filter=wanted)).images
    assert sorted(keys.index(image.key) for image in found) == expected
    assert album.count(wanted) == len(expected)
    listed = [image.key for image in album.browse(wanted, 10).images if image.state == "indexed"]
    assert sorted(map(keys.index, listed)) == expected


def test_words_are_told_apart_where_a_language_writes_no_spaces(server_collection, make_image, random_vectors):
    server_collection.upsert([make_image("\u9ed2\u3044\u732b\u304c\u8d70\u308b.jpg")], random_vectors(1))
    assert server_collection.count(Filter(words=("\u732b",))) == 1
    assert server_collection.count(Filter(words=("\u72ac",))) == 0


def test_pages_hold_pending_images_that_fit(album):
    assert [image.key for image in album.browse(Filter(names=("img_1235",)), 10).images] == ["trains/IMG_1235.jpg"]


def test_images_are_counted_by_their_fields(album):
    assert album.facets(FACETS) == {
        "label": {"Zoo 2019": 2, "trains": 2},
        "folder": {"Zoo 2019": 2, "trains": 2},
        "format": {"JPEG": 2, "PNG": 1, "TIFF": 1},
        "camera": {"Canon EOS 5D": 1, "NIKON CORPORATION NIKON D70": 1, "NIKON CORPORATION NIKON D700": 1},
        "lens": {"AF-S 18-70mm": 1},
        "shape": {"landscape": 1, "panorama": 1, "portrait": 1, "square": 1},
        "rating": {"5": 1, "2": 1, "-1": 1},
        "year": {"2024": 2, "2020": 1, "2019": 1},
    }
    assert list(album.facets(["year"])["year"]) == ["2024", "2020", "2019"]
    assert album.facets(["format", "shape"], Filter(cameras=("nikon",))) == {
        "format": {"JPEG": 1, "TIFF": 1},
        "shape": {"landscape": 1, "square": 1},
    }
    assert len(album.facets(["camera"], limit=1)["camera"]) == 1


def test_a_year_counts_what_its_dates_find(album):
    for year, count in album.facets(["year"])["year"].items():
        wanted = Filter(after=datetime(int(year), 1, 1), before=datetime(int(year) + 1, 1, 1))
        assert album.count(wanted) == count


def test_what_is_not_counted_is_refused(server_collection):
    with pytest.raises(ValueError, match="is not counted"):
        server_collection.facets(["key"])


@pytest.fixture
def older(catalogue, namespace, make_image, random_vectors, monkeypatch):
    """A collection as an older version wrote it: without the derived fields, and without indexes of the new ones."""
    monkeypatch.setattr("sightline_catalogue.payload.write_derived", lambda fields, image: None)
    monkeypatch.setattr("sightline_catalogue.catalogue.INDEXES", {"bucket": None, "state": None, "searchable": None})
    model = namespace.model()
    collection = catalogue.ensure_collection(model)
    collection.upsert([make_image("a/red-fox.png", camera="Canon EOS 5D")], random_vectors(1))
    collection.upsert([make_image("a/wolf.png", state="pending", indexed_at=None)], None)
    monkeypatch.undo()
    return model


def test_an_older_collection_is_brought_up_to_date(namespace, older, make_image, random_vectors):
    catalogue = namespace.catalogue()
    collection = catalogue.ensure_collection(older)
    collection.upsert([make_image("a/new-fox.png")], random_vectors(1))
    with pytest.raises(NotDerived, match="2 more pictures"):
        collection.count(Filter(names=("fox",)))
    with pytest.raises(NotDerived):
        collection.browse(Filter(excluded=Filter(words=("fox",))), 10)
    with pytest.raises(NotDerived):
        collection.facets(["format", "year"])
    assert collection.count(Filter(labels=("a",), rating=1)) == 0
    assert collection.facets(["camera"]) == {"camera": {"Canon EOS 5D": 1}}

    while collection.derivation.fill(1.0):
        pass

    assert collection.count(Filter(names=("fox",))) == 2
    assert collection.count(Filter(cameras=("canon",), shapes=("landscape",))) == 1
    [fox] = [image for image in collection.browse(None, 10).images if "red" in image.key]
    assert fox.added_at == fox.indexed_at
    assert collection.count(Filter(added_after=fox.indexed_at)) == 1
    assert collection.facets(["year"]) == {"year": {"2024": 2}}
    assert not collection.derivation.fill(1.0)


def test_when_an_image_was_added_can_be_set(collection, make_image, random_vectors):
    images = [make_image("a.png", added_at=JUNE), make_image("b.png")]
    collection.upsert(images, random_vectors(2))
    collection.set_added({images[0].id: MAY, images[1].id: JUNE, make_image("c.png").id: MAY})
    assert [image.added_at for image in collection.get([one.id for one in images])] == [MAY, JUNE]
    assert collection.counts().indexed == 2
