"""What goes in and comes out, for validation and for the OpenAPI document."""

from __future__ import annotations

import re
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
CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
STATES = ("pending", "indexed", "failed")


class Moment(fields.Field[datetime]):
    """A date or a date with a time, as RFC 3339; UTC where no zone is given. Loads as an aware datetime."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(str(value).strip())
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError("Not a date such as 2024-05-31 or 2024-05-31T18:00:00Z.") from None
        return moment


def _no_controls(text: str) -> None:
    if CONTROLS.search(text):
        raise ValidationError("Control characters are not allowed.")


def _text(description: str = "", **options: Any) -> fields.String:
    # Control characters find nothing anywhere, and end up in no name.
    metadata = {"pattern": r"^[^\x00-\x1f\x7f]*$"}
    if description:
        metadata["description"] = description
    length = options.pop("validate", validate.Length(max=1024))
    return fields.String(validate=[length, _no_controls], metadata=metadata, **options)


def _moment(description: str) -> Moment:
    kinds = [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
    return Moment(metadata={"description": description, "anyOf": kinds})


def _many(description: str, item: fields.Field[Any] | None = None) -> fields.List[Any]:
    return fields.List(
        item or _text(validate=validate.Length(min=1, max=1024)),
        validate=validate.Length(max=MAX_FILTERS),
        metadata={"description": description},
    )


class Filters(Schema):
    """Which pictures; different filters must all hold, of one that is repeated any."""

    label = _many("The name of the folder that the picture lies in; repeat it for several.")
    folder = _many("A folder's path; what lies in folders below it counts too. Repeat it for several.")
    after = _moment("Taken (or, where that is not known, modified) at this moment or later.")
    before = _moment("Taken (or, where that is not known, modified) before this moment.")


class Window(Filters):
    """Which of the results."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, MAX_LIMIT),
        metadata={"description": "How many results at most."},
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, MAX_OFFSET),
        metadata={"description": "How many of the best to leave out."},
    )


class TextQuery(Window):
    """A query by text."""

    q = _text("What to look for.", required=True, validate=validate.Length(min=1, max=MAX_TEXT))


def _weight(what: str) -> fields.Float:
    return fields.Float(
        load_default=1.0,
        allow_nan=False,
        validate=validate.Range(-10, 10),
        metadata={"description": f"How much {what} counts; below zero means away from it."},
    )


class ComposedQuery(Window):
    """A query by a picture, a text, pictures of the collection, or several of them."""

    class Meta:
        """A part of another name is an error, not ignored."""

        unknown = RAISE

    file = File(metadata={"description": "A picture."})  # type: ignore[no-untyped-call]
    q = _text("What to look for.", validate=validate.Length(min=1, max=MAX_TEXT))
    id = fields.List(
        fields.UUID(),
        validate=validate.Length(max=MAX_FILTERS),
        metadata={"description": "A picture of the collection; repeat it for several. They are not among the results."},
    )
    file_weight = _weight("the picture")
    q_weight = _weight("the text")
    id_weight = _weight("each picture of the collection")


