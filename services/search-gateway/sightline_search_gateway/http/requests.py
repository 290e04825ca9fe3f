"""Validated parameters of calls, as the services take them."""

from __future__ import annotations

from typing import Any

from sightline_catalogue import Filter, SearchParams
from werkzeug.datastructures import FileStorage

from sightline_search_gateway.errors import ServiceError
from sightline_search_gateway.ingest.upload_names import SentFile
from sightline_search_gateway.maps.request import wanted_folders

MAX_NAME = 255


def stripped(text: str) -> str:
    """Return a query's text without the spaces around it.

    Raises:
        ServiceError: Nothing is left.
    """
    if not (text := text.strip()):
        raise ServiceError("invalid-request", "The text is empty.")
    return text


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


def sent_files(files: list[FileStorage], most: int) -> list[SentFile]:
    """Return the files of an upload.

    Raises:
        ServiceError: There are too many.
    """
    if len(files) > most:
        raise ServiceError("too-large", f"{len(files)} files; at most {most} at once (GATEWAY_UPLOAD_MAX_FILES).")
    return [SentFile((file.filename or "picture")[:MAX_NAME], file.stream.read) for file in files]


def filter_of(query: dict[str, Any]) -> Filter:
    """Return the catalogue's filter."""
    return Filter(
        labels=tuple(query.get("label", ())),
        folders=wanted_folders(query.get("folder", ())),
        after=query.get("after"),
        before=query.get("before"),
        states=tuple(query.get("state", ())),
    )


def search_params(query: dict[str, Any], exclude: tuple[str, ...] = ()) -> SearchParams:
    """Return the catalogue's search parameters, some images left out."""
    return SearchParams(
        limit=query["limit"],
        offset=query["offset"],
        filter=filter_of(query),
        exclude=exclude,
        distinct=query["distinct"],
        with_vectors=query["clusters"],
    )
