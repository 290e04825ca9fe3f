"""Maps: asking for one, seeing how it comes, and forgetting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from apiflask import APIBlueprint
from flask import Response, request
from sightline_catalogue import CatalogueError, Collection
from werkzeug.datastructures import FileStorage

from sightline_search_gateway import schemas
from sightline_search_gateway.answers import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.map_serializer import serialize_map
from sightline_search_gateway.http.openapi import NOT_MODIFIED, Answers, picture_answer, problem_answers
from sightline_search_gateway.http.problems import Problem, retry_after
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.maps.request import MapRequest
from sightline_search_gateway.maps.service import NoModel, NoWorker, SampleTooLarge, TooFew, TooManyWaiting
from sightline_search_gateway.maps.store import MapRecord
from sightline_search_gateway.maps.uploads import NoEncoder, Reader, UploadedFile
from sightline_search_gateway.security import check_key, check_same_origin

blueprint = APIBlueprint("maps", __name__, tag="Maps", url_prefix=f"{PREFIX}/maps")
THERE: Answers = {
    200: {
        "description": "The map is there, or on its way, already.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MapState"}}},
    }
}
KEYS: list[str | dict[str, list[Any]]] = [{}, {"ApiKey": []}, {"Bearer": []}]
THUMBNAIL = picture_answer("The picture.", "image/webp")
WAIT_SECONDS = 30


@blueprint.before_request
def check_origin() -> None:
    """Refuse what a page of another site would have computed or forgotten; before the body is read."""
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        check_same_origin()
    if request.endpoint == "maps.upload_map":
        check_key()


@contextmanager
def asking() -> Iterator[None]:
    """Turn what can go wrong with maps into problems."""
    try:
        yield
    except NoWorker as error:
        raise Problem(
            "no-map-worker",
            "No map worker is running, so that no map can be made; the rest works. Whoever runs Sightline can start "
            "sightline-map-worker.",
            headers=retry_after(10),
        ) from error
    except TooManyWaiting as error:
        most = current().clients.maps.settings.max_waiting
        raise Problem(
            "overloaded",
            f"{most} maps wait already (MAPS_MAX_WAITING); try again later, or cancel one.",
            headers=retry_after(WAIT_SECONDS),
        ) from error
    except SampleTooLarge as error:
        raise _invalid("sample", str(error)) from error
    except TooFew as error:
        members: dict[str, Any] = {} if error.refused is None else {"refused": error.refused}
        raise Problem("too-few", str(error), **members) from error
    except NoModel as error:
        raise Problem(
            "not-ready", "The model is not known before the first picture is indexed; try again soon."
        ) from error
    except NoEncoder as error:
        raise Problem("no-encoder", str(error)) from error
    except redis.RedisError as error:
        raise Problem("queue-unavailable", "Redis does not answer; try again soon.", headers=retry_after(5)) from error


@blueprint.post("")
@blueprint.input(schemas.WantedMap, location="json", arg_name="wanted")
@blueprint.output(schema_of(schemas.MapState), 202, description="The map waits for a worker.")
@blueprint.doc(
    operation_id="makeMap",
    responses=THERE | problem_answers(403, 413, 422, 429, 503),
)
def make_map(wanted: dict[str, Any]) -> Response:
    """Ask for a map: pictures laid out so that what is alike lies together.

    An equal request gets the map that is there. Where pictures came or went since, new ones are placed into it and old
    ones stay where they are; with more than a quarter new, it is computed anew.
    """
    asked = MapRequest.of(wanted)
    if asked.ids and (asked.labels or asked.folders or asked.after or asked.before):
        raise _invalid("ids", "Give `ids` or a filter, not both.")
    with asking():
        collection = current().catalogue.current_if_any()
        record, known = current().clients.maps.make(asked, collection)
        return _answer(record, collection, known)


@blueprint.post("/uploads")
@blueprint.input(schemas.UploadedMap, location="form_and_files", arg_name="upload")
@blueprint.output(schema_of(schemas.MapState), 202, description="The map waits for a worker.")
@blueprint.doc(
    operation_id="makeMapOfUploads", security=KEYS, responses=problem_answers(401, 403, 408, 413, 415, 422, 429, 503)
)
def upload_map(upload: dict[str, Any]) -> Response:
    """Ask for a map of pictures that are not, and will not be, in the collection.

    A file's name may be a path: the folder that it lies in is its label.
    """
    files: list[FileStorage] = upload["files"]
    most = current().settings.gateway.upload_max_files
    if len(files) > most:
        raise Problem("too-large", f"{len(files)} files; at most {most} at once (GATEWAY_UPLOAD_MAX_FILES).")
    collection = current().catalogue.current_if_any()
    sent = [UploadedFile((file.filename or "picture")[:255], file.stream.read) for file in files]
    reader = Reader(current().clients.encoder, current().settings.pictures, current().decode_slots)
    layout = {name: upload[name] for name in ("sample", "perplexity")}
    with asking():
        record, known = current().clients.maps.make_of_uploads(sent, reader, collection, **layout)
        return _answer(record, collection, known)


@blueprint.get("")
@blueprint.output(schema_of(schemas.Maps), description="All maps, without their points.")
@blueprint.doc(operation_id="getMaps", responses=problem_answers(503))
def get_maps() -> Response:
    """List the maps there are, the newest first."""
    with asking():
        return json_response(
            schemas.Maps(maps=[serialize_map(one) for one in current().clients.maps.all(_collection())])
        )


@blueprint.get("/<map_id>")
@blueprint.input(schemas.MapQuery, location="query", arg_name="query")
@blueprint.output(schema_of(schemas.MapState), description="The map as it stands.")
@blueprint.doc(operation_id="getMap", responses=NOT_MODIFIED | problem_answers(404, 422, 503))
def get_map(map_id: str, query: dict[str, Any]) -> Response:
    """Get a map; while it is computed, with its points as they stand.

    To be asked once a second until it is done, failed or cancelled: with the `version` that is known as `since`, and
    the answer's ETag as If-None-Match, what has not changed is not sent again.
    """
    record, collection, since = _find(map_id), _collection(), query.get("since")
    with asking():
        service = current().clients.maps
        etag = f"{record.version}-{service.is_stale(record, collection):d}-{query['points']:d}-{since}"
        if request.if_none_match.contains_weak(etag):
            response = Response(status=304)
        else:
            view = service.view(record, collection, points=query["points"], since=since)
            response = json_response(serialize_map(view))
    response.set_etag(etag)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.delete("/<map_id>")
@blueprint.output({}, 204, description="It is cancelled, or forgotten.")
@blueprint.doc(operation_id="deleteMap", responses=problem_answers(403, 404, 503))
def delete_map(map_id: str) -> Response:
    """Cancel a map that waits or is computed; forget one that is finished."""
    record = _find(map_id)
    with asking():
        current().clients.maps.remove(record)
    return Response(status=204)


@blueprint.get("/<map_id>/points/<int:index>/thumbnail")
@blueprint.doc(operation_id="getMapThumbnail", responses=THUMBNAIL | problem_answers(404, 503))
def get_map_thumbnail(map_id: str, index: int) -> Response:
    """Get the thumbnail of a point of an uploaded map."""
    with asking():
        found = current().clients.maps.thumbnail(map_id, index)
    if found is None:
        raise Problem("image-not-found", "There is no such picture; the map may have been forgotten.")
    sha256, data = found
    response = Response(data, content_type="image/webp")
    response.set_etag(f"t{sha256}")
    # Of an upload, what an index means never changes.
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.make_conditional(request)
    return response


def _answer(record: MapRecord, collection: Collection | None, known: bool) -> Response:
    view = current().clients.maps.view(record, collection)
    return json_response(serialize_map(view), 200 if known else 202, {"Location": f"{PREFIX}/maps/{record.id}"})


def _find(map_id: str) -> MapRecord:
    with asking():
        record = current().clients.maps.store.get(map_id)
        if record is None:
            raise Problem(
                "map-not-found", "There is no such map; maps are forgotten after some time. Ask for it again."
            )
        return record


def _collection() -> Collection | None:
    """Return the collection; None where it cannot be asked: a map is there all the same."""
    try:
        return current().catalogue.current_if_any()
    except CatalogueError:
        return None


def _invalid(name: str, detail: str) -> Problem:
    return Problem("invalid-request", detail, errors=[{"in": "body", "name": name, "detail": detail}])
