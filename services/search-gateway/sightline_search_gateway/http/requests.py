"""Validated parameters of calls, as the services take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline_catalogue import SearchParams
from sightline_pictures import Crop
from werkzeug.datastructures import FileStorage

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.ingest.upload_names import SentFile
from sightline_search_gateway.search.filter_parameters import filter_of
from sightline_search_gateway.search.query import Part, SearchQuery
from sightline_search_gateway.search.query_fields import join_parameters
from sightline_search_gateway.search.query_language import ParsedQuery, QueryError, parse_query, plain_query

MAX_NAME = 255


def stripped(text: str) -> str:
    """Return a query's text without the spaces around it.

    Raises:
        ServiceError: Nothing is left.
    """
    if not (text := text.strip()):
        raise ServiceError("invalid-request", "The text is empty.")
    return text


def read_text_query(query: dict[str, Any]) -> tuple[ParsedQuery, SearchParams]:
    """Return what the text of a query says, and the search parameters that it and the others make.

    Raises:
        ServiceError: It cannot be understood, or there is nothing to look for.
    """
    parsed, parameters = understood(query, "query")
    if parsed.text is None and parsed.excluded_texts:
        problem = "Words can only be left out of what others find; give some, such as fruit -orange."
        raise _wrong_text("query", problem)
    return parsed, search_params(parameters)


def understood(query: dict[str, Any], place: str) -> tuple[ParsedQuery, dict[str, Any]]:
    """Return what the text of a query says, where it has one, and the parameters that it and the others make.

    Args:
        query: Validated.
        place: Where it is in the request, as a problem says it.

    Raises:
        ServiceError: The text cannot be understood, or says nothing.
    """
    if "q" not in query:
        return ParsedQuery(), query
    try:
        parsed = plain_query(query["q"]) if query["syntax"] == "plain" else parse_query(query["q"])
        parameters = join_parameters(query, parsed.parameters)
    except QueryError as error:
        raise _wrong_text(place, *error.problems) from error
    except ValueError as error:
        raise _wrong_text(place, f"`{error}` is in the text and a parameter, too; give it once.") from error
    if parsed == ParsedQuery():
        raise _wrong_text(place, "The text is empty.")
    return parsed, parameters


def _wrong_text(place: str, *problems: str) -> ServiceError:
    errors = [{"in": place, "name": "q", "detail": problem} for problem in problems]
    return ServiceError("invalid-request", " ".join(problems), errors=errors)


def read_picture(file: FileStorage, limit: int) -> bytes:
    """Return a picture file that was sent with a query.

    Raises:
        ServiceError: It is empty or too large.
    """
    data = file.stream.read(limit + 1)
    if len(data) > limit:
        raise ServiceError("too-large", f"The picture is larger than {limit:,} bytes (IMAGE_MAX_BYTES).")
    if not data:
        raise ServiceError("not-a-picture", "The file is empty.")
    return data


def form_query(form: dict[str, Any], parsed: ParsedQuery, max_bytes: int) -> SearchQuery:
    """Return the query of a form that has at most a file, a text, which was understood, and ids.

    Raises:
        ServiceError: It has none of them, or the file is empty or too large.
    """
    parts = []
    if "file" in form:
        parts.append(Part(file=read_picture(form["file"], max_bytes), weight=form["file_weight"]))
    if parsed.text is not None:
        parts.append(Part(text=parsed.text, weight=form["q_weight"]))
    ids = dict.fromkeys(str(one) for one in form.get("id", ()))
    parts += [Part(image_id=one, weight=form["id_weight"]) for one in ids]
    if not parts:
        raise ServiceError("invalid-request", "Give a `file`, a text `q`, an `id`, or a `query`.")
    excluded = tuple(Part(text=one) for one in parsed.excluded_texts)
    return SearchQuery(tuple(parts), excluded, diversity=form["diversity"])


def composed_query(query: dict[str, Any], files: Mapping[str, FileStorage], max_bytes: int) -> SearchQuery:
    """Return a composed query, with the files that it names.

    Raises:
        ServiceError: A file is empty or too large.
    """
    read = {name: read_picture(file, max_bytes) for name, file in files.items()}
    parts: dict[bool, list[Part]] = {False: [], True: []}
    for part in query["parts"]:
        made = Part(
            text=stripped(part["text"]) if "text" in part else None,
            file=read[part["file"]] if "file" in part else None,
            image_id=str(part["id"]) if "id" in part else None,
            crop=Crop(**part["crop"]) if "crop" in part else None,
            weight=part["weight"],
        )
        parts[part["excluded"]].append(made)
    liked, disliked = (tuple(dict.fromkeys(map(str, query[name]))) for name in ("liked", "disliked"))
    return SearchQuery(tuple(parts[False]), tuple(parts[True]), liked, disliked, query["diversity"])


def sent_files(files: list[FileStorage], most: int) -> list[SentFile]:
    """Return the files of an upload.

    Raises:
        ServiceError: There are too many.
    """
    if len(files) > most:
        raise ServiceError("too-large", f"{len(files)} files; at most {most} at once (GATEWAY_UPLOAD_MAX_FILES).")
    return [SentFile((file.filename or "picture")[:MAX_NAME], file.stream.read) for file in files]


def search_params(query: dict[str, Any]) -> SearchParams:
    """Return the catalogue's search parameters."""
    return SearchParams(
        limit=query["limit"],
        offset=query["offset"],
        filter=filter_of(query),
        distinct=query["distinct"],
        with_vectors=query["clusters"],
    )
