"""The order of a search's results: by score, then by id. A page is a cut of one list.

The database orders equal scores as it likes, each node in its own way; and how much an approximate search finds depends
on how many results it is asked for. So the list is put together of blocks: the first 50 results, then those down to
200, to 1000 and so on, each by a query of its own, which is the same whichever page is wanted. Of a block's answer only
what comes after the block before is taken: nothing is repeated, all is in order, and what the search for one block did
not find is not squeezed in by the next.

What changes the order of the first results has its place between the first block, which is then as long as what is
reordered, and the cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qdrant_client import grpc as api

FIRST_BLOCK = 50
"""The end of the first block: as many results as a page shows, so that for a first page one query is enough."""
_BLOCK_ENDS = (FIRST_BLOCK, 200, 1000, 5000)

Rank = tuple[float, str]
"""What results are ordered by, the least first: the score times minus one, and the id."""


def rank(point: api.ScoredPoint) -> Rank:
    """Return a result's place in the order."""
    return -point.score, point.id.uuid


def block_ends(depth: int) -> list[int]:
    """Return where the blocks of a list of `depth` results end.

    The last is a twentieth longer: of its answer is left out what the searches for the blocks before did not find.
    """
    return [*(end for end in _BLOCK_ENDS if end < depth), depth + depth // 20]


def first_of(points: Iterable[api.ScoredPoint], limit: int) -> list[api.ScoredPoint] | None:
    """Return the first `limit` in their order, of one more that was asked for.

    None where that one has the score of the last of them: there may be more of that score, which were not returned.
    """
    ordered = sorted(points, key=rank)
    if len(ordered) > limit and ordered[limit].score == ordered[limit - 1].score:
        return None
    return ordered[:limit]


def ranks_of(answer: Sequence[api.ScoredPoint], end: int, *, deepest: bool) -> list[Rank]:
    """Return the ranks of a block's answer, in order, without those whose place is not known.

    Args:
        answer: Of `end + 1` results that were asked for.
        end: Where the block ends.
        deepest: Whether no block follows. Otherwise, results of the last score are left to the next block, since there
            may be more of that score; the last block takes what comes.
    """
    ranks = sorted(map(rank, answer))
    if len(ranks) <= end:
        return ranks
    if deepest:
        return ranks[:end]
    return [one for one in ranks[:end] if one[0] < ranks[end][0]]


def joined(blocks: Iterable[Sequence[Rank]]) -> list[Rank]:
    """Return one list of the ranks of several blocks: of each, what comes after the end of those before."""
    ranks: list[Rank] = []
    for block in blocks:
        last = ranks[-1] if ranks else None
        ranks += [one for one in block if last is None or one > last]
    return ranks
