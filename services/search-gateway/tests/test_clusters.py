"""Clusters and the graph of a search."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sightline_catalogue import Image
from sightline_search_gateway.maps.worker.cluster_names import name_clusters
from sightline_search_gateway.search.cluster_names import name_cluster
from sightline_search_gateway.search.clustering import group, silhouette
from sightline_search_gateway.search.result_graph import MAX_CLUSTERED, QUERY, build_result_graph
from sightline_search_gateway.search.vocabulary import VocabularyEmbeddings, read_vocabulary
from sklearn.metrics import silhouette_score

DIMENSIONS = 16


def unit(vectors):
    vectors = np.asarray(vectors, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def bundles(*sizes, spread=0.1, seed=0):
    """Return unit vectors in tight bundles round different axes, and the bundle of each."""
    rng = np.random.default_rng(seed)
    centers = np.eye(DIMENSIONS, dtype=np.float32)[: len(sizes)]
    of = np.repeat(np.arange(len(sizes)), sizes)
    return unit(centers[of] + spread * rng.standard_normal((len(of), DIMENSIONS))), of


def images(count, label=None):
    return [
        Image(id=f"id-{place}", bucket="main", key=f"{place}.jpg", state="indexed", label=label)
        for place in range(count)
    ]


def arranged(vectors, query=None, words=None, labels=None):
    """Rank vectors by a query's and arrange them; return the arrangement and the ids in their order."""
    query = vectors.mean(axis=0) if query is None else query
    similarities = vectors @ query
    order = np.argsort(-similarities, kind="stable")
    found = [images(len(vectors), labels)[place] for place in order]
    return build_result_graph(found, similarities[order], vectors[order], vectors[order], words=words), [
        image.id for image in found
    ]


@pytest.mark.parametrize("sizes", [(20, 20), (10, 15, 25), (10, 12, 14, 13)])
def test_bundles_become_clusters(sizes):
    vectors, of = bundles(*sizes)
    groups = group(vectors)
    assert len(set(groups.tolist())) == len(sizes)
    assert len(set(zip(groups.tolist(), of.tolist(), strict=True))) == len(sizes)


def test_one_outlier_is_not_all_that_there_is_to_say():
    vectors, _ = bundles(25, 24, spread=0.4)
    sizes = np.bincount(group(np.concatenate([vectors, unit([[0] * 15 + [-1]])])))
    assert sizes.max() < 40


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_results_are_one_cluster_at_most(count):
    vectors, _ = bundles(count) if count else (np.empty((0, DIMENSIONS), np.float32), None)
    arrangement, ids = arranged(vectors, query=unit(np.ones(DIMENSIONS)))
    assert [cluster.size for cluster in arrangement.clusters] == ([count] if count else [])
    assert [edge.target for edge in arrangement.edges if edge.source == QUERY] == ids
    assert arrangement.cluster_of == [0] * count


def test_copies_of_one_picture_are_one_cluster():
    vectors = np.repeat(unit([np.arange(DIMENSIONS)]), 50, axis=0)
    arrangement, _ = arranged(vectors)
    assert [cluster.size for cluster in arrangement.clusters] == [50]


