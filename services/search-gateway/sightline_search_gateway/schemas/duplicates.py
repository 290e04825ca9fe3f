"""Groups of pictures that are copies of one, or a burst."""

from __future__ import annotations

from typing import Annotated, TypedDict

from marshmallow import fields, validate
from sightline_catalogue import GROUP_KINDS, GroupKind

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.schemas.fields import text
from sightline_search_gateway.schemas.filters import Filters
from sightline_search_gateway.schemas.images import Image

MOST_GROUPS = 50


class BrowseDuplicates(Filters):
    """A page of groups."""

    kind = fields.String(
        validate=validate.OneOf(GROUP_KINDS),
        metadata={
            "description": "`equal`: of the same bytes or pixels. `near`: with copies that were resized, compressed "
            "again, cropped, turned, tinted or written on. `burst`: exposures of one camera, seconds apart. Copies of "
            "either kind where it is not given."
        },
    )
    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(1, MOST_GROUPS),
        metadata={"description": "A page may be shorter, though another follows; the last one has no `cursor`."},
    )
    cursor = text("The `cursor` of the page before.")


class DuplicateGroup(TypedDict):
    """Several pictures that are copies of one, or a burst."""

    kind: GroupKind
    images: Annotated[list[Image], "Those indexed first before the others, at most 200."]
    count: Annotated[int, "How many there are."]
    best_id: Annotated[Uuid, "The one to keep: the largest, then the least compressed, then the oldest."]
    bytes: Annotated[int, "Of all that are listed."]
    saved_bytes: Annotated[int, "Of those, without the best."]


class DuplicateGroups(TypedDict):
    """A page of groups, that with the newest copy first."""

    groups: list[DuplicateGroup]
    cursor: Annotated[str | None, "Gives the next page; null on the last."]
