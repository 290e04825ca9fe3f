"""What a map computes, on made-up vectors whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from sightline_search_gateway.http.serializers import serialize_points
from sightline_search_gateway.maps.points import Points, centred, dump_xy, load_points, scale_of
from sightline_search_gateway.maps.request import MapRequest, fitting_perplexity
from sightline_search_gateway.maps.uploads import label_of
from sightline_search_gateway.maps.worker import layout
from sightline_search_gateway.maps.worker.clusters import centroids_of, group_vectors, majority_names, nearest_group
from sightline_search_gateway.maps.worker.neighbours import nearest_neighbours, nearest_of
from sightline_search_gateway.maps.worker.separation import label_separation, sampled


def bunches(sizes: list[int], spread: float = 0.05, dimensions: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Return unit vectors in bunches round the axes, and the number of each one's bunch."""
    random = np.random.default_rng(3)
    label = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    vectors = np.eye(dimensions)[label] + spread * random.standard_normal((len(label), dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), label


def judged(vectors: np.ndarray, label: np.ndarray, labels: list[str]) -> dict | None:
    nearest = nearest_neighbours(vectors, 10).indices
    return label_separation(vectors, np.arange(len(label)), nearest, label, labels)


def test_bunches_that_are_their_labels_separate_perfectly():
    vectors, label = bunches([20, 30])
    found = judged(vectors, label, ["cats", "dogs"])
    assert found["knn_agreement"] == 1
    assert found["silhouette"] > 0.9
    assert found["confused"] == []
    assert found["per_label"] == [
        {"label": "cats", "count": 20, "knn_agreement": 1.0},
        {"label": "dogs", "count": 30, "knn_agreement": 1.0},
    ]


def test_labels_in_one_bunch_are_confused_and_the_worst_pair_comes_first():
    vectors, bunch = bunches([40, 40])
    label = bunch * 2
    label[:40:2] = 1  # half of the first bunch
    found = judged(vectors, label, ["cats", "lynxes", "dogs"])
    by_label = {one["label"]: one["knn_agreement"] for one in found["per_label"]}
    assert by_label["dogs"] == 1
    assert 0.2 < by_label["cats"] < 0.8
    pairs = {(one["a"], one["b"]): one["share"] for one in found["confused"]}
    assert set(pairs) == {("cats", "lynxes"), ("lynxes", "cats")}
    assert pairs["cats", "lynxes"] == pytest.approx(1 - by_label["cats"])
    shares = [one["share"] for one in found["confused"]]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("label", [[0] * 12, [-1] * 12, [0] * 11 + [1]])
def test_fewer_than_two_labels_of_two_pictures_have_no_separation(label):
    vectors, _ = bunches([12])
    assert judged(vectors, np.array(label, np.int32), ["cats", "dogs"]) is None


def test_pictures_without_a_label_count_among_neighbours_alone():
    vectors, label = bunches([15, 15, 15])
    label[label == 2] = -1
    found = judged(vectors, label, ["cats", "dogs"])
    assert found["knn_agreement"] == 1
    assert [one["count"] for one in found["per_label"]] == [15, 15]


def test_a_sample_of_neighbours_holds_every_label():
    label = np.array([0] * 5000 + [1] * 40 + [2] * 3 + [-1] * 100, np.int32)
    rows = sampled(label, 500)
    assert len(rows) < 600
    assert (np.bincount(label[rows] + 1) >= [10, 480, 10, 3]).all()
    assert (sampled(label[:100], 500) == np.arange(100)).all()


def test_neighbours_are_exact_and_leave_out_oneself():
    vectors, _ = bunches([30, 30], spread=0.3)
    found = nearest_neighbours(vectors, 5)
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -np.inf)
    expected = np.argsort(-similarities, axis=1, kind="stable")[:, :5]
    assert (found.indices == expected).all()
    assert np.allclose(found.distances, 1 - np.take_along_axis(similarities, expected, axis=1), atol=1e-6)
    assert (nearest_of(np.array([7, 50]), vectors, 5) == expected[[7, 50]]).all()


