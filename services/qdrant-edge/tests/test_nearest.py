"""What the server calls nearest, against a calculation of every similarity."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import models

NUMBERS = itertools.count()


@st.composite
def collections(draw):
    """Some vectors of one size, a label for each, and a query."""
    size = draw(st.integers(2, 24))
    count = draw(st.integers(1, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, size)).astype(np.float32)
    labels = random.integers(0, 3, size=count)
    query = random.normal(size=size).astype(np.float32)
    return vectors, labels, query, draw(st.integers(1, 50)), draw(st.integers(0, 5))


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=collections())
def test_nearest_is_what_numpy_says(shared, data):
    vectors, labels, query, limit, offset = data
    name = f"nearest-{next(NUMBERS)}"
    shared.create_collection(
        name, vectors_config={"image": models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)}
    )
    shared.upsert(
        name,
        [
            models.PointStruct(id=number, vector={"image": vector.tolist()}, payload={"label": str(label)})
            for number, (vector, label) in enumerate(zip(vectors, labels, strict=True))
        ],
    )
    try:
        for wanted in (None, 1):
            allowed = np.arange(len(vectors)) if wanted is None else np.flatnonzero(labels == wanted)
            scores = exact(vectors[allowed], query)
            order = np.argsort(-scores, kind="stable")
            expected = allowed[order][offset : offset + limit]
            condition = models.FieldCondition(key="label", match=models.MatchValue(value="1"))
            found = shared.query_points(
                name,
                query.tolist(),
                using="image",
                limit=limit,
                offset=offset,
                query_filter=None if wanted is None else models.Filter(must=[condition]),
            ).points
            assert [point.id for point in found] == expected.tolist()
            assert [point.score for point in found] == pytest.approx(
                scores[order][offset : offset + limit].tolist(), rel=1e-4, abs=1e-5
            )
    finally:
        shared.delete_collection(name)


def exact(vectors, query):
    return vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
