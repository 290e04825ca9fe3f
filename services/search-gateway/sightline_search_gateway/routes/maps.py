"""Maps: request one, follow its progress, delete it."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from sightline_catalogue import CatalogueError, Collection, Filter

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.client_connection import client_is_gone
from sightline_search_gateway.http.openapi import NOT_MODIFIED, Answers, picture_answer, problem_answers
from sightline_search_gateway.http.requests import sent_files
from sightline_search_gateway.http.responses import has_etag, json_response, picture_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_map
from sightline_search_gateway.maps.record import MapRecord
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.service import invalid
from sightline_search_gateway.maps.uploads import Reader
from sightline_search_gateway.schemas.maps import MapQuery, Maps, MapState, UploadedMap, WantedMap

blueprint = APIBlueprint("maps", __name__, tag="Maps", url_prefix=f"{PREFIX}/maps")
EXISTING: Answers = {
    200: {
        "description": "The map is there, or on its way, already.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MapState"}}},
    }
}
THUMBNAIL = picture_answer("The picture.", "image/webp")


@blueprint.post("")
@blueprint.input(WantedMap, location="json", arg_name="body")
@blueprint.output(schema_of(MapState), 202, description="The map waits for a worker.")
@blueprint.doc(
    operation_id="makeMap",
    responses=EXISTING | problem_answers(400, 403, 413, 415, 422, 429, 503),
)
def make_map(body: dict[str, Any]) -> Response:
    """Ask for a map: pictures laid out so that what is alike lies together.

    An equal request gets the map that is there. Where pictures came or went since, new ones are placed into it and old
    ones stay where they are; with more than a quarter new, it is computed anew.
    """
    map_request = MapRequest.of(body)
    if map_request.ids and map_request.filter != Filter():
        raise invalid("ids", "Give `ids` or a filter, not both.")
    collection = current().catalogue.current_if_any()
    record, known = current().clients.maps.make(map_request, collection)
    return _answer(record, collection, known)


@blueprint.post("/uploads")
@blueprint.input(UploadedMap, location="form_and_files", arg_name="upload")
@blueprint.output(schema_of(MapState), 202, description="The map waits for a worker.")
@blueprint.doc(
    operation_id="makeMapOfUploads",
    responses=EXISTING | problem_answers(400, 403, 408, 413, 415, 422, 429, 503),
)
def upload_map(upload: dict[str, Any]) -> Response:
    """Ask for a map of pictures that are not, and will not be, in the collection.

    A file's name may be a path: the folder that it lies in is its label.
    """
    collection = current().catalogue.current_if_any()
    sent = sent_files(upload["files"], current().settings.gateway.upload_max_files)
    reader = Reader(current().clients.encoder, current().upload_decoding(client_is_gone(request.environ)))
    layout = {name: upload[name] for name in ("sample", "perplexity")}
    record, known = current().clients.maps.make_of_uploads(sent, reader, collection, **layout)
    return _answer(record, collection, known)


@blueprint.get("")
@blueprint.output(schema_of(Maps), description="All maps, without their points and `refused`.")
@blueprint.doc(operation_id="getMaps", responses=problem_answers(503))
def get_maps() -> Response:
    """List the maps there are, the newest first."""
    maps = [serialize_map(one) for one in current().clients.maps.all(_collection())]
    # Of all uploads together they would be many, and nobody looks for them here.
    return json_response(Maps(maps=[{**one, "refused": ()} for one in maps]))


@blueprint.get("/<map:map_id>")
@blueprint.input(MapQuery, location="query", arg_name="query")
@blueprint.output(schema_of(MapState), description="The map as it stands.")
@blueprint.doc(operation_id="getMap", responses=NOT_MODIFIED | problem_answers(404, 422, 503))
def get_map(map_id: str, query: dict[str, Any]) -> Response:
    """Get a map; while it is computed, with its points as they stand.

    To be asked once a second until it is done, failed or cancelled: with the `version` that is known as `since`, and
    the answer's ETag as If-None-Match, what has not changed is not sent again.
    """
    record, collection, since = current().clients.maps.find(map_id), _collection(), query.get("since")
    service = current().clients.maps
    etag = f"{record.version}-{service.is_stale(record, collection):d}-{query['points']:d}-{since}"
    if has_etag(etag):
        response = Response(status=304)
    else:
        view = service.view(record, collection, points=query["points"], since=since)
        response = json_response(serialize_map(view))
    response.set_etag(etag)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.delete("/<map:map_id>")
@blueprint.output({}, 204, description="It is cancelled, or forgotten.")
@blueprint.doc(operation_id="deleteMap", responses=problem_answers(403, 404, 503))
def delete_map(map_id: str) -> Response:
    """Cancel a map that waits or is computed; forget one that is finished."""
    record = current().clients.maps.find(map_id)
    current().clients.maps.remove(record)
    return Response(status=204)


@blueprint.get("/<map:map_id>/points/<int:index>/thumbnail")
@blueprint.doc(operation_id="getMapThumbnail", responses=THUMBNAIL | problem_answers(404, 503))
def get_map_thumbnail(map_id: str, index: int) -> Response:
    """Get the thumbnail of a point of an uploaded map."""
    sha256, data = current().clients.maps.thumbnail(map_id, index)
    # Of an upload, what an index means never changes.
    return picture_response(data, "image/webp", f"t{sha256}", keep=True)


def _answer(record: MapRecord, collection: Collection | None, known: bool) -> Response:
    view = current().clients.maps.view(record, collection)
    return json_response(serialize_map(view), 200 if known else 202, {"Location": f"{PREFIX}/maps/{record.id}"})


def _collection() -> Collection | None:
    """Return the current collection; None while the catalogue does not answer: maps can be seen all the same."""
    try:
        return current().catalogue.current_if_any()
    except CatalogueError:
        return None
