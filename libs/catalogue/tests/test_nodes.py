"""Several nodes: what one does not know yet, what one cannot answer, and which are too old."""

from __future__ import annotations

import subprocess
import sys

import grpc
import pytest
from qdrant_client import grpc as api
from sightline_catalogue import Catalogue, CatalogueError, CatalogueSettings, CatalogueUnavailable, ModelRef, OldServer
from sightline_catalogue.schema import INDEXES, collection_name

MODEL = ModelRef("model", "f" * 64, 16)
NAME = collection_name(MODEL)
PASSING = (grpc.StatusCode.INTERNAL, "Service internal error: 0 of 0 read operations failed")
NO_REPLICA = (
    grpc.StatusCode.INTERNAL,
    "Service internal error: The replica set for shard 2 on peer 7 does not have enough active replicas",
)


def info(fields=INDEXES) -> api.CollectionInfo:
    """Return what a node that has the model's collection says of it."""
    found = api.CollectionInfo()
    found.config.metadata["model"].string_value = MODEL.id
    found.config.metadata["fingerprint"].string_value = MODEL.fingerprint
    found.config.metadata["dimensions"].integer_value = MODEL.dimensions
    for field in fields:
        found.payload_schema[field].SetInParent()
    return found


@pytest.fixture
def nodes(start_qdrant):
    return start_qdrant(), start_qdrant(), start_qdrant()


@pytest.fixture
def open_catalogue(nodes):
    """Opens a catalogue over all nodes."""
    opened = []

    def open_catalogue(**values):
        url = ",".join(f"http://127.0.0.1:{node.port}" for node in nodes)
        opened.append(Catalogue(CatalogueSettings(url=url, **{"timeout_seconds": 60, **values}), "main"))
        return opened[-1]

    yield open_catalogue
    for catalogue in opened:
        catalogue.close()


def learns(node, times, change):
    """Have a node make a change before it answers its nth `Get`, `List` or `ListAliases`."""
    asked, earlier = [], node.before

    def before(name):
        earlier(name)
        if name in ("Get", "List", "ListAliases"):
            asked.append(name)
            if len(asked) == times:
                change()

    node.before = before


@pytest.mark.parametrize("answer", [None, PASSING, NO_REPLICA])
def test_a_collection_is_there_once_every_node_has_it(nodes, open_catalogue, answer):
    def create(name):
        if name == "Create":
            for node in nodes[:2]:
                node.collections[NAME] = info()

    for node in nodes:
        node.before = create
    late = nodes[2]
    learns(late, 4, lambda: late.collections.update({NAME: info()}))
    if answer is not None:
        late.failures = [answer] * 3
    assert open_catalogue().ensure_collection(MODEL).name == NAME
    assert all(NAME in node.collections for node in nodes)


def test_what_another_process_made_is_waited_for_too(nodes, open_catalogue):
    nodes[0].collections[NAME] = info()
    nodes[0].aliases["images"] = NAME
    for late in nodes[1:]:
        learns(late, 6, lambda late=late: (late.collections.update({NAME: info()}), late.aliases.update(images=NAME)))
    catalogue = open_catalogue()
    catalogue.activate(catalogue.ensure_collection(MODEL))
    assert all(NAME in node.collections and node.aliases for node in nodes)


def test_indexes_are_there_once_every_node_has_them(nodes, open_catalogue):
    for node in nodes:
        node.collections[NAME] = info(["bucket"])

    def index(name):
        if name == "CreateFieldIndex":
            for node in nodes[1:]:
                node.collections[NAME] = info()

    for node in nodes:
        node.before = index
    learns(nodes[0], 4, lambda: nodes[0].collections.update({NAME: info()}))
    open_catalogue().ensure_collection(MODEL)
    assert all(set(node.collections[NAME].payload_schema) == set(INDEXES) for node in nodes)


def test_a_collection_is_searched_once_every_node_searches_it(nodes, open_catalogue):
    for node in nodes:
        node.collections[NAME] = info()
        learns(node, 5, lambda node=node: node.aliases.update(images=NAME))
    catalogue = open_catalogue()
    catalogue.activate(catalogue.ensure_collection(MODEL))
    assert [node.aliases for node in nodes] == [{"images": NAME}] * 3


def test_a_collection_is_deleted_once_no_node_has_it(nodes, open_catalogue):
    for node in nodes:
        node.collections[NAME] = info()
        learns(node, 3, node.collections.clear)
    open_catalogue().delete_collection(NAME)
    assert not any(node.collections for node in nodes)


def test_a_node_that_never_learns_is_named(nodes, open_catalogue):
    for node in nodes[:2]:
        node.collections[NAME] = info()
    late = ", ".join(f"127.0.0.1:{node.port}" for node in nodes[:2])
    with pytest.raises(CatalogueUnavailable, match=f"not every node has deleted {NAME}: Qdrant at {late}"):
        open_catalogue(timeout_seconds=0.5).delete_collection(NAME)


def test_a_dead_node_does_not_hold_the_others_up(nodes, open_catalogue):
    nodes[1].server.stop(None).wait()
    for node in (nodes[0], nodes[2]):
        node.collections[NAME] = info()
    assert open_catalogue().ensure_collection(MODEL).name == NAME


def test_what_passes_by_itself_is_tried_again_and_what_does_not_is_not(qdrant):
    catalogue = Catalogue(qdrant.settings(timeout_seconds=60), "main")
    qdrant.failures = [PASSING, PASSING]
    catalogue.collections()
    assert len(qdrant.calls) == 3
    qdrant.failures = [(grpc.StatusCode.INTERNAL, "a panic")]
    with pytest.raises(CatalogueError, match="a panic"):
        catalogue.collections()
    assert len(qdrant.calls) == 4
    catalogue.close()


def test_a_collection_that_cannot_be_made_says_why(qdrant):
    catalogue = Catalogue(qdrant.settings(timeout_seconds=60), "main")
    qdrant.before = lambda name: qdrant.failures.extend(
        [(grpc.StatusCode.INVALID_ARGUMENT, "too many")] if name == "Create" else []
    )
    with pytest.raises(CatalogueError, match="too many"):
        catalogue.ensure_collection(MODEL)
    catalogue.close()


@pytest.mark.parametrize("version", ["1.15.9", "0.11", "v1.9.0-dev"])
def test_a_node_that_is_too_old_is_refused(nodes, open_catalogue, version):
    nodes[1].version = version
    with pytest.raises(OldServer, match=r"too old: Sightline needs 1\.16 or newer"):
        open_catalogue().ensure_collection(MODEL)


START = """
import sys
from sightline_catalogue import CatalogueSettings, exit_if_too_old
exit_if_too_old(CatalogueSettings(url=sys.argv[1]))
print("started")
"""


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ("1.15.5", 1, "Qdrant 1.15.5 is too old: Sightline needs 1.16 or newer"),
        ("1.18.3", 0, "Qdrant 1.18.3 reads nothing ahead (QDRANT_PRELOAD): that came with 1.19"),
        ("1.20.0", 0, "started\n"),
        (None, 0, "started\n"),
    ],
)
def test_a_service_says_one_line_and_does_not_start_with_an_old_server(qdrant, version, status, said):
    if version is None:
        qdrant.server.stop(None).wait()
    else:
        qdrant.version = version
    command = [sys.executable, "-c", START, f"http://127.0.0.1:{qdrant.port}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == status, ran.stderr
    assert said in ran.stdout + ran.stderr
    assert len((ran.stdout + ran.stderr).splitlines()) <= 2