@settings(max_examples=40, derandomize=True, database=None)
@given(st.integers(0, 60), st.integers(1, 12), st.integers(0, 1000))
def test_what_holds_of_every_answer(count, different, seed):
    """Vectors with many copies: whatever they are, the answer is sound and nothing warns."""
    rng = np.random.default_rng(seed)
    vectors = unit(rng.standard_normal((different, DIMENSIONS)))[rng.integers(0, different, count)]
    vectors = vectors.reshape(-1, DIMENSIONS)
    query = unit(rng.standard_normal(DIMENSIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        arrangement, ids = arranged(vectors, query)
        again, _ = arranged(vectors, query)
    assert arrangement == again
    ids = ids[:MAX_CLUSTERED]
    assert len(arrangement.cluster_of) == len(ids)
    assert [cluster.id for cluster in arrangement.clusters] == list(range(len(arrangement.clusters)))
    assert sum(cluster.size for cluster in arrangement.clusters) == len(ids)
    # The first cluster has the best result, and so on.
    first = [arrangement.cluster_of.index(number) for number in range(len(arrangement.clusters))]
    assert first == sorted(first)
    for number, cluster in enumerate(arrangement.clusters):
        assert arrangement.cluster_of[ids.index(cluster.best_id)] == number
        assert cluster.size == arrangement.cluster_of.count(number)
    pairs = [(edge.source, edge.target) for edge in arrangement.edges]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert pairs[: len(ids)] == [(QUERY, one) for one in ids]
    for source, target in pairs[len(ids) :]:
        assert ids.index(source) < ids.index(target)
    assert all(-1.001 <= edge.similarity <= 1.001 for edge in arrangement.edges)


def test_the_order_of_results_changes_no_cluster():
    vectors, _ = bundles(12, 9, 20, spread=0.3)
    shuffled = np.random.default_rng(1).permutation(len(vectors))
    together = {
        frozenset(np.flatnonzero(group(vectors) == number).tolist()) for number in range(int(group(vectors).max()) + 1)
    }
    groups = group(vectors[shuffled])
    again = {frozenset(shuffled[groups == number].tolist()) for number in range(int(groups.max()) + 1)}
    assert again == together


def test_each_picture_is_joined_to_its_nearest_and_all_to_one_graph():
    vectors, _ = bundles(12, 9, 20)
    arrangement, ids = arranged(vectors)
    place = {one: int(one.removeprefix("id-")) for one in ids}
    pairs = {frozenset((edge.source, edge.target)) for edge in arrangement.edges if edge.source != QUERY}
    similarities = vectors @ vectors.T
    for number, one in enumerate(ids):
        mates = [
            other
            for at, other in enumerate(ids)
            if other != one and arrangement.cluster_of[at] == arrangement.cluster_of[number]
        ]
        nearest = max(mates, key=lambda other: similarities[place[one], place[other]])
        assert frozenset((one, nearest)) in pairs
    between = [pair for pair in pairs if len({arrangement.cluster_of[ids.index(one)] for one in pair}) == 2]
    assert len(between) == len(arrangement.clusters) - 1
    strongest = max(
        (pair for pair in combinations(ids, 2) if len({arrangement.cluster_of[ids.index(one)] for one in pair}) == 2),
        key=lambda pair: similarities[place[pair[0]], place[pair[1]]],
    )
    assert frozenset(strongest) in between
    for edge in arrangement.edges[len(ids) :]:
        assert edge.similarity == pytest.approx(similarities[place[edge.source], place[edge.target]], abs=1e-4)


def test_the_silhouette_is_that_of_scikit_learn():
    vectors, of = bundles(5, 9, 1, 12, spread=0.5)
    expected = silhouette_score(
        np.clip(1 - vectors @ vectors.T, 0, 2) * (1 - np.eye(len(of))), of, metric="precomputed"
    )
    assert silhouette(1 - vectors @ vectors.T, of) == pytest.approx(expected, abs=1e-4)


def vocabulary(**vectors):
    """Return words of these vectors, among many that say nothing of them."""
    said = unit(list(vectors.values()))
    others = unit(np.random.default_rng(4).standard_normal((300, said.shape[1])) * 0.1 - np.eye(said.shape[1])[-1])
    names = [*(name.replace("_", " ") for name in vectors), *(f"other {place}" for place in range(len(others)))]
    return VocabularyEmbeddings(tuple(names), np.concatenate([said, others]))


WORDS = vocabulary(cat=[1, 0, 0, 0.2], dog=[0, 1, 0, 0.2], poodle=[0.1, 1, 0, 0.3], horse=[0, 0, 1, 0.2])


def test_a_name_is_what_a_cluster_shares():
    centroids = unit([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]])
    assert name_clusters(centroids, [10, 20, 5], WORDS) == ["cat", "poodle", "horse"]


def test_no_two_clusters_have_one_name():
    centroids = unit([[0, 1, 0, 0], [0, 0.99, 0, 0.1], [0, 0.98, 0.1, 0.2]])
    names = name_clusters(centroids, [1, 1, 1], WORDS)
    assert len(set(names)) == 3


def test_a_plain_word_is_preferred_to_two_that_fit_as_well():
    words = VocabularyEmbeddings(("bull snake", "mammal"), unit([[1, 0.1, 0, 0], [1, 0.11, 0, 0]]))
    assert name_clusters(unit([[1, 0.09, 0, 0]]), [9], words) == ["mammal"]


def near(word, count=5, spread=0.0):
    """Return vectors near that of a word."""
    noise = np.random.default_rng(3).standard_normal((count, 4))
    return unit(WORDS.vectors[WORDS.texts.index(word)] + spread * noise)


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["fire_boats"] * 3 + ["horses"] * 2, "fire boats"),
        (["fire_boats"] * 5, "fire boats"),
        (["horses", "fire_boats", None, "sheep", "cows"], "cat"),
        # Neither what a camera calls its folders nor a year says what is in a picture.
        (["100CANON"] * 5, "cat"),
        (["DCIM"] * 5, "cat"),
        (["2019"] * 5, "cat"),
        (["2019 harbour"] * 5, "2019 harbour"),
        # Nor does the folder of nearly all pictures.
        (["photos"] * 5, "cat"),
    ],
)
def test_a_cluster_is_named_by_a_folder_that_most_share_else_by_a_word(labels, name):
    assert name_cluster(labels, near("cat"), WORDS, common={"photos"}) == name


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        (["watches"] * 4 + ["pizzas"] * 4 + ["boats"] * 2, "pizzas and watches"),
        (["watches"] * 3 + ["pizzas"] * 2 + ["boats"] * 2 + ["cups"] * 3, "cups and watches"),
    ],
)
def test_a_cluster_that_no_word_leads_is_named_by_the_two_folders_that_most_are_in(labels, name):
    # As near to "dog" as to "poodle".
    vectors = np.repeat(unit([[0.05, 1, 0, 0.25]]), len(labels), axis=0)
    assert name_cluster(labels, vectors, WORDS) == name
    assert name_cluster(labels, vectors) == name


