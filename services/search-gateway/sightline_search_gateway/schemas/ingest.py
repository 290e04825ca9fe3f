"""How far the collection is, and what failed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypedDict

from apiflask import Schema
from marshmallow import ValidationError, fields, validate, validates_schema

from sightline_search_gateway.answer_schemas import Uuid
from sightline_search_gateway.schemas.fields import MAX_LIMIT, BoundedList, moment, text

MAX_IDS = 1000


class FailuresQuery(Schema):
    """A page of failures."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = text("The `cursor` of the page before.")


class Rescan(Schema):
    """What to look at now: one of `ids`, `keys` and `folder`; none of them means the whole bucket."""

    ids = BoundedList(
        fields.UUID(),
        least=1,
        most=MAX_IDS,
        metadata={"description": "Pictures that failed, to be tried again at once; others are left alone."},
    )
    keys = BoundedList(
        text("A key of the bucket, of a file or of a folder.", validate=validate.Length(1, 1024)),
        least=1,
        most=MAX_IDS,
        metadata={"description": "Look at these alone."},
    )
    folder = text("Look at this folder, and what is below it.", validate=validate.Length(1, 1024))
    verify = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Read what is unchanged by its size and times, too, and compare its bytes: some programs "
            "put times back. Only what has other bytes is indexed again; the rest stays as it is, and can be found "
            "meanwhile. Up to 512 keys are read soon; the others after everything else that waits."
        },
    )

    @validates_schema
    def _one_of_them(self, data: dict[str, Any], **_: object) -> None:
        if sum(name in data for name in ("ids", "keys", "folder")) > 1:
            raise ValidationError("Give one of ids, keys and folder.", "ids")


class ConfirmLoss(Schema):
    """Which missing pictures are really gone."""

    until = moment("Those that were missing at this moment, and are held; all that are held where it is not given.")


class Confirmed(TypedDict):
    """The watcher will take the pictures out of search."""

    queued: bool
    held: Annotated[int, "How many pictures were held when this was asked for."]


class Queued(TypedDict):
    """A rescan was asked for."""

    queued: bool
    retried: Annotated[int, "How many failed pictures are pending again."]


class Failure(TypedDict):
    """An image that could not be indexed."""

    id: Uuid
    key: str
    reason: str | None
    attempts: int
    next_try_at: Annotated[datetime | None, "Null where only a change of the file can help."]


class Failures(TypedDict):
    """A page of failures."""

    failures: list[Failure]
    cursor: str | None
