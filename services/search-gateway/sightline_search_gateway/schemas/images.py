"""Images of the collection."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from apiflask import Schema
from marshmallow import fields, validate
from sightline_catalogue import STATES

from sightline_search_gateway.answer_schemas import Offset, Uuid, WallTime
from sightline_search_gateway.schemas.fields import MAX_LIMIT, BoundedList, text
from sightline_search_gateway.schemas.filters import Filters

ShownState = Literal["pending", "indexed", "failed"]


class Browse(Filters):
    """A page of the collection."""

    state = BoundedList(
        fields.String(validate=validate.OneOf(STATES)),
        most=len(STATES),
        metadata={"description": "Repeat it for several; all states where it is not given."},
    )
    copies_of = fields.UUID(metadata={"description": "Only this picture and its copies, equal or nearly equal."})
    distinct = fields.Boolean(
        load_default=False,
        metadata={
            "description": "Whether copies of a picture, equal or nearly equal, are shown once, the newest, with the "
            "number of their `copies`. A page may be shorter than `limit` then; the last one has no `cursor`."
        },
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = text("The `cursor` of the page before.")


class Version(Schema):
    """Which version of a picture an address means."""

    v = text("As in the addresses that results give: lets caches keep the answer for ever.")


class Image(TypedDict):
    """An image of the collection."""

    id: Uuid
    key: Annotated[str, "Its place in the bucket."]
    name: Annotated[str, "The last part of its key."]
    label: Annotated[str | None, "The name of its folder."]
    folders: Annotated[list[str], "Each folder above it, by path."]
    state: ShownState
    reason: Annotated[str | None, "Why it failed."]
    sha256: Annotated[str | None, "Of the file as it was indexed."]
    width: Annotated[int | None, "Pixels, orientation applied."]
    height: int | None
    format: Annotated[str | None, "JPEG, PNG, ..."]
    bytes: int | None
    taken_at: Annotated[
        WallTime | None, "When it was taken, by the clock on the wall there. Sorting, `after` and `before` go by it."
    ]
    taken_offset: Annotated[Offset | None, "How far that clock was ahead of UTC; null where it is not known."]
    camera: str | None
    note: Annotated[str | None, "What is missing of the picture, where its file is damaged."]
    modified_at: datetime | None
    indexed_at: datetime | None
    copies: Annotated[
        int | None,
        "How many copies it has, of equal bytes or nearly equal, of those that the filters let through; null where not "
        "counted.",
    ]
    thumbnail_url: Annotated[str, "WebP, longest side 384."]
    preview_url: Annotated[str, "WebP, longest side at most 1600."]
    file_url: Annotated[str, "The file itself."]


class Place(TypedDict):
    """A place on the earth, in degrees (WGS 84)."""

    latitude: float
    longitude: float


class ImageDetails(Image):
    """An image of the collection, with all that is known of it."""

    taken_from: Annotated[str | None, "What says when it was taken: exif, xmp, sidecar, takeout, name and so on."]
    place: Annotated[Place | None, "Where it was taken."]
    lens: str | None
    rating: Annotated[int | None, "1 to 5 stars; -1 for a rejected picture; null without a rating."]
    title: Annotated[str | None, "What people called it, or wrote below it."]
    keywords: list[str]
    added_at: Annotated[datetime | None, "When it first came into the collection; null where that was not noted."]


class Images(TypedDict):
    """A page of images."""

    images: list[Image]
    cursor: Annotated[str | None, "Gives the next page; null on the last."]
