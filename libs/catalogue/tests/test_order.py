"""The order of results, by a server that returns equal scores in another order each time."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import grpc
import pytest
from qdrant_client import grpc as api
from sightline_catalogue import CatalogueSettings, Collection, ModelRef, NoCollection, SearchParams, TooDeep
from sightline_catalogue.connection import Connection
from sightline_catalogue.identity import image_id
from sightline_catalogue.ranking import block_ends
from waiting import wait_for

DEPTH = 300
COUNT = 400


class ReplicatedQdrant(api.PointsServicer):
    """Answers as differing replicas do: equal scores in any order, and any of them at the end of an answer.

    Attributes:
        scores: By the point's id.
        unsearchable: Ids of points that are found, and not indexed images.
        gone: Ids of points that are found, and not there when they are read.
        calls: How often each method was called.
        asked: The limits of all queries.
        ef: Of the last query.
        is_missing: Whether there is no such collection.
        on_get: Called when points are read.
    """

    def __init__(self) -> None:
        self.scores: dict[str, float] = {}
        self.unsearchable: set[str] = set()
        self.gone: set[str] = set()
        self.calls: Counter[str] = Counter()
        self.asked: list[int] = []
        self.ef = 0
        self.is_missing = False
        self.on_get = lambda: None
        self.random = random.Random(11)
        self.server = grpc.server(ThreadPoolExecutor(2))
        api.add_PointsServicer_to_server(self, self.server)
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def order(self) -> list[str]:
        """Return all ids by score, then id."""
        return sorted(set(self.scores) - self.unsearchable, key=lambda one: (-self.scores[one], one))

    def found(self, request):
        self.asked.append(request.limit)
        self.ef = request.params.hnsw_ef
        excluded = {one.uuid for condition in request.filter.must_not for one in condition.has_id.has_id}
        excluded |= self.unsearchable if request.filter.must else set()
        ids = [one for one in self.scores if one not in excluded]
        self.random.shuffle(ids)
        best = sorted(ids, key=lambda one: -self.scores[one])[: request.limit]
        self.random.shuffle(best)
        return [self.point(api.ScoredPoint(score=self.scores[one]), one) for one in best]

    def point(self, point, one):
        point.id.uuid = one
        point.payload["key"].string_value = one
        point.payload["searchable"].string_value = "" if one in self.unsearchable else "main"
        return point

    def Query(self, request, context):
        self.calls["Query"] += 1
        if self.is_missing:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such collection")
        return api.QueryResponse(result=self.found(request))

    def QueryBatch(self, request, context):
        self.calls["QueryBatch"] += 1
        return api.QueryBatchResponse(
            result=[api.BatchResult(result=self.found(query)) for query in request.query_points]
        )

    def Get(self, request, context):
        self.calls["Get"] += 1
        if self.is_missing:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such collection")
        ids = [one.uuid for one in request.ids if one.uuid not in self.gone]
        self.random.shuffle(ids)
        self.on_get()
        return api.GetResponse(result=[self.point(api.RetrievedPoint(), one) for one in ids])


@pytest.fixture
def qdrant() -> Iterator[ReplicatedQdrant]:
    """A server of 400 points."""
    server = ReplicatedQdrant()
    for number in range(COUNT):
        server.scores[image_id("main", b"%d" % number)] = 1 - number / COUNT
    yield server
    server.server.stop(None).wait()


@pytest.fixture
def collection(qdrant) -> Iterator[Collection]:
    """A collection of that server."""
    settings = CatalogueSettings(url=f"http://127.0.0.1:{qdrant.port}", max_depth=DEPTH)
    connection = Connection(settings)
    yield Collection(connection, "images", ModelRef("model", "f" * 64, 2), "main", settings)
    connection.close()


def level(qdrant, first, end):
    """Make the results of some places equally near."""
    for one in qdrant.order()[first:end]:
        qdrant.scores[one] = 1 - first / COUNT


def page(collection, limit, offset=0):
    found = collection.nearest([1, 0], SearchParams(limit, offset))
    assert [image.key for image in found.images] == [image.id for image in found.images]
    return [image.id for image in found.images]


def test_an_ordinary_first_page_is_one_call(qdrant, collection):
    assert page(collection, 50) == qdrant.order()[:50]
    assert qdrant.calls == {"Query": 1}
    [batched] = collection.nearest_batch([[1, 0]], SearchParams(50))
    assert [image.id for image in batched.images] == qdrant.order()[:50]
    assert qdrant.calls == {"Query": 1, "QueryBatch": 1}


def test_a_later_page_is_one_query_of_scores_and_one_read(qdrant, collection):
    assert page(collection, 50, 100) == qdrant.order()[100:150]
    assert qdrant.calls == {"QueryBatch": 1, "Get": 1}
    assert qdrant.asked == [51, 201]


@pytest.mark.parametrize(
    ("first", "end"), [(5, 8), (36, 66), (45, 50), (49, 51), (50, 51), (0, 60), (10, 230), (195, 205)]
)
@pytest.mark.parametrize("size", [7, 50])
def test_pages_are_cuts_of_one_list(qdrant, collection, first, end, size):
    level(qdrant, first, end)
    pages = [page(collection, size, start) for start in range(0, DEPTH - size, size)]
    together = list(chain.from_iterable(pages))
    assert together == qdrant.order()[: len(together)]


def test_any_number_of_first_results_is_the_beginning_of_the_list(qdrant, collection):
    level(qdrant, 20, 55)
    level(qdrant, 60, 62)
    for limit in range(1, 70):
        assert page(collection, limit) == qdrant.order()[:limit]


def test_equal_results_at_the_very_depth_are_as_many_as_asked_for(qdrant, collection):
    level(qdrant, DEPTH - 10, DEPTH + 50)
    last = page(collection, 20, DEPTH - 20)
    assert last[:10] == qdrant.order()[DEPTH - 20 : DEPTH - 10]
    assert len(set(last)) == 20
    assert set(last[10:]) <= set(qdrant.order()[DEPTH - 10 : DEPTH + 50])


def test_a_list_that_ends_has_a_last_page(qdrant, collection):
    for one in qdrant.order()[120:]:
        del qdrant.scores[one]
    level(qdrant, 100, 120)
    assert page(collection, 50, 100) == qdrant.order()[100:]
    assert page(collection, 50, 150) == []


def test_what_lies_deeper_is_refused_with_the_reason(qdrant, collection):
    for ask in (
        lambda: page(collection, 50, DEPTH - 49),
        lambda: collection.nearest_batch([[1, 0]], SearchParams(50, DEPTH - 49)),
        lambda: collection.similar(qdrant.order()[0], SearchParams(50, DEPTH - 49)),
    ):
        with pytest.raises(TooDeep, match=r"Results 252 to 301 .* 300 deep \(QDRANT_MAX_DEPTH\)"):
            ask()
    assert not qdrant.calls


def test_an_image_that_was_deleted_meanwhile_is_left_out(qdrant, collection):
    qdrant.gone = set(qdrant.order()[62:64])
    assert page(collection, 10, 60) == [*qdrant.order()[60:62], *qdrant.order()[64:70]]


def test_a_list_is_made_anew_where_images_left_the_search_meanwhile(qdrant, collection):
    """As where files are moved: what the list has left out as copies is there in their place."""
    gone, *rest = [qdrant.order()[62], *qdrant.order()[:62], *qdrant.order()[63:]]
    qdrant.gone = {gone}
    qdrant.on_get = lambda: qdrant.scores.pop(gone, None)
    assert [image.id for image in collection.nearest([1.0, 0.0], SearchParams(limit=80)).images] == rest[:80]


def test_similar_images_leave_the_image_itself_out(qdrant, collection):
    level(qdrant, 0, 60)
    shown, *others = qdrant.order()
    pages = [collection.similar(shown, SearchParams(7, start)).images for start in range(0, 210, 7)]
    assert [image.id for one in pages for image in one] == others[:210]


def test_batches_have_the_order_of_single_searches(qdrant, collection):
    level(qdrant, 5, 60)
    for params in (SearchParams(4), SearchParams(10), SearchParams(10, 50)):
        for found in collection.nearest_batch([[1, 0], [0, 1]], params):
            assert [image.id for image in found.images] == qdrant.order()[params.offset :][: params.limit]


@pytest.mark.parametrize("offset", [0, 10])
def test_once_an_image_that_is_not_indexed_was_found_it_is_asked_for_the_others_alone(qdrant, collection, offset):
    qdrant.unsearchable = set(qdrant.order()[3:5])
    assert page(collection, 10, offset) == qdrant.order()[offset : offset + 10]
    before = qdrant.calls.total()
    assert page(collection, 10) == qdrant.order()[:10]
    assert qdrant.calls.total() == before + 1


def test_the_blocks_of_a_list_reach_its_depth():
    assert block_ends(200) == [50, 210]
    assert block_ends(1000) == [50, 200, 1050]
    assert block_ends(7000) == [50, 200, 1000, 5000, 7350]


def test_segments_are_counted_beside_the_searches(qdrant, collection):
    class Collections(api.CollectionsServicer):
        def Get(self, request, context):
            return api.GetCollectionInfoResponse(result=api.CollectionInfo(segments_count=5))

    api.add_CollectionsServicer_to_server(Collections(), qdrant.server)
    page(collection, 5)
    wait_for(lambda: page(collection, 5) and qdrant.ef == 128, "the number of segments is known")


def test_a_collection_that_is_missing_is_not_an_image_that_is(qdrant, collection):
    qdrant.is_missing = True
    with pytest.raises(NoCollection):
        collection.similar(image_id("main", b"1"), SearchParams(5))
