"""Searches."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.requests import composed_query, form_query, search_params, stripped
from sightline_search_gateway.http.responses import search_response
from sightline_search_gateway.http.serializers import PREFIX
from sightline_search_gateway.schemas.composed import SearchForm
from sightline_search_gateway.schemas.search import SearchResults, TextQuery, Window
from sightline_search_gateway.search.query import SearchQuery

blueprint = APIBlueprint("search", __name__, tag="Search", url_prefix=PREFIX)


@blueprint.get("/search")
@blueprint.input(TextQuery, location="query", arg_name="query")
@blueprint.output(schema_of(SearchResults), description="What was found.")
@blueprint.doc(operation_id="searchByText", responses=problem_answers(422, 429, 503))
def search_by_text(query: dict[str, Any]) -> Response:
    """Search by text."""
    text = stripped(query["q"])
    asked = SearchQuery.of_text(text, diversity=query["diversity"])
    outcome = current().search.search(asked, search_params(query), query["sort"])
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
    query = form.get("query", form)
    most = current().settings.pictures.max_bytes
    asked = composed_query(query, form["files"], most) if "query" in form else form_query(form, most)
    outcome = current().search.search(asked, search_params(query), query["sort"])
    return search_response(outcome, current().telemetry)


@blueprint.get("/images/<uuid:image_id>/similar")
@blueprint.input(Window, location="query", arg_name="query")
@blueprint.output(schema_of(SearchResults), description="The most similar pictures, without itself.")
@blueprint.doc(operation_id="searchSimilar", responses=problem_answers(404, 409, 422, 503))
def search_similar(image_id: str, query: dict[str, Any]) -> Response:
    """Find pictures that are like one of the collection."""
    outcome = current().search.similar(str(image_id), search_params(query), query["sort"], query["diversity"])
    return search_response(outcome, current().telemetry)
