"""Counts of pictures by what filters go by."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response
from sightline_catalogue import FACETS

from sightline_search_gateway.answer_schemas import schema_of
from sightline_search_gateway.container import current
from sightline_search_gateway.http.openapi import problem_answers
from sightline_search_gateway.http.responses import json_response
from sightline_search_gateway.http.serializers import PREFIX, serialize_facets
from sightline_search_gateway.schemas.facets import FacetQuery, Facets
from sightline_search_gateway.search.filter_parameters import filter_of

blueprint = APIBlueprint("facets", __name__, tag="Images", url_prefix=PREFIX)


@blueprint.get("/facets")
@blueprint.input(FacetQuery, location="query", arg_name="query")
@blueprint.output(schema_of(Facets), description="The counts.")
@blueprint.doc(operation_id="getFacets", responses=problem_answers(422, 503))
def get_facets(query: dict[str, Any]) -> Response:
    """Count the pictures that filters let through, by label, folder, camera and the like.

    A year is that of `taken_at`, or else of `modified_at`.
    """
    names = tuple(dict.fromkeys(query.get("field") or FACETS))
    return json_response(serialize_facets(current().images.facets(names, filter_of(query), query["limit"])))
