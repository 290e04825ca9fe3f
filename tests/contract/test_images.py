"""Images of a collection: stored, read, counted, changed and deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sightline_catalogue import Counts, Filter, Image, ScanState, SearchParams, WrongCursor, image_id

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
NOWHERE = image_id("main", b"nowhere")


def all_pages(collection, wanted, limit):
    """Return the keys of all pages."""
    keys, cursor = [], None
    while True:
        page = collection.browse(wanted, limit, cursor)
        assert len(page.images) <= limit
        keys.append([image.key for image in page.images])
        cursor = page.cursor
        if cursor is None:
            return keys


def test_an_image_is_returned_as_stored(collection, make_image, random_vectors):
    image = make_image(
        "animals/cats/ca t\n\u00fc\U0001f408.jpg",
        reason="said so",
        next_try_at=NOON,
        taken_at=datetime(1901, 2, 3, 4, 5, 6, 789),
        taken_offset="-08:00",
        taken_from="exif",
        place=(48.2082, -16.0),
        camera="Leica",
        lens="Elmar 50mm",
        rating=-1,
        title="The sea \u2013 from a hill",
        added_at=NOON,
        keywords=["sea", "h\u00f6he"],
        sidecars="0123456789abcdef",
        note="its last 2 % are missing",
        reader=3,
        input_sha256="f" * 64,
    )
    [vector] = random_vectors(1)
    collection.upsert([image], [vector])
    assert collection.get([image.id]) == [image]
    [stored] = collection.vectors([image.id])
    assert stored.dtype == np.float32
    assert stored == pytest.approx(vector, abs=1e-6)


def test_vectors_are_returned_with_length_one(collection, make_image, random_vectors):
    image = make_image("a.jpg")
    [vector] = random_vectors(1)
    collection.upsert([image], [vector * 12])
    assert collection.vectors([image.id])[0] == pytest.approx(vector, abs=1e-6)


def test_get_keeps_the_order_and_shows_what_is_missing(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg") for number in range(5)]
    collection.upsert(images, random_vectors(5))
    ids = [images[3].id, NOWHERE, images[0].id, images[3].id]
    assert [one and one.key for one in collection.get(ids)] == ["3.jpg", None, "0.jpg", "3.jpg"]
    assert [one is None for one in collection.vectors(ids)] == [False, True, False, False]
    assert collection.get([]) == []


def test_upserting_again_replaces_the_whole_image(collection, make_image, random_vectors):
    image = make_image("a.jpg", camera="Leica", reason="old")
    collection.upsert([image], random_vectors(1))
    bare = Image(id=image.id, bucket="main", key="a.jpg", state="failed", reason="not an image")
    collection.upsert([bare], None)
    assert collection.get([image.id]) == [bare]
    assert collection.vectors([image.id]) == [None]
    assert collection.counts() == Counts(0, 0, 1)


def test_more_images_than_fit_one_call(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg") for number in range(1203)]
    collection.upsert(images, random_vectors(1203))
    assert collection.counts().indexed == 1203
    assert [one.key for one in collection.get([image.id for image in images])] == [image.key for image in images]


def test_keys_that_are_not_utf8_are_shown_escaped(collection, make_image):
    raw = b"caf\xe9/\xff.jpg"
    image = make_image(raw.decode("utf-8", "replace"), state="failed", reason="the name is not UTF-8")
    image = replace(image, id=image_id("main", raw), key=raw.decode("utf-8", "surrogateescape"))
    collection.upsert([image], None)
    [found] = collection.get([image.id])
    assert found.key == "caf\\xe9/\\xff.jpg"


def test_states_are_counted(collection, make_image, random_vectors):
    collection.upsert([make_image(f"{number}.jpg") for number in range(3)], random_vectors(3))
    collection.upsert([make_image("p.jpg", state="pending"), make_image("f.jpg", state="failed", reason="empty")], None)
    assert collection.counts() == Counts(pending=1, indexed=3, failed=1)


def test_a_state_changes_and_the_rest_stays(collection, make_image, random_vectors):
    images = [make_image("a.jpg"), make_image("b.jpg")]
    vectors = random_vectors(2)
    collection.upsert(images, vectors)
    soon = NOON + timedelta(hours=1)
    collection.set_state([images[0].id, NOWHERE], "pending", reason="it changed", next_try_at=soon)
    changed = replace(images[0], state="pending", reason="it changed", next_try_at=soon)
    assert collection.get([image.id for image in images]) == [changed, images[1]]
    assert collection.get([NOWHERE]) == [None]
    assert collection.counts() == Counts(1, 1, 0)
    assert collection.vectors([images[0].id])[0] == pytest.approx(vectors[0], abs=1e-6)
    assert [one.key for one in collection.nearest(vectors[0], SearchParams(limit=5)).images] == ["b.jpg"]

    collection.set_state([images[0].id], "indexed")
    assert collection.get([images[0].id]) == [images[0]]
    assert [one.key for one in collection.nearest(vectors[0], SearchParams(limit=5)).images] == ["a.jpg", "b.jpg"]


def test_only_what_has_a_vector_can_be_set_to_indexed(collection, make_image, random_vectors):
    waiting = make_image("a.jpg", state="pending")
    collection.upsert([waiting], None)
    collection.set_state([waiting.id], "indexed")
    assert collection.get([waiting.id]) == [waiting]
    assert collection.nearest(random_vectors(1)[0], SearchParams(limit=5)).images == []


def test_deleted_images_are_gone(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg") for number in range(3)]
    vectors = random_vectors(3)
    collection.upsert(images, vectors)
    collection.delete([images[1].id, NOWHERE])
    collection.delete([images[1].id])
    assert collection.counts() == Counts(0, 2, 0)
    assert collection.get([images[1].id]) == [None]
    assert "1.jpg" not in [one.key for one in collection.nearest(vectors[1], SearchParams(limit=5)).images]


def test_scan_states_yields_every_image_once(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg", etag=f"e{number}", attempts=number) for number in range(25)]
    collection.upsert(images, random_vectors(25))
    failed = make_image("f.jpg", state="failed", reason="empty", next_try_at=NOON, reader=2)
    collection.upsert([failed], None)
    found = {one.id: one for one in collection.scan_states(batch=4)}
    assert len(list(collection.scan_states(batch=26))) == len(found) == 26
    assert found[failed.id] == ScanState(failed.id, failed.etag, "failed", "f.jpg", 1, NOON, None, None, None, 2)
    assert found[images[7].id] == ScanState(images[7].id, "e7", "indexed", "7.jpg", 7, None, None, None, None, None)


def test_a_stamp_changes_and_the_rest_stays(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg", stamp="1-7") for number in range(3)]
    collection.upsert(images, random_vectors(3))
    before = collection.get([image.id for image in images])
    assert [image.stamp for image in before] == ["1-7"] * 3
    collection.set_stamp([images[0].id, images[1].id, NOWHERE], "verify")
    collection.set_stamp([images[1].id], None)
    after = collection.get([image.id for image in images])
    assert after == [replace(image, stamp=stamp) for image, stamp in zip(before, ("verify", None, "1-7"), strict=True)]
    assert {one.id: one.stamp for one in collection.scan_states()} == {image.id: image.stamp for image in after}
    assert collection.get([NOWHERE]) == [None]
    assert collection.nearest(random_vectors(1)[0], SearchParams(limit=5)).images[0].stamp is None


def test_scan_states_of_an_empty_collection(collection):
    assert list(collection.scan_states()) == []
    assert collection.counts() == Counts()


def test_equal_bytes_are_found_with_their_vector(collection, make_image, random_vectors):
    vectors = random_vectors(4)
    images = [make_image("a.jpg", sha256="a" * 64), make_image("b.jpg", sha256="b" * 64)]
    copies = [make_image(f"copies/{number}.jpg", sha256="c" * 64) for number in range(30)]
    collection.upsert(images, vectors[:2])
    collection.upsert(copies, np.repeat(vectors[2:3], 30, axis=0))
    collection.upsert([make_image("d.jpg", sha256="d" * 64, state="failed", reason="too large")], None)
    collection.set_state([images[1].id], "pending")
    found = collection.by_sha256(["c" * 64, "a" * 64, "b" * 64, "d" * 64, "e" * 64, "a" * 64])
    assert set(found) == {"a" * 64, "b" * 64, "c" * 64}
    assert found["b" * 64][1] == pytest.approx(vectors[1], abs=1e-6)
    image, vector = found["a" * 64]
    assert image == images[0]
    assert vector == pytest.approx(vectors[0], abs=1e-6)
    assert found["c" * 64][0] in copies
    assert collection.by_sha256([]) == {}


def test_labels_are_counted_over_indexed_images(collection, make_image, random_vectors):
    collection.upsert(
        [make_image(key) for key in ("animals/cats/1.jpg", "a/cats/2.jpg", "animals/3.jpg", "top.jpg")],
        random_vectors(4),
    )
    collection.upsert([make_image("animals/cats/5.jpg", state="pending")], None)
    assert list(collection.labels().items()) == [("cats", 2), ("animals", 1)]


def test_an_image_has_a_vector_if_it_is_indexed_and_only_then(collection, make_image, random_vectors):
    for image, vectors in ((make_image("a.jpg"), None), (make_image("b.jpg", state="failed"), random_vectors(1))):
        with pytest.raises(ValueError, match="and only then"):
            collection.upsert([image], vectors)
    assert collection.counts() == Counts()


def test_labels_folders_and_formats_are_counted_on_the_server(server_collection, make_image, random_vectors):
    collection = server_collection
    keys = ["animals/cats/1.jpg", "animals/cats/2.jpg", "animals/3.jpg", "top.jpg"]
    collection.upsert([make_image(key) for key in keys], random_vectors(4))
    collection.upsert([make_image("animals/4.png", format="PNG")], random_vectors(1))
    collection.upsert([make_image("animals/cats/5.jpg", state="pending")], None)
    assert collection.labels() == {"cats": 2, "animals": 2}
    assert collection.folders() == {"animals": 4, "animals/cats": 2}
    assert collection.formats() == {"JPEG": 4, "PNG": 1}


def test_images_that_match_a_filter_are_counted(collection, make_image, random_vectors):
    keys = ["animals/cats/1.jpg", "animals/cats/2.jpg", "animals/3.jpg", "top.jpg"]
    images = [make_image(key, indexed_at=NOON + timedelta(hours=number)) for number, key in enumerate(keys)]
    collection.upsert(images, random_vectors(4))
    collection.upsert([make_image("animals/cats/5.jpg", state="pending")], None)
    assert collection.count() == 4
    assert collection.count(Filter(folders=("animals",))) == 3
    assert collection.count(Filter(labels=("cats",)), indexed_after=NOON) == 1
    assert collection.count(indexed_after=NOON + timedelta(hours=3)) == 0
    assert collection.labels(Filter(folders=("animals/cats",))) == {"cats": 2}


def test_scan_labels_yields_every_matching_image_by_id(collection, make_image, random_vectors):
    images = [make_image(f"{'cats' if number % 3 else 'dogs'}/{number}.jpg") for number in range(30)]
    collection.upsert(images, random_vectors(30))
    collection.upsert([make_image("cats/pending.jpg", state="pending")], None)
    batches = list(collection.scan_labels(batch=7))
    assert max(len(batch) for batch in batches) == 7
    assert [one for batch in batches for one in batch] == sorted(
        (image.id, image.label, image.sha256) for image in images
    )
    dogs = [one for batch in collection.scan_labels(Filter(labels=("dogs",)), batch=3) for one in batch]
    assert dogs == sorted((image.id, "dogs", image.sha256) for image in images if image.label == "dogs")


def test_many_labels_are_all_counted(collection, make_image, random_vectors):
    collection.upsert([make_image(f"l{number}/a.jpg") for number in range(300)], random_vectors(300))
    collection.upsert([make_image(f"l7/{number}.jpg") for number in range(3)], random_vectors(3))
    labels = collection.labels()
    assert len(labels) == 300
    assert next(iter(labels.items())) == ("l7", 4)


def test_names_of_both_forms_of_unicode_are_one_label_and_one_folder(collection, make_image, random_vectors):
    composed, decomposed = "\u00c9t\u00e9 2019", "E\u0301te\u0301 2019"
    images = [make_image(f"{form}/{number}.jpg") for number, form in enumerate((composed, decomposed))]
    collection.upsert(images, random_vectors(2))
    assert (collection.labels(), collection.folders()) == ({composed: 2}, {composed: 2})
    for form in (composed, decomposed):
        assert collection.labels(Filter(labels=(form,))) == {composed: 2}
        assert collection.count(Filter(folders=(f"{form}/",))) == 2
    assert [image.key for image in collection.get([image.id for image in images])] == [image.key for image in images]


def test_pages_are_newest_first(collection, make_image, random_vectors):
    moments = {
        "taken.jpg": {
            "taken_at": NOON.replace(tzinfo=None) - timedelta(days=10_000),
            "modified_at": NOON + timedelta(days=9),
        },
        "newest.jpg": {"modified_at": NOON + timedelta(days=2)},
        "ancient.jpg": {"taken_at": datetime(1, 1, 1)},
        "middle.jpg": {"modified_at": NOON},
        "future.jpg": {"taken_at": datetime(9999, 12, 31, 23, 59, 59)},
    }
    collection.upsert([make_image(key, **values) for key, values in moments.items()], random_vectors(5))
    collection.upsert([make_image("failed.jpg", state="failed", modified_at=NOON + timedelta(days=1))], None)
    expected = ["future.jpg", "newest.jpg", "failed.jpg", "middle.jpg", "taken.jpg", "ancient.jpg"]
    for limit in (1, 2, 3, 5, 6, 100):
        pages = all_pages(collection, None, limit)
        assert [key for page in pages for key in page] == expected
        assert len(pages) == -(-6 // limit)


def test_pages_of_equal_times_show_each_image_once(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg") for number in range(300)]
    collection.upsert(images, random_vectors(300))
    keys = [key for page in all_pages(collection, None, 7) for key in page]
    assert sorted(keys) == sorted(image.key for image in images)


def test_following_pages_are_stable_while_images_are_added_and_deleted(collection, make_image, random_vectors):
    images = [make_image(f"{number}.jpg", modified_at=NOON + timedelta(days=number)) for number in range(20)]
    collection.upsert(images, random_vectors(20))
    first = collection.browse(None, 5)
    assert [image.key for image in first.images] == [f"{number}.jpg" for number in range(19, 14, -1)]
    collection.upsert([make_image("new.jpg", modified_at=NOON + timedelta(days=99))], random_vectors(1))
    collection.delete([first.images[-1].id, images[12].id])
    second = collection.browse(None, 5, first.cursor)
    assert [image.key for image in second.images] == ["14.jpg", "13.jpg", "11.jpg", "10.jpg", "9.jpg"]


def test_pages_are_filtered(collection, make_image, random_vectors):
    collection.upsert([make_image(f"cats/{number}.jpg") for number in range(6)], random_vectors(6))
    collection.upsert([make_image(f"dogs/{number}.jpg") for number in range(6)], random_vectors(6))
    collection.upsert([make_image(f"cats/f{number}.jpg", state="failed") for number in range(3)], None)
    wanted = Filter(labels=("cats",), states=("failed",))
    keys = [key for page in all_pages(collection, wanted, 2) for key in page]
    assert sorted(keys) == ["cats/f0.jpg", "cats/f1.jpg", "cats/f2.jpg"]
    assert collection.browse(Filter(labels=("fish",)), 5).images == []


@pytest.mark.parametrize("cursor", ["", "x", "bm9wZQ", "WzFd" * 3, "é", "W10", "eyJhIjoxfQ", "WzEuNV0"])
def test_a_forged_cursor_is_refused(collection, cursor):
    with pytest.raises(WrongCursor, match="start without one"):
        collection.browse(None, 5, cursor)


def test_buckets_do_not_see_each_other(namespace, make_image, random_vectors):
    model = namespace.model()
    ours = namespace.catalogue("ours").ensure_collection(model)
    theirs = namespace.catalogue("theirs").ensure_collection(model)
    vectors = random_vectors(2)
    mine, other = (
        make_image("a.jpg", bucket="ours", sha256="a" * 64),
        make_image("a.jpg", bucket="theirs", sha256="b" * 64),
    )
    assert mine.id != other.id
    ours.upsert([mine], vectors[:1])
    theirs.upsert([other], vectors[1:])
    theirs.upsert([make_image("b.jpg", bucket="theirs", state="pending")], None)
    assert ours.counts() == Counts(0, 1, 0)
    assert theirs.counts() == Counts(1, 1, 0)
    assert [one.id for one in ours.scan_states()] == [mine.id]
    assert [one.id for one in ours.nearest(vectors[1], SearchParams(limit=5)).images] == [mine.id]
    assert [one.id for one in ours.browse(None, 5).images] == [mine.id]
    assert ours.labels() == {}
    assert set(ours.by_sha256(["a" * 64, "b" * 64])) == {"a" * 64, "b" * 64}