def test_a_cluster_without_folders_is_named_by_what_its_pictures_are():
    both = np.concatenate([near("cat", 3), near("horse", 3)])
    assert name_cluster([None] * 6, both, WORDS) == "cat and horse"
    four = np.eye(5, dtype=np.float32)[[0, 0, 1, 1, 2, 2, 3, 3]]
    assert name_cluster([None] * 8, four, vocabulary(cat=four[0], dog=four[2], horse=four[4], cow=four[6])) is None
    assert name_cluster([None] * 6, both) is None


def test_what_is_a_kind_of_another_counts_as_that():
    words = vocabulary(penguin=[1, 0.3, 0, 0], king_penguin=[1, 0.35, 0, 0], rock=[0, 0, 1, 0])
    vectors = unit([[1, 0.2, 0, 0], [1, 0.3, 0, 0], [1, 0.5, 0, 0], [1, 0.6, 0, 0], [0, 0, 1, 0]])
    assert name_cluster([None] * 5, vectors, words) == "penguin"


@pytest.mark.parametrize("query", ["a dog", "Dogs", " the dog. "])
def test_a_name_does_not_repeat_the_query_where_another_fits(query):
    vectors = unit([[0, 1, 0, 0.25]])
    assert name_cluster([None], vectors, WORDS, query) == "poodle"


def test_a_name_repeats_the_query_where_none_else_fits():
    assert name_cluster([None], unit([[1, 0, 0, 0]]), WORDS, "cat") == "cat"


def test_clusters_of_one_name_are_one():
    vectors, _ = bundles(10, 10)
    arrangement, _ = arranged(vectors, labels="wild_animals")
    assert [(cluster.name, cluster.size) for cluster in arrangement.clusters] == [("wild animals", 20)]
    assert arrangement.cluster_of == [0] * 20


def test_clusters_without_a_name_stay_apart():
    vectors, _ = bundles(10, 10)
    arrangement, _ = arranged(vectors)
    assert [(cluster.name, cluster.size) for cluster in arrangement.clusters] == [(None, 10), (None, 10)]


@pytest.mark.parametrize("likely", [0, 1, 12, 20, 30])
def test_weak_results_are_in_the_graph_and_in_no_cluster(likely):
    vectors, _ = bundles(10, 10)
    found = images(20)
    graph = build_result_graph(found, vectors @ vectors[0], vectors, vectors, likely=likely)
    count = min(likely, 20)
    assert sum(cluster.size for cluster in graph.clusters) == count
    assert None not in graph.cluster_of[:count]
    assert graph.cluster_of[count:] == [None] * (20 - count)
    lines = [{edge.source, edge.target} for edge in graph.edges if edge.source != QUERY]
    assert set().union(*lines) == {image.id for image in found}
    if count == 12:
        clustered = {image.id for image in found[:count]}
        assert any(line & clustered and line - clustered for line in lines)


def test_the_vocabulary_is_short_plain_words():
    vocabulary = read_vocabulary()
    assert 2000 < len(vocabulary.texts) < 8000
    assert len(set(vocabulary.texts)) == len(vocabulary.texts)
    assert all(1 <= len(text.split()) <= 3 and text == text.strip().lower() for text in vocabulary.texts)


def test_a_search_has_clusters_and_a_graph(world):
    answer = world.client.get("/api/v1/search?q=cat").json
    assert [hit["cluster"] for hit in answer["results"]] == [0] * 5
    assert [cluster["size"] for cluster in answer["clusters"]] == [5]
    assert {edge["source"] for edge in answer["edges"]} >= {"query"}
    known = {hit["id"] for hit in answer["results"]}
    assert {edge["target"] for edge in answer["edges"]} <= known


@pytest.mark.parametrize("address", ["/api/v1/search?q=cat&", "/api/v1/images/{id}/similar?"])
def test_a_search_without_clusters(world, address):
    [image, *_] = world.collection.images
    answer = world.client.get(address.format(id=image) + "clusters=false").json
    assert answer["results"]
    assert {hit["cluster"] for hit in answer["results"]} == {None}
    assert (answer["clusters"], answer["edges"]) == ([], [])
    assert answer["timings"]["cluster_ms"] == 0


def test_only_the_first_fifty_are_clustered(make_world, picture):
    world = make_world()
    for number in range(60):
        world.add(f"many/{number}.jpg", picture((number, number, number)))
    answer = world.client.get("/api/v1/search?q=cat&limit=60").json
    assert [hit["cluster"] is None for hit in answer["results"]] == [False] * 50 + [True] * 10
    assert sum(cluster["size"] for cluster in answer["clusters"]) == 50


def test_a_composed_search_has_clusters_too(world, picture):
    [image, *_] = world.collection.images
    answer = world.client.post(
        "/api/v1/search", data={"id": image, "q": "cat"}, content_type="multipart/form-data"
    ).json
    assert sum(cluster["size"] for cluster in answer["clusters"]) == 4
    assert answer["relevance"]["found"] is True
    assert answer["relevance"]["threshold"] is None
