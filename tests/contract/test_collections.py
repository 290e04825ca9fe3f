"""Collections and the alias."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import FakeCatalogue, FakeCollection
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueError, ModelRef, NoCollection, SearchParams, WrongFingerprint
from sightline_catalogue.methods import GET_COLLECTION, Method
from sightline_catalogue.schema import INDEXES

DELETE_FIELD_INDEX = Method(lambda stubs: stubs.points.DeleteFieldIndex)


def test_server_answers(catalogue):
    assert catalogue.ping() is None


def test_collection_is_named_after_its_model_and_remembers_it(catalogue, namespace):
    model = namespace.model("ViT-B-32/laion2b_s34b_b79k")
    collection = catalogue.ensure_collection(model)
    assert collection.name == f"images-{namespace.prefix}-vit-b-32-laion2b-s34b-b79k-{model.fingerprint[:12]}"
    assert collection.model == model
    [found] = [one for one in namespace.catalogue().collections() if one.name == collection.name]
    assert found.model == model


def test_collection_is_created_with_its_schema(catalogue, namespace):
    collection = catalogue.ensure_collection(namespace.model(dimensions=24))
    request = api.GetCollectionInfoRequest(collection_name=collection.name)
    info = catalogue._connection.call(GET_COLLECTION, request).result
    vector = info.config.params.vectors_config.params_map.map["image"]
    assert (vector.size, vector.distance, vector.on_disk) == (24, api.Distance.Cosine, True)
    assert (info.config.hnsw_config.m, info.config.hnsw_config.ef_construct) == (16, 128)
    assert info.config.quantization_config.scalar.type == api.QuantizationType.Int8
    assert info.config.quantization_config.scalar.always_ram
    assert set(info.payload_schema) == set(INDEXES)
    assert info.payload_schema["taken_at"].data_type == api.PayloadSchemaType.Datetime
    assert info.payload_schema["label"].data_type == api.PayloadSchemaType.Keyword


def test_every_copy_of_a_collection_is_alive_and_one_server_is_one_of_one(catalogue, namespace):
    name = catalogue.ensure_collection(namespace.model()).name
    state = catalogue.cluster_state()
    shards = [shard for shard in state.shards if shard.collection == name]
    assert shards
    assert all(len(state.living_replicas(shard)) == shard.copies_wanted for shard in shards)
    assert state.dead == ()
    if not state.distributed:
        assert [len(state.nodes), len(shards), shards[0].copies_wanted] == [1, 1, 1]


def test_ensuring_twice_changes_nothing(catalogue, namespace, make_image, random_vectors):
    model = namespace.model()
    catalogue.ensure_collection(model).upsert([make_image("a.jpg")], random_vectors(1))
    again = namespace.catalogue().ensure_collection(model)
    assert again.counts().indexed == 1


def test_an_index_that_is_missing_is_added(catalogue, namespace):
    model = namespace.model()
    name = catalogue.ensure_collection(model).name
    drop = api.DeleteFieldIndexCollection(collection_name=name, wait=True, field_name="label")
    catalogue._connection.call(DELETE_FIELD_INDEX, drop)
    assert catalogue.ensure_collection(model).labels() == {}
    info = catalogue._connection.call(GET_COLLECTION, api.GetCollectionInfoRequest(collection_name=name)).result
    assert set(info.payload_schema) == set(INDEXES)


def test_another_model_of_the_same_short_fingerprint_is_refused(catalogue, namespace):
    model = namespace.model()
    catalogue.ensure_collection(model)
    other = ModelRef(model.id, model.fingerprint[:12] + "0" * 52, model.dimensions)
    with pytest.raises(WrongFingerprint, match=model.fingerprint):
        catalogue.ensure_collection(other)


def test_threads_that_create_the_same_collection_all_get_it(namespace):
    model = namespace.model()
    catalogues = [namespace.catalogue() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one: one.ensure_collection(model), catalogues))
    assert {one.name for one in found} == {found[0].name}
    assert found[0].counts().indexed == 0


ENSURE = """
import sys
from sightline_catalogue import Catalogue, CatalogueSettings, ModelRef
url, name, fingerprint = sys.argv[1:]
catalogue = Catalogue(CatalogueSettings(url=url), "main")
print(catalogue.ensure_collection(ModelRef(name, fingerprint, 16)).name)
"""


def test_processes_that_create_the_same_collection_all_get_it(namespace):
    model = namespace.model()
    command = [sys.executable, "-c", ENSURE, namespace.url, model.id, model.fingerprint]
    racers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    names = {racer.communicate(timeout=60)[0] for racer in racers}
    assert [racer.returncode for racer in racers] == [0, 0, 0]
    assert len(names) == 1


@pytest.fixture(params=["server", "fake"])
def two_collections(request):
    """A catalogue, and two collections neither of which is active."""
    if request.param == "fake":
        return FakeCatalogue(), FakeCollection(name="images-one"), FakeCollection(name="images-two")
    catalogue, namespace = request.getfixturevalue("catalogue"), request.getfixturevalue("namespace")
    return catalogue, *(catalogue.ensure_collection(namespace.model()) for _ in range(2))


def test_without_an_alias_there_is_no_current_collection(two_collections):
    catalogue, *_ = two_collections
    with pytest.raises(NoCollection, match="nothing has been indexed"):
        catalogue.current()


def test_the_current_collection_is_the_one_that_was_activated_last(two_collections):
    catalogue, *collections = two_collections
    for collection in collections:
        catalogue.activate(collection)
        assert catalogue.current().name == collection.name
        assert catalogue.current().model == collection.model


def test_alias_moves_from_one_collection_to_another(catalogue, namespace):
    first, second = catalogue.ensure_collection(namespace.model()), catalogue.ensure_collection(namespace.model())
    catalogue.activate(first)
    other_process = namespace.catalogue()
    assert other_process.current().name == first.name
    catalogue.activate(second)
    catalogue.activate(second)
    assert other_process.current().name == second.name
    assert other_process.current().model == second.model
    catalogue.activate(first)
    assert catalogue.current().name == first.name


def test_a_missing_collection_cannot_be_activated(catalogue, namespace, server_collection):
    catalogue.delete_collection(server_collection)
    with pytest.raises((NoCollection, CatalogueError), match=server_collection.name):
        catalogue.activate(server_collection)


def test_the_collection_in_use_is_deleted_only_by_force(catalogue, server_collection):
    catalogue.activate(server_collection)
    with pytest.raises(CatalogueError, match="activate another"):
        catalogue.delete_collection(server_collection)
    catalogue.delete_collection(server_collection, force=True)
    catalogue.delete_collection(server_collection)
    with pytest.raises(NoCollection):
        catalogue.current()


def test_a_deleted_collection_says_so(catalogue, server_collection, random_vectors, make_image):
    catalogue.delete_collection(server_collection)
    [vector] = random_vectors(1)
    calls = [
        lambda: server_collection.nearest(vector, SearchParams(limit=5)),
        lambda: server_collection.nearest_batch([vector], SearchParams(limit=5)),
        lambda: server_collection.similar(make_image("a").id, SearchParams(limit=5)),
        lambda: server_collection.get([make_image("a").id]),
        lambda: server_collection.browse(None, 5),
        lambda: list(server_collection.scan_states()),
        lambda: server_collection.by_sha256(["a"]),
        lambda: server_collection.upsert([make_image("a")], [vector]),
        lambda: server_collection.set_state([make_image("a").id], "pending"),
        lambda: server_collection.delete([make_image("a").id]),
        server_collection.counts,
        server_collection.labels,
    ]
    for call in calls:
        with pytest.raises(NoCollection, match=server_collection.name):
            call()
