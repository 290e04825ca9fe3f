from __future__ import annotations

import pytest
from qdrant_client import models


def alias(name, collection):
    return models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name=collection, alias_name=name))


def aliases(client):
    return {entry.alias_name: entry.collection_name for entry in client.get_aliases().aliases}


def test_a_collection_is_created_and_deleted(shared, name, create, refused):
    assert name not in {found.name for found in shared.get_collections().collections}
    create(shared, name)
    assert name in {found.name for found in shared.get_collections().collections}
    assert shared.delete_collection(name)
    assert name not in {found.name for found in shared.get_collections().collections}
    assert f"Collection `{name}` doesn't exist!" in refused("NOT_FOUND", shared.get_collection, name)
    assert not shared.delete_collection(name)


def test_a_collection_describes_itself(shared, name, create):
    metadata = {"model": "embedded", "dimensions": 4, "nested": {"list": [1, 2.5, None, True]}}
    create(shared, name, metadata=metadata)
    shared.create_payload_index(name, "label", models.PayloadSchemaType.KEYWORD)
    shared.upsert(name, [models.PointStruct(id=1, vector={"image": [1, 0, 0, 0]}, payload={"label": "a"})])

    found = shared.get_collection(name)

    assert found.status == models.CollectionStatus.GREEN
    assert found.optimizer_status == models.OptimizersStatusOneOf.OK
    assert found.points_count == 1
    assert found.config.metadata == metadata
    params = found.config.params.vectors["image"]
    assert (params.size, params.distance, params.on_disk) == (4, models.Distance.COSINE, True)
    assert (found.config.hnsw_config.m, found.config.hnsw_config.ef_construct) == (16, 128)
    assert found.config.quantization_config.scalar.type == models.ScalarType.INT8
    assert found.payload_schema["label"].data_type == models.PayloadSchemaType.KEYWORD


def test_indexes_of_texts_and_places_are_described(shared, name, create, refused):
    create(shared, name)
    words = models.TextIndexParams(type="text", tokenizer="prefix", min_token_len=1, max_token_len=20, lowercase=True)
    shared.create_payload_index(name, "words", words)
    shared.create_payload_index(name, "place", models.PayloadSchemaType.GEO)
    found = shared.get_collection(name).payload_schema
    assert found["words"].data_type == models.PayloadSchemaType.TEXT
    assert found["place"].data_type == models.PayloadSchemaType.GEO
    stemmed = models.TextIndexParams(type="text", tokenizer="word", stopwords="english")
    assert "stopwords" in refused("UNIMPLEMENTED", shared.create_payload_index, name, "other", stemmed)
    refused("UNIMPLEMENTED", shared.create_payload_index, name, "other", models.PayloadSchemaType.BOOL)


def test_a_name_is_taken_once(shared, name, create, refused):
    create(shared, name)
    assert "already exists" in refused("ALREADY_EXISTS", create, shared, name)


@pytest.mark.parametrize("bad", ["", "a/b", "a" * 256, "line\nbreak"])
def test_a_name_that_cannot_be_a_folder_is_refused(shared, bad, create, refused):
    refused("INVALID_ARGUMENT", create, shared, bad)


def test_unusual_names_survive_a_restart(serve, create):
    names = sorted(["..", "Bilder & Fotos", "ファイル", "a.b%20c"])
    server = serve()
    for good in names:
        create(server.client(), good)
    assert server.terminate() == 0
    server.restart()
    assert [found.name for found in server.client().get_collections().collections] == names


def test_features_that_the_engine_lacks_are_unimplemented(shared, name, refused):
    said = refused(
        "UNIMPLEMENTED",
        shared.create_collection,
        name,
        vectors_config={},
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    assert "sparse" in said
    refused(
        "INVALID_ARGUMENT",
        shared.create_collection,
        name,
        vectors_config={"image": models.VectorParams(size=0, distance=models.Distance.COSINE)},
    )
    for unserved in (
        models.VectorParams(size=2, distance=models.Distance.COSINE),
        {"image": models.VectorParams(size=2, distance=models.Distance.DOT)},
    ):
        refused("UNIMPLEMENTED", shared.create_collection, name, vectors_config=unserved)
    assert name not in {found.name for found in shared.get_collections().collections}


def test_an_alias_leads_to_its_collection_in_every_call(shared, name, create):
    create(shared, name)
    other = f"{name}-alias"
    shared.update_collection_aliases([alias(other, name)])

    shared.create_payload_index(other, "label", models.PayloadSchemaType.KEYWORD)
    shared.upsert(other, [models.PointStruct(id=1, vector={"image": [1, 0, 0, 0]}, payload={"label": "a"})])
    shared.set_payload(other, {"more": 1}, points=[1])
    assert shared.get_collection(other).points_count == 1
    assert shared.count(other).count == 1
    assert shared.retrieve(other, [1])[0].payload == {"label": "a", "more": 1}
    assert shared.query_points(other, 1, using="image").points == []
    assert shared.query_batch_points(other, [models.QueryRequest(query=[1, 0, 0, 0], using="image")])[0].points
    assert len(shared.scroll(other)[0]) == 1
    assert shared.facet(other, "label").hits[0].count == 1
    assert aliases(shared)[other] == name
    shared.delete(other, [1])
    shared.delete_payload_index(other, "label")
    assert shared.count(name).count == 0


def test_an_alias_moves_atomically(shared, name, create, refused):
    create(shared, f"{name}-1")
    create(shared, f"{name}-2")
    shared.update_collection_aliases([alias(name, f"{name}-1")])
    shared.update_collection_aliases(
        [
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=name)),
            alias(name, f"{name}-2"),
        ]
    )
    assert aliases(shared)[name] == f"{name}-2"

    steps = [alias(name, f"{name}-1"), alias("other", "no such collection")]
    refused("NOT_FOUND", shared.update_collection_aliases, steps)
    assert aliases(shared)[name] == f"{name}-2"
    assert "other" not in aliases(shared)


def test_an_alias_is_deleted_and_not_renamed(shared, name, create, refused):
    create(shared, name)
    old, new = f"{name}-old", f"{name}-new"
    shared.update_collection_aliases([alias(old, name)])
    rename = models.RenameAliasOperation(rename_alias=models.RenameAlias(old_alias_name=old, new_alias_name=new))
    refused("UNIMPLEMENTED", shared.update_collection_aliases, [rename])
    assert aliases(shared)[old] == name
    shared.update_collection_aliases([models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=old))])
    assert old not in aliases(shared)


def test_aliases_and_collections_share_their_names(shared, name, create, refused):
    create(shared, name)
    refused("ALREADY_EXISTS", shared.update_collection_aliases, [alias(name, name)])
    shared.update_collection_aliases([alias(f"{name}-alias", name)])
    refused("INVALID_ARGUMENT", create, shared, f"{name}-alias")


def test_deleting_a_collection_takes_its_own_name_and_its_aliases(shared, name, create, refused):
    create(shared, name)
    other = f"{name}-alias"
    shared.update_collection_aliases([alias(other, name)])
    assert not shared.delete_collection(other)
    assert shared.delete_collection(name)
    assert other not in aliases(shared)
    assert f"`{other}` doesn't exist" in refused("NOT_FOUND", shared.get_collection, other)


def test_aliases_survive_a_kill(serve, create):
    server = serve()
    client = server.client()
    create(client, "one")
    client.update_collection_aliases([alias("images", "one")])
    server.kill()
    server.restart()
    assert aliases(server.client()) == {"images": "one"}
