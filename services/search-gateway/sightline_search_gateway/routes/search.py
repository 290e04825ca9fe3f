"""Searches."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.requests import (
    composed_query,
    form_query,
    read_text_query,
    search_params,
    understood,
)
from sightline_search_gateway.http.responses import search_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.schemas.composed import SearchForm
from sightline_search_gateway.schemas.search import SearchResults, TextQuery, Window

blueprint = APIBlueprint("search", __name__, tag="Search", url_prefix=PREFIX)


@blueprint.get("/search")
@blueprint.input(TextQuery, location="query", arg_name="query")
@blueprint.output(schema_of(SearchResults), description="What was found.")
@blueprint.doc(operation_id="searchByText", responses=problem_answers(422, 429, 503))
def search_by_text(query: dict[str, Any]) -> Response:
    """Search by text: words, what is left out, and filters.

    `fruit -orange` looks for fruit, and for none that looks like an orange; `-"steam engine"` leaves out one thing.
    What stands in quotes is never anything but words. Filters:

    - `folder:2019` (and below), `label:cats`, `name:IMG_12`, `words:holiday` (in name, folders, title or keywords)
    - `camera:nikon`, `lens:50mm`, `type:png`, `shape:portrait`, `size:>2mp`, `size:<500kb`, `rating:4` (at least)
    - `date:2020-05` (within), `after:2020-05` (from its beginning on), `before:2021` (before its beginning),
      `added:2024-01` (since)
    - `near:52.5,13.4,10km` (latitude, longitude, distance), `box:47.3,5.9,55.1,15.0` (south, west, north, east)

    A value with spaces stands in quotes. Of one field any value is enough, different ones must all hold, bounds too; a
    minus before a filter leaves out what it finds. What has a colon and is no field, such as `16:9`, is a word, and so
    are `AND`, `OR` and parentheses.

    Where there are filters and no words, the newest pictures that they let through are the results. The answer says in
    `query` how the text was understood, and in `named` which pictures have its words in their names; these leave
    `results` as they are. `syntax=plain` takes the text as it is.
    """
    parsed, params = read_text_query(query)
    outcome = current().text_search.answer(parsed, params, query["sort"], query["diversity"])
    return search_response(outcome, current().telemetry)


@blueprint.post("/search")
@blueprint.input(SearchForm, location="form_and_files", arg_name="form")
@blueprint.output(schema_of(SearchResults), description="What was found.")
@blueprint.doc(operation_id="search", responses=problem_answers(400, 403, 404, 409, 413, 415, 422, 429, 503))
def search(form: dict[str, Any]) -> Response:
    """Search by texts, pictures, crops of pictures; without what is not wanted; by what was right and wrong.

    The query's vector is the normalised sum of the parts' vectors, each times its weight. Where no file is sent, the
    query is JSON; else the form's field `query` has it, or the plainer fields beside.
    """
    most = current().settings.pictures.max_bytes
    if "query" in form:
        query = form["query"]
        outcome = current().search.search(
            composed_query(query, form["files"], most), search_params(query), query["sort"]
        )
    else:
        parsed, query = understood(form, "body")
        asked = form_query(query, parsed, most)
        outcome = replace(current().search.search(asked, search_params(query), query["sort"]), terms=parsed.terms)
    return search_response(outcome, current().telemetry)


@blueprint.get("/images/<uuid:image_id>/similar")
@blueprint.input(Window, location="query", arg_name="query")
@blueprint.output(schema_of(SearchResults), description="The most similar pictures, without itself.")
@blueprint.doc(operation_id="searchSimilar", responses=problem_answers(404, 409, 422, 503))
def search_similar(image_id: str, query: dict[str, Any]) -> Response:
    """Find pictures that are like one of the collection."""
    outcome = current().search.similar(str(image_id), search_params(query), query["sort"], query["diversity"])
    return search_response(outcome, current().telemetry)