class Browse(Filters):
    """A page of the collection."""

    state = fields.List(
        fields.String(validate=validate.OneOf(STATES)),
        validate=validate.Length(max=len(STATES)),
        metadata={"description": "Repeat it for several; all states where it is not given."},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = _text("The `cursor` of the page before.")


class Page(Schema):
    """A page of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, MAX_LIMIT))
    cursor = _text("The `cursor` of the page before.")


class Version(Schema):
    """Which version of a picture an address means."""

    v = _text("As in the addresses that results give: lets caches keep the answer for ever.")


class Upload(Schema):
    """Pictures to add."""

    class Meta:
        """A part of another name is an error, not ignored."""

        unknown = RAISE

    files = fields.List(
        File(),  # type: ignore[no-untyped-call]
        required=True,
        metadata={"description": "Picture files."},
    )
    folder = _text("Where in the bucket, such as `holidays/2024`; made if it is not there.")


def _out(field: type[fields.Field[Any]], description: str = "", *, null: bool = False, **metadata: Any) -> Any:
    if description:
        metadata["description"] = description
    return field(required=True, allow_none=null, metadata=metadata)


def _nested(schema: type[Schema], description: str = "", *, many: bool = False, null: bool = False) -> Any:
    metadata = {"description": description} if description else {}
    return fields.Nested(schema, required=True, many=many, allow_none=null, metadata=metadata)


class ModelRef(Schema):
    """The model whose vectors were searched."""

    id = _out(fields.String)
    fingerprint = _out(fields.String)


class Image(Schema):
    """A picture of the collection."""

    id = _out(fields.UUID)
    key = _out(fields.String, "Its place in the bucket.")
    name = _out(fields.String, "The last part of its key.")
    label = _out(fields.String, "The name of its folder.", null=True)
    folders = fields.List(fields.String(), required=True, metadata={"description": "Each folder above it, by path."})
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = _out(fields.String, "Why it failed.", null=True)
    sha256 = _out(fields.String, "Of the file as it was indexed.", null=True)
    width = _out(fields.Integer, "Pixels, orientation applied.", null=True)
    height = _out(fields.Integer, null=True)
    format = _out(fields.String, "JPEG, PNG, ...", null=True)
    bytes = _out(fields.Integer, null=True)
    taken_at = _out(fields.DateTime, null=True)
    camera = _out(fields.String, null=True)
    modified_at = _out(fields.DateTime, null=True)
    indexed_at = _out(fields.DateTime, null=True)
    thumbnail_url = _out(fields.String, "WebP, longest side 384.")
    preview_url = _out(fields.String, "WebP, longest side at most 1600.")
    file_url = _out(fields.String, "The file itself.")


class Hit(Image):
    """A picture that was found."""

    similarity = _out(fields.Float, "Cosine, from -1 to 1.")


class Query(Schema):
    """What was asked."""

    text = _out(fields.String, null=True)
    image_id = _out(fields.UUID, "Of `/similar`, or of a query by one picture of the collection.", null=True)
    limit = _out(fields.Integer)
    offset = _out(fields.Integer)


class Timings(Schema):
    """How long each step took, in milliseconds."""

    encode_ms = _out(fields.Float)
    search_ms = _out(fields.Float, "The call of the vector database alone.")
    cluster_ms = _out(fields.Float)
    total_ms = _out(fields.Float, "From the request's arrival to the answer's shape; not its way.")


class SearchResults(Schema):
    """What was found, the most similar first."""

    query = _nested(Query)
    model = _nested(ModelRef, "Null while nothing has been indexed.", null=True)
    results = _nested(Hit, many=True)
    timings = _nested(Timings)


class Images(Schema):
    """A page of pictures, the last modified first."""

    images = _nested(Image, many=True)
    cursor = _out(fields.String, "Gives the next page; null on the last.", null=True)


class Accepted(Schema):
    """A picture that was added."""

    name = _out(fields.String, "As it was sent.")
    key = _out(fields.String)
    id = _out(fields.UUID)


class Refused(Schema):
    """A file that was not added."""

    name = _out(fields.String, "As it was sent.")
    reason = _out(fields.String)


class Uploaded(Schema):
    """What became of the files."""

    accepted = _nested(Accepted, many=True)
    refused = _nested(Refused, many=True)


class Ingest(Schema):
    """How far the collection is."""

    pending = _out(fields.Integer)
    indexed = _out(fields.Integer)
    failed = _out(fields.Integer)
    ignored = _out(fields.Integer, "Files that by their name are no pictures; null while that is not known.", null=True)
    queued = _out(fields.Integer, "Tasks that wait for a worker; null while that is not known.", null=True)
    scanning = _out(fields.Boolean, "Whether the bucket is being listed at the moment.")
    last_scan_at = _out(fields.DateTime, null=True)
    writable = _out(fields.Boolean, "Whether pictures can be added and removed here.")


class Failure(Schema):
    """A picture that could not be indexed."""

    id = _out(fields.UUID)
    key = _out(fields.String)
    reason = _out(fields.String, null=True)
    attempts = _out(fields.Integer)
    next_try_at = _out(fields.DateTime, "Null where only a change of the file can help.", null=True)


class Failures(Schema):
    """A page of failures."""

    failures = _nested(Failure, many=True)
    cursor = _out(fields.String, null=True)


class Queued(Schema):
    """A rescan was asked for."""

    queued = _out(fields.Boolean)


class Model(Schema):
    """A model that an encoder serves, or that the collection was made with."""

    id = _out(fields.String)
    fingerprint = _out(fields.String)
    dimensions = _out(fields.Integer)
    context_length = _out(fields.Integer, "Tokens of a text.", null=True)
    runtime = _out(fields.String, null=True)
    device = _out(fields.String, null=True)
    serving = _out(fields.Boolean, "Whether an encoder serves it at the moment.")


class CollectionRef(Schema):
    """The collection that searches go to."""

    name = _out(fields.String)
    model_id = _out(fields.String)
    fingerprint = _out(fields.String)


class Models(Schema):
    """Models and the collection."""

    models = _nested(Model, many=True)
    collection = _nested(CollectionRef, "Null while nothing has been indexed.", null=True)


class Counts(Schema):
    """Pictures by state."""

    pending = _out(fields.Integer)
    indexed = _out(fields.Integer)
    failed = _out(fields.Integer)
    total = _out(fields.Integer)


class LabelCount(Schema):
    """How many indexed pictures a label has."""

    label = _out(fields.String)
    count = _out(fields.Integer)


class Stats(Schema):
    """What the collection holds."""

    images = _nested(Counts)
    labels = _nested(LabelCount, "The most frequent first.", many=True)


class Alive(Schema):
    """The process answers."""

    status = fields.String(required=True, validate=validate.Equal("ok"))


class Ready(Schema):
    """Everything that a search needs is there."""

    ready = _out(fields.Boolean)
    collection = _out(fields.String)


class FieldError(Schema):
    """What is wrong with one part of a request."""

    location = fields.String(required=True, data_key="in", metadata={"description": "query, body or path"})
    name = _out(fields.String)
    detail = _out(fields.String)


class Problem(Schema):
    """An error, as RFC 9457 describes it."""

    type = _out(fields.String, "`urn:sightline:problem:KIND`, or `about:blank` where the status says it all.")
    title = _out(fields.String)
    status = _out(fields.Integer)
    detail = _out(fields.String, "What was wrong and what to do, fit to show to a person.")
    instance = fields.String(metadata={"description": "The path that was asked for."})
    request_id = fields.String(metadata={"description": "As in the X-Request-ID header and the log."})
    errors = fields.List(fields.Nested(FieldError), metadata={"description": "Where a request is not valid."})
    refused = fields.List(fields.Nested(Refused), metadata={"description": "Where no file of an upload was added."})
    ready = fields.Boolean(metadata={"description": "False, from /readyz."})
