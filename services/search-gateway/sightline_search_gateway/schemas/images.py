"""Pictures of the collection, and which of them."""

from __future__ import annotations

from apiflask import Schema
from marshmallow import fields, validate

from sightline_search_gateway.schemas.fields import MAX_LIMIT, STATES, many, moment, nested, out, text


class Filters(Schema):
    """Which pictures; different filters must all hold, of one that is repeated any."""

    label = many("The name of the folder that the picture lies in; repeat it for several.")
    folder = many("A folder's path; what lies in folders below it counts too. Repeat it for several.")
    after = moment("Taken (or, where that is not known, modified) at this moment or later.")
    before = moment("Taken (or, where that is not known, modified) before this moment.")


class Browse(Filters):
    """A page of the collection."""

    state = fields.List(
        fields.String(validate=validate.OneOf(STATES)),
        validate=validate.Length(max=len(STATES)),
        metadata={"description": "Repeat it for several; all states where it is not given."},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = text("The `cursor` of the page before.")


class Version(Schema):
    """Which version of a picture an address means."""

    v = text("As in the addresses that results give: lets caches keep the answer for ever.")


class Image(Schema):
    """A picture of the collection."""

    id = out(fields.UUID)
    key = out(fields.String, "Its place in the bucket.")
    name = out(fields.String, "The last part of its key.")
    label = out(fields.String, "The name of its folder.", null=True)
    folders = fields.List(fields.String(), required=True, metadata={"description": "Each folder above it, by path."})
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = out(fields.String, "Why it failed.", null=True)
    sha256 = out(fields.String, "Of the file as it was indexed.", null=True)
    width = out(fields.Integer, "Pixels, orientation applied.", null=True)
    height = out(fields.Integer, null=True)
    format = out(fields.String, "JPEG, PNG, ...", null=True)
    bytes = out(fields.Integer, null=True)
    taken_at = out(fields.DateTime, null=True)
    camera = out(fields.String, null=True)
    modified_at = out(fields.DateTime, null=True)
    indexed_at = out(fields.DateTime, null=True)
    thumbnail_url = out(fields.String, "WebP, longest side 384.")
    preview_url = out(fields.String, "WebP, longest side at most 1600.")
    file_url = out(fields.String, "The file itself.")


class Images(Schema):
    """A page of pictures, the last modified first."""

    images = nested(Image, many=True)
    cursor = out(fields.String, "Gives the next page; null on the last.", null=True)
