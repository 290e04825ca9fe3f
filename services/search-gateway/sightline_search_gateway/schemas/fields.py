"""Types of fields, and their limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sized
from datetime import UTC, datetime
from typing import Any

from apiflask import Schema
from apiflask.fields import File
from marshmallow import RAISE, ValidationError, fields, validate

MAX_LIMIT = 200
MAX_OFFSET = 10_000
MAX_TEXT = 500
"""Characters; as many as fit into a request line whatever they are, and more than any model reads."""
MAX_FILTERS = 50
PATTERN = r"^[^\x00-\x1f\x7f]*$"
NOT_BLANK_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$"
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class StrictSchema(Schema):
    """A schema that refuses fields of other names."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE


class PictureFile(File):
    """A file of a form. An empty text in its place is wrong, as any other text is, and not a file left out."""

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Return the file; see marshmallow."""
        if isinstance(value, str):
            raise self.make_error("invalid")
        return super().deserialize(value, attr, data, **kwargs)


class Moment(fields.Field[datetime]):
    """A date or a date with a time, as RFC 3339; UTC where no zone is given. Loads as an aware datetime."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value).strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("Not a date such as 2024-05-31 or 2024-05-31T18:00:00Z.") from None
        return moment


class WallMoment(fields.Field[datetime]):
    """A date or a date with a time, as RFC 3339, with or without an offset. Loads as a naive datetime, without it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
        except (ValueError, OverflowError):
            raise ValidationError("Not a date such as 2024-05-31 or 2024-05-31T18:00:00.") from None


class Written(fields.Field[Any]):
    """A value as people write it, such as a circle: loads as what `read` returns of it."""

    def __init__(self, read: Callable[[str], Any], **options: Any) -> None:
        self.read = read
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return self.read(str(value).strip())
        except ValueError as error:
            raise ValidationError(f"Not {error}.") from None


class BoundedList(fields.List[Any]):
    """A list of at most `most` items; a longer one is refused before any item is looked at."""

    def __init__(self, item: fields.Field[Any], *, most: int, least: int = 0, **options: Any) -> None:
        self.most = most
        length = validate.Length(min=least or None, max=most)
        super().__init__(item, validate=[length, *options.pop("validate", ())], **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, Sized) and not isinstance(value, str) and len(value) > self.most:
            raise ValidationError(f"Longer than maximum length {self.most}.")
        return super()._deserialize(value, attr, data, **kwargs)


def _no_controls(text: str) -> None:
    if CONTROLS.search(text):
        raise ValidationError("Control characters are not allowed.")


def text(description: str = "", *, blank: bool = True, pattern: str | None = None, **options: Any) -> fields.String:
    """Return a field for a text without control characters, by default of at most 1024 characters.

    Args:
        description: For the OpenAPI document.
        blank: Whether the document lets it be of spaces alone; that is for the caller to check.
        pattern: Of the document, instead of the usual one.
        options: marshmallow's.
    """
    # Control characters find nothing anywhere, and end up in no name.
    metadata = {"pattern": pattern or (PATTERN if blank else NOT_BLANK_PATTERN)}
    if description:
        metadata["description"] = description
    length = options.pop("validate", validate.Length(max=1024))
    return fields.String(validate=[length, _no_controls], metadata=metadata, **options)


def moment(description: str) -> Moment:
    """Return a field for a date or a date with a time."""
    kinds = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    return Moment(metadata={"description": description, "anyOf": kinds})


def wall_moment(which: str, *, null: bool = False) -> WallMoment:
    """Return a field for a date or a date with a time, or where `null` says so for null."""
    description = (
        f"Taken (or, where that is not known, modified) {which}. It means the clock on the wall where a "
        "picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC."
    )
    kinds = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    if null:
        kinds.append({"type": "null"})
    return WallMoment(allow_none=null, metadata={"description": description, "anyOf": kinds})


def many(description: str, item: fields.Field[Any] | None = None) -> fields.List[Any]:
    """Return a field for a filter that may be given several times."""
    return BoundedList(
        item or text(validate=validate.Length(min=1, max=1024)),
        most=MAX_FILTERS,
        metadata={"description": description},
    )