def test_a_layout_keeps_bunches_together_and_is_the_same_each_time():
    vectors, label = bunches([40, 40, 40])
    neighbours = nearest_neighbours(vectors, 60)
    told: list[tuple[int, float | None]] = []

    def run():
        start = layout.initial_coordinates(vectors)
        return layout.fit(
            start, neighbours, 20, threads=1, on_progress=lambda iteration, kl, _: told.append((iteration, kl))
        )

    first, second = run(), run()
    assert (first.coordinates == second.coordinates).all()
    near = nearest_in_plane(first.coordinates)
    assert (label[near] == label[:, None]).mean() > 0.99
    iterations = [iteration for iteration, _ in told[: len(told) // 2]]
    assert iterations == list(range(10, layout.ITERATIONS + 1, 10))
    assert told[-1][1] == pytest.approx(first.kl_divergence, abs=0.01)


def nearest_in_plane(places: np.ndarray) -> np.ndarray:
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    return np.argsort(distances, axis=1)[:, :5]


def test_what_is_raised_while_a_layout_forms_ends_it():
    vectors, _ = bunches([30, 30])
    neighbours = nearest_neighbours(vectors, 30)

    class Enough(Exception):
        pass

    def stop(iteration: int, *_: object) -> None:
        if iteration >= 50:
            raise Enough

    with pytest.raises(Enough):
        layout.fit(layout.initial_coordinates(vectors), neighbours, 10, threads=1, on_progress=stop)


def test_a_new_picture_is_placed_among_its_like_and_nothing_moves():
    vectors, label = bunches([60, 60, 60])
    old = np.arange(len(vectors)) % 20 != 0
    start = layout.initial_coordinates(vectors[old])
    neighbours = nearest_neighbours(vectors[old], 60)
    places = centred(layout.fit(start, neighbours, 20, threads=1, on_progress=lambda *_: None).coordinates)
    before = places.copy()
    found = layout.transform(vectors[~old], vectors[old], places, 20, threads=1)
    assert (places == before).all()
    distances = np.linalg.norm(found[:, None] - places[None], axis=2)
    assert (label[old][np.argmin(distances, axis=1)] == label[~old]).all()


def test_clusters_are_as_many_as_there_are_bunches_the_largest_first():
    vectors, label = bunches([20, 50, 30])
    cluster = group_vectors(vectors)
    centroids = centroids_of(vectors, cluster, 3)
    assert np.bincount(cluster).tolist() == [50, 30, 20]
    assert np.allclose(np.linalg.norm(centroids, axis=1), 1, atol=1e-5)
    assert (nearest_group(vectors, centroids) == cluster).all()
    assert majority_names(cluster, label, ["sea_gulls", "cats", "dogs"], 3) == ["cats", "dogs", "sea gulls"]
    assert majority_names(cluster, np.full(100, -1, np.int32), [], 3)[0] == "group 1"


def test_points_come_back_as_they_were_kept():
    points = Points(["a", "b"], np.array([0, -1], np.int32), new=np.array([False, True]))
    xy = np.array([[3.0, 1.0], [-3.0, 0.5]], np.float32)
    back = load_points(points.dump(), dump_xy(xy))
    assert (back.ids, back.label.tolist(), back.new.tolist()) == (["a", "b"], [0, -1], [False, True])
    shape = serialize_points(back, scale_of(xy))
    assert shape["x"].tolist() == [0.98, -0.98]
    assert serialize_points(load_points(points.dump(), None), 1.0) is None


def test_a_map_is_centred_on_what_it_spans():
    xy = centred(np.array([[0.0, 10.0], [4.0, 10.0], [4.0, 12.0]]))
    assert xy.min(axis=0).tolist() == [-2, -1]
    assert xy.max(axis=0).tolist() == [2, 1]


def test_requests_that_mean_the_same_are_one_map():
    def id_of(model: str = "f", **wanted):
        return MapRequest.of({"sample": 2000, "perplexity": 30, **wanted}).map_id(model)

    assert id_of() == id_of(labels=[], ids=[])
    assert id_of(labels=["a", "b"]) == id_of(labels=["b", "a", "a"])
    different = [id_of(), id_of(labels=["a"]), id_of(folders=["a"]), id_of(sample=10), id_of(perplexity=31)]
    different += [id_of(per_label=5), id_of("other"), id_of(upload="d"), id_of(ids=["x"])]
    assert len(set(different)) == len(different)
    kept = MapRequest.of({"sample": 2000, "perplexity": 30, "labels": ["ä"]})
    assert MapRequest.load(kept.dump()) == kept


@pytest.mark.parametrize(("count", "expected"), [(10, 3), (31, 10), (91, 30), (5000, 30)])
def test_the_perplexity_is_what_so_many_pictures_bear(count, expected):
    assert fitting_perplexity(30, count) == expected


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cats/1.jpg", "cats"),
        ("zoo/cats/1.jpg", "cats"),
        ("zoo\\cats\\1.jpg", "cats"),
        ("/cats/1.jpg", "cats"),
        ("../1.jpg", None),
        ("1.jpg", None),
    ],
)
def test_the_folder_of_an_uploaded_file_is_its_label(name, label):
    assert label_of(name) == label
