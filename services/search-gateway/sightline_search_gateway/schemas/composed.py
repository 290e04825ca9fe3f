"""Composed queries: any number of texts and pictures, what is not wanted, and results that were marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load, validate, validates_schema
from werkzeug.datastructures import FileStorage

from sightline_search_gateway.schemas.fields import (
    MAX_FILTERS,
    MAX_TEXT,
    BoundedList,
    PictureFile,
    StrictSchema,
    text,
)
from sightline_search_gateway.schemas.search import Window, text_syntax

MAX_PARTS = 16
MAX_SENT_PICTURES = 4
"""Files and crops of one query: each is decoded, perhaps twice, and encoded, while a thread waits."""
MAX_WEIGHT = 10
ROUNDING = 1e-6
"""How far a crop may reach beyond its picture."""


def _weight(what: str) -> fields.Float:
    return fields.Float(
        load_default=1.0,
        allow_nan=False,
        validate=validate.Range(-MAX_WEIGHT, MAX_WEIGHT),
        metadata={"description": f"How much {what} counts; below zero means away from it."},
    )


def _fraction(what: str, *, least_inclusive: bool = True) -> fields.Float:
    return fields.Float(
        required=True,
        allow_nan=False,
        validate=validate.Range(0, 1, min_inclusive=least_inclusive),
        metadata={"description": f"{what}, from 0 to 1."},
    )


def _short_text(description: str) -> fields.String:
    return text(description, blank=False, validate=validate.Length(min=1, max=MAX_TEXT))


def _marked(description: str) -> BoundedList:
    return BoundedList(
        fields.UUID(), most=MAX_FILTERS, load_default=list, metadata={"description": description, "default": []}
    )


class CropRectangle(StrictSchema):
    """A rectangle of a picture as it is shown, upright; at least 16 pixels wide and high."""

    x = _fraction("Its left side, in widths of the picture")
    y = _fraction("Its upper side, in heights of the picture")
    width = _fraction("Its width, in widths of the picture", least_inclusive=False)
    height = _fraction("Its height, in heights of the picture", least_inclusive=False)

    @validates_schema
    def _check_inside(self, crop: dict[str, Any], **_: Any) -> None:
        for start, size in (("x", "width"), ("y", "height")):
            if crop[start] + crop[size] > 1 + ROUNDING:
                raise ValidationError({size: [f"With {start} it reaches beyond the picture."]})


class QueryPart(StrictSchema):
    """A text, or a picture: one of `text`, `id` and `file`."""

    text = _short_text("What is to be seen.")
    id = fields.UUID(metadata={"description": "A picture of the collection. It is not among the results."})
    file = _short_text("The name of the part of the form that has a picture file.")
    crop = fields.Nested(CropRectangle, metadata={"description": "The rectangle of the picture that counts."})
    weight = _weight("it")
    excluded = fields.Boolean(
        data_key="not",
        load_default=False,
        metadata={"description": "Whether it is not wanted: what looks like it goes down, wherever else it is."},
    )

    @validates_schema
    def _check_kind(self, part: dict[str, Any], **_: Any) -> None:
        if sum(name in part for name in ("text", "id", "file")) != 1:
            raise ValidationError("Give one of `text`, `id` and `file`.")
        if "text" in part and "crop" in part:
            raise ValidationError({"crop": ["Only a picture can be cropped."]})
        if part["excluded"] and part["weight"] != 1:
            raise ValidationError({"weight": ["What is not wanted has no weight."]})


class ComposedQuery(StrictSchema, Window):
    """What to look for, and which of the results; as JSON, or in the field `query` of a form with picture files."""

    parts = BoundedList(
        fields.Nested(QueryPart),
        most=MAX_PARTS,
        load_default=list,
        metadata={
            "description": "The query's vector is the normalised sum of the parts' vectors, each times its weight. "
            f"At most {MAX_SENT_PICTURES} are files or crops. Without any, what is `liked` is looked for."
        },
    )
    liked = _marked("Results that are right: what looks like them goes up.")
    disliked = _marked("Results that are wrong: what looks like them goes down, and they are left out.")

    @validates_schema
    def _check_parts(self, query: dict[str, Any], **_: Any) -> None:
        if not query["liked"] and all(part["excluded"] for part in query["parts"]):
            raise ValidationError({"parts": ["Say what to look for, not only what is not wanted."]})
        if sum("file" in part or "crop" in part for part in query["parts"]) > MAX_SENT_PICTURES:
            raise ValidationError({"parts": [f"At most {MAX_SENT_PICTURES} may be files or crops."]})
        if set(query["liked"]) & set(query["disliked"]):
            raise ValidationError({"disliked": ["A result is both liked and disliked."]})


class SearchForm(StrictSchema, Window):
    """A query by a picture, a text, pictures of the collection, or several of them; or any query, in `query`."""

    file = PictureFile(metadata={"description": "A picture."})  # type: ignore[no-untyped-call]
    q = _short_text("What to look for.")
    syntax = text_syntax("plain")
    id = BoundedList(
        fields.UUID(),
        most=MAX_FILTERS,
        metadata={"description": "A picture of the collection; repeat it for several. They are not among the results."},
    )
    file_weight = _weight("the picture")
    q_weight = _weight("the text")
    id_weight = _weight("each picture of the collection")
    query = fields.Nested(
        ComposedQuery,
        metadata={
            "description": "Any query, as JSON, in place of all other fields; files are parts of the form, "
            "of the names that it gives them."
        },
    )

    @pre_load
    def _leave_query_alone(self, sent: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        """Take a composed query without its files, whose names are in no schema."""
        if "query" not in sent:
            return sent
        if others := sent.keys() - {"query"} - _files_of(sent).keys():
            raise ValidationError({name: ["Put it into `query`, which has all of the query."] for name in others})
        return {"query": sent["query"]}

    @validates_schema(pass_original=True)
    def _check_files(self, form: dict[str, Any], sent: Mapping[str, Any], **_: Any) -> None:
        if "query" not in form:
            return
        files = _files_of(sent).keys()
        named = {part["file"] for part in form["query"]["parts"] if "file" in part}
        problems = {name: ["The query names this file, and it was not sent in a form."] for name in named - files}
        problems |= {name: ["The query does not name this file."] for name in files - named}
        if problems:
            raise ValidationError(problems)

    @post_load(pass_original=True)
    def _add_files(self, form: dict[str, Any], sent: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """Add the files of a composed query, by name."""
        return form | {"files": _files_of(sent)} if "query" in form else form


def _files_of(sent: Mapping[str, Any]) -> dict[str, FileStorage]:
    return {name: sent[name] for name in sent if isinstance(sent[name], FileStorage)}
